"""What all contenders share."""

from collections.abc import Sequence
from typing import Any, Protocol

from langchain_core.messages import BaseMessage


class Conversation(Protocol):
    """One session of a contender. It is made anew for each run, and remembers nothing of the run before."""

    def append(self, messages: Sequence[BaseMessage]) -> None:
        """Store messages; returns when they are safe, as far as the contender can tell."""

    def fill(self, messages: Sequence[BaseMessage]) -> None:
        """The same for many messages before a measurement, as quickly as it can be done."""

    def replay(self) -> list[Any]:
        """The whole conversation: messages, or for a raw client its records."""

    def close(self) -> None:
        """Give back what this conversation alone holds."""


class Contender(Protocol):
    """One way to keep chat conversations. Connections are its own and stay open between conversations."""

    @property
    def name(self) -> str:
        """As in `bench.contenders.names`."""

    def open(self, session: str) -> Conversation:
        """One session."""

    def close(self) -> None:
        """End the connections."""
