"""langchain_community's history in Redis."""

import json
import warnings
from collections.abc import Sequence

from langchain_core.messages import BaseMessage, message_to_dict

from bench.contenders.names import REDIS

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from langchain_community.chat_message_histories import RedisChatMessageHistory


class RedisConversation:
    """One list. It makes a client for each history, so that is made, and connected, before the run."""

    def __init__(self, session: str, url: str) -> None:
        self._history = RedisChatMessageHistory(session, url=url)
        self._history.redis_client.ping()

    def append(self, messages: Sequence[BaseMessage]) -> None:
        """`add_messages`."""
        self._history.add_messages(messages)

    def fill(self, messages: Sequence[BaseMessage]) -> None:
        """What `add_messages` writes, in one command: message by message 10,000 take a minute."""
        self._history.redis_client.lpush(
            self._history.key, *(json.dumps(message_to_dict(message)) for message in messages)
        )

    def replay(self) -> list[BaseMessage]:
        """`messages`."""
        return list(self._history.messages)

    def close(self) -> None:
        """Its client."""
        self._history.redis_client.close()


class Redis:
    """RedisChatMessageHistory."""

    name = REDIS

    def __init__(self, url: str) -> None:
        self._url = url

    def open(self, session: str) -> RedisConversation:
        """A new history with a client of its own."""
        return RedisConversation(session, self._url)

    def close(self) -> None:
        """It keeps nothing."""
