"""Checks of arguments: a wrong call is a ValueError that names the argument."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attrs import Attribute


_SURROGATE = re.compile("[\ud800-\udfff]")
_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")

SHOWN_MAX = 100
"""How much of a wrong string an error shows."""

KAFKA_TOPICS = frozenset(
    {
        "__consumer_offsets",
        "__transaction_state",
        "__share_group_state",
        "__cluster_metadata",
        "__remote_log_metadata",
    }
)
"""Kafka's own topics: no session is in them, and no request may name them."""


def is_legal_name(name: object) -> bool:
    """Whether Kafka takes this for a topic (`Topic.validate`)."""
    # A subclass of str can be equal to what it is not, and hash as something else.
    return type(name) is str and _LEGAL_NAME.fullmatch(name) is not None and name not in {".", ".."}


def group_name(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """A validator for attrs: a consumer group that the client takes as it is.

    It ends the process on a blank one or a lone surrogate, cuts at a NUL and trims white space (measured).
    """
    sound = type(value) is str and value == value.strip() != "" and "\0" not in value
    if not sound or _SURROGATE.search(str(value)) is not None:
        raise ValueError(f"{attribute.name} must be a name without white space around it, not {shown(value)}")


def legal_name(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """A validator for attrs: a topic. The client ends the process on a lone surrogate in its name."""
    if not is_legal_name(value):
        legal = "1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-'"
        raise ValueError(f"{attribute.name} must be {legal}, not {shown(value)}")
    if value in KAFKA_TOPICS:
        raise ValueError(f"{attribute.name} must be a topic of sessions, not Kafka's own {value}")


def shown(value: object) -> str:
    """A wrong value, for an error: a short string or number itself, anything else by its type.

    The repr of any object may be endless, fail, or do what it likes.
    """
    if type(value) is str:
        return ascii(value) if len(value) <= SHOWN_MAX else f"{value[:SHOWN_MAX]!a}..."
    if value is None or type(value) in {bool, float} or (type(value) is int and abs(value) < 1 << 70):
        return repr(value)
    return f"a value of type {type(value).__name__}"


def instance(kind: type) -> Callable[[Any, "Attribute[Any]", Any], None]:
    """A validator for attrs: a value of this type. That of attrs shows a wrong one, whose repr may fail.

    It raises TypeError, as that does.
    """

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if not isinstance(value, kind):
            raise TypeError(f"{attribute.name} must be of the type {kind.__name__}, not {shown(value)}")

    return check


def whole_number(
    minimum: int, *, maximum: int = (1 << 63) - 1
) -> Callable[[Any, "Attribute[Any]", Any], None]:
    """A validator for attrs: an int within bounds. True, 5.0 and "5" are none."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if type(value) is not int or not minimum <= value <= maximum:
            raise ValueError(
                f"{attribute.name} must be a whole number from {minimum} to {maximum}, not {shown(value)}"
            )

    return check
