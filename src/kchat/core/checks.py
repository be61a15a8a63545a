"""Checks of arguments: a wrong call is a ValueError that names the argument."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from attrs import Attribute


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
