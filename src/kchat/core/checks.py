"""Checks of arguments: a wrong call is a ValueError that names the argument."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attrs import Attribute


_LEGAL_NAME = re.compile(r"[a-zA-Z0-9._-]{1,249}")


def is_legal_name(name: object) -> bool:
    """Whether Kafka takes this for a topic (`Topic.validate`)."""
    return isinstance(name, str) and _LEGAL_NAME.fullmatch(name) is not None and name not in {".", ".."}


def group_name(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """A validator for attrs: a consumer group that the client takes as it is.

    It ends the process on a blank one or a lone surrogate, cuts at a NUL and trims white space (measured).
    """
    sound = isinstance(value, str) and value == value.strip() != "" and "\0" not in value
    if not sound or any("\ud800" <= character <= "\udfff" for character in str(value)):
        raise ValueError(f"{attribute.name} must be a name without white space around it, not {value!a}")


def legal_name(_: object, attribute: "Attribute[Any]", value: object) -> None:
    """A validator for attrs: a topic. The client ends the process on a lone surrogate in its name."""
    if not is_legal_name(value):
        raise ValueError(
            f"{attribute.name} must be 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', not {value!a}"
        )


def whole_number(
    minimum: int, *, maximum: int = (1 << 63) - 1
) -> Callable[[Any, "Attribute[Any]", Any], None]:
    """A validator for attrs: an int within bounds. True, 5.0 and "5" are none."""

    def check(_: object, attribute: "Attribute[Any]", value: object) -> None:
        if type(value) is not int or not minimum <= value <= maximum:
            raise ValueError(
                f"{attribute.name} must be a whole number from {minimum} to {maximum}, not {value!r}"
            )

    return check
