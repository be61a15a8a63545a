"""The type of options and arguments that commands share."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

C = TypeVar("C", bound=Callable[..., Any])


class Decorator(Protocol):
    """Gives a command an option or an argument, and the command back."""

    def __call__(self, command: C, /) -> C:
        """The command with one more."""
