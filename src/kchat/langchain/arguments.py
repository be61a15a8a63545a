"""Arguments of the seed's API in the core's units. What makes no sense is a ValueError that names it."""

import math
from typing import Any, Literal

from kchat.core import OnCorrupt

DAY_SECONDS = 86_400


OR_NONE = ", or None for no limit"


def count(value: int | None, name: str) -> int | None:
    """A number of messages; None for no limit."""
    return None if value is None else whole(value, name, minimum=0, or_none=OR_NONE)


def whole(value: int, name: str, *, minimum: int = 1, or_none: str = "") -> int:
    """A whole number that Kafka can count to."""
    if type(value) is not int or not minimum <= value < 1 << 31:
        raise ValueError(f"{name} must be a whole number from {minimum} on{or_none}, not {value!r}")
    return value


def switch(value: bool, name: str) -> bool:
    """True or False; not a word for one."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, not {value!r}")
    return value


def milliseconds(seconds: Any, name: str, *, or_none: str = OR_NONE) -> int | None:
    """A time limit in whole milliseconds, rounded up; None for no limit."""
    if seconds is None:
        return None
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= DAY_SECONDS:  # NaN is not either
        raise ValueError(f"{name} must be a number of seconds up to {DAY_SECONDS}{or_none}, not {seconds!r}")
    return math.ceil(float(seconds) * 1000)


def policy(value: str) -> OnCorrupt:
    """What to do at a record that cannot be decoded."""
    try:
        return OnCorrupt(value)
    except ValueError:
        raise ValueError(f'on_corrupt must be "raise" or "skip", not {value!r}') from None


CorruptPolicy = Literal["raise", "skip"]
