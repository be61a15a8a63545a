"""langchain_community's history in an SQL database: SQLite or PostgreSQL."""

import warnings
from collections.abc import Sequence

from langchain_core.messages import BaseMessage
from sqlalchemy import create_engine, text

from bench.contenders.names import POSTGRES, SQLITE

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from langchain_community.chat_message_histories import SQLChatMessageHistory

CONNECTIONS = 8


class SqlConversation:
    """One session."""

    def __init__(self, history: SQLChatMessageHistory) -> None:
        self._history = history

    def append(self, messages: Sequence[BaseMessage]) -> None:
        """`add_messages`: one transaction."""
        self._history.add_messages(messages)

    def fill(self, messages: Sequence[BaseMessage]) -> None:
        """`append`."""
        self.append(messages)

    def replay(self) -> list[BaseMessage]:
        """`messages`."""
        return list(self._history.messages)

    def close(self) -> None:
        """The connections are the engine's."""


class Sql:
    """SQLChatMessageHistory on one engine, whose connections stay open.

    Each session has a table of its own, which is the best case for it: its table has no index on the session,
    and is read through from end to end.
    """

    def __init__(self, url: str) -> None:
        self.name = SQLITE if url.startswith("sqlite") else POSTGRES
        self._engine = create_engine(url, pool_size=CONNECTIONS)

    def open(self, session: str) -> SqlConversation:
        """A new history; this makes the table where it is missing."""
        history = SQLChatMessageHistory(session, table_name=session, connection=self._engine)
        with self._engine.connect() as connection:
            connection.execute(text("select 1"))
        return SqlConversation(history)

    def close(self) -> None:
        """End the connections."""
        self._engine.dispose()
