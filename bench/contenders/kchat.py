"""kchat, as the README tells people to use it."""

from collections.abc import Sequence

from langchain_core.messages import BaseMessage

from bench.contenders.names import KCHAT, KCHAT_CURSOR
from kchat.langchain import KafkaChatMessageHistory

FILLED_AT_ONCE = 10_000


class KchatConversation:
    """One history."""

    def __init__(self, history: KafkaChatMessageHistory) -> None:
        self.history = history

    def append(self, messages: Sequence[BaseMessage]) -> None:
        """`add_messages`."""
        self.history.add_messages(messages)

    def fill(self, messages: Sequence[BaseMessage]) -> None:
        """`add_messages`, with time."""
        for first in range(0, len(messages), FILLED_AT_ONCE):
            self.history.add_messages(messages[first : first + FILLED_AT_ONCE], flush_timeout_seconds=60.0)

    def replay(self) -> list[BaseMessage]:
        """`messages`: the whole conversation, or the next five of it where a cursor is kept."""
        return self.history.messages

    def close(self) -> None:
        """Its share of the connections; another history keeps them open."""
        self.history.close()


class Kchat:
    """kchat with `replay=True`, or reading from the session's cursor."""

    def __init__(self, bootstrap: str, *, cursor: bool = False) -> None:
        self._bootstrap = bootstrap
        self._cursor = cursor
        # Histories of equal settings share their clients: as long as this one is open they stay warm.
        self._keeper = KafkaChatMessageHistory("keeper", bootstrap)

    @property
    def name(self) -> str:
        """As in `names`."""
        return KCHAT_CURSOR if self._cursor else KCHAT

    def open(self, session: str) -> KchatConversation:
        """A new history, which has decoded nothing yet."""
        return KchatConversation(KafkaChatMessageHistory(session, self._bootstrap, replay=not self._cursor))

    def close(self) -> None:
        """The last share of the connections."""
        self._keeper.close()
