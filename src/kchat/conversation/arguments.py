"""Arguments of a conversation's calls in the core's units. What makes no sense is a ValueError."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from kchat.core import ChatPosition, InvalidPosition, Log
from kchat.core.checks import shown

DAY_SECONDS = 86_400
CURSOR_NAME_MAX = 200
"""Characters of a cursor's name: with the topic's it stays far below Kafka's limit of a string."""

OFFSET_MAX = (1 << 63) - 1
"""Kafka's offsets have 64 bits: no log has more. It is `sys.maxsize`, which some give to mean all."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def log_of(log: Any) -> Log:
    """What reads and appends; not the address of one."""
    if not all(hasattr(log, name) for name in ("read", "append", "provision", "record_bytes_max")):
        raise ValueError(f"log must be a KafkaLog or a FakeBroker, not {type(log).__name__}")
    checked: Log = log
    return checked


def whole(value: int, name: str, minimum: int = 0, maximum: int = OFFSET_MAX, *, or_else: str = "") -> int:
    """A whole number that Kafka can count to; `or_else`: what else may be given, for the error."""
    if type(value) is not int or not minimum <= value <= maximum:
        raise ValueError(
            f"{name} must be a whole number from {minimum} to {maximum}{or_else}, not {shown(value)}"
        )
    return value


def switch(value: bool, name: str) -> bool:
    """True or False; not a word for one."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, not {shown(value)}")
    return value


def milliseconds(seconds: Any, name: str, *, or_else: str = "") -> int:
    """A time limit in whole milliseconds, rounded up."""
    number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    if not number or not 0 <= seconds <= DAY_SECONDS:  # NaN is not either
        most = f"up to {DAY_SECONDS}{or_else}"
        raise ValueError(f"{name} must be a number of seconds {most}, not {shown(seconds)}")
    return math.ceil(float(seconds) * 1000)


def timestamp(when: Any, name: str) -> int:
    """A moment as a record timestamp of Kafka's: both are cut to milliseconds."""
    if not isinstance(when, datetime):
        raise ValueError(f"{name} must be a datetime, not {shown(when)}")
    if when.utcoffset() is None:
        raise ValueError(f"{name} must have a time zone: datetime.now(timezone.utc), not datetime.now()")
    return max(0, (when - EPOCH) // timedelta(milliseconds=1))


def age(max_age: Any) -> int | None:
    """How old a message may be, in milliseconds; None for any age."""
    if max_age is None:
        return None
    if not isinstance(max_age, timedelta) or max_age <= timedelta(0):
        raise ValueError(f"max_age must be a timedelta above 0, or None, not {shown(max_age)}")
    return max(1, max_age // timedelta(milliseconds=1))


def oldest_ms(timestamp_ms: int, max_age_ms: int) -> int:
    """The oldest timestamp that is shown."""
    return max(0, timestamp_ms - max_age_ms)


def position_of(session: str, position: Any) -> ChatPosition:
    """A position of this session."""
    if not isinstance(position, ChatPosition):
        raise InvalidPosition(
            f"a position is a ChatPosition, not {shown(position)}",
            session=session,
            next_step="use ChatPosition.parse for one that was stored as text",
        )
    if position.session != session:
        raise InvalidPosition(
            f"this is a position of another session, {shown(position.session)}",
            session=session,
            next_step="use it with the conversation that it came from",
        )
    if not position.is_sound:
        raise InvalidPosition(
            "this position was built by hand, and stands nowhere",
            session=session,
            next_step="use one of a page or an entry, or ChatPosition.parse",
        )
    return position


def cursor_name(name: Any) -> str:
    """The name of a cursor: any text that a consumer group's name can hold."""
    sound = type(name) is str and name == name.strip() != "" and len(name) <= CURSOR_NAME_MAX
    if not sound or not name.isprintable() or any("\ud800" <= c <= "\udfff" for c in name):
        raise ValueError(
            f"a cursor's name is up to {CURSOR_NAME_MAX} printable characters without white space around"
            f" them, not {shown(name)}"
        )
    return str(name)
