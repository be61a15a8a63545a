"""The class that kchat succeeds."""

import warnings
from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from bench.contenders.names import OLD

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it is sunset: that is why it is compared
    from langchain_community.chat_message_histories.kafka import KafkaChatMessageHistory

READ_SECONDS = 5.0
"""Its own default. It cannot know that it is at the end, and takes the whole time."""


class OldConversation:
    """One history of the old class."""

    def __init__(self, session: str, bootstrap: str) -> None:
        self._history = KafkaChatMessageHistory(session, bootstrap)

    def append(self, messages: Sequence[BaseMessage]) -> None:
        """`add_messages`."""
        self._history.add_messages(messages)

    def fill(self, messages: Sequence[BaseMessage]) -> None:
        """`append`."""
        self.append(messages)

    def read(self, count: int) -> list[BaseMessage]:
        """So many messages from its place on, which moves; it ends at once when it has them."""
        return list(self._history.messages_from_last_consumed(count, READ_SECONDS))

    def next_ones(self) -> list[BaseMessage]:
        """`messages`: the next five."""
        return list(self._history.messages)

    def replay(self) -> list[BaseMessage]:
        """All from the beginning; it has to be given a time, since nobody knows the count."""
        return list(self._history.messages_from_beginning(None, READ_SECONDS))

    def close(self) -> None:
        """It has nothing to close."""


class Old:
    """langchain_community's class; it makes its clients anew for each history."""

    name = OLD

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap

    def open(self, session: str) -> OldConversation:
        """A new history; this makes the topic where it is missing."""
        return OldConversation(session, self._bootstrap)

    def close(self) -> None:
        """It keeps nothing."""
