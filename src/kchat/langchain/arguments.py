"""Arguments of the seed's API in the core's units. What makes no sense is a ValueError that names it."""

import math
from typing import Literal

from kchat.core import OnCorrupt

DAY_SECONDS = 86_400


def count(value: int | None, name: str) -> int | None:
    """A number of messages; None for no limit."""
    if value is None:
        return None
    if type(value) is not int or value < 0:
        raise ValueError(f"{name} must be a whole number from 0 on, or None for no limit, not {value!r}")
    return value


def milliseconds(seconds: float | None, name: str) -> int | None:
    """A time limit in whole milliseconds, rounded up; None for no limit."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError(f"{name} must be a number of seconds, or None for no limit, not {seconds!r}")
    if not 0 <= seconds <= DAY_SECONDS:  # NaN is not either
        raise ValueError(
            f"{name} must be between 0 and {DAY_SECONDS} seconds, or None for no limit, not {seconds!r}"
        )
    return math.ceil(seconds * 1000)


def policy(value: str) -> OnCorrupt:
    """What to do at a record that cannot be decoded."""
    try:
        return OnCorrupt(value)
    except ValueError:
        raise ValueError(f'on_corrupt must be "raise" or "skip", not {value!r}') from None


CorruptPolicy = Literal["raise", "skip"]
