"""`AsyncKafkaLog`: what an event loop needs of a `KafkaLog`."""

from collections.abc import Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self

from kchat.conversation import AsyncConversation, async_conversation
from kchat.conversation.making import SETTINGS_DEFAULT
from kchat.core import Message, OnCorrupt, Sealed, TopicSettings
from kchat.io.capabilities import APACHE_KAFKA, Capabilities
from kchat.io.log import KafkaLog


class AsyncKafkaLog:
    """A log on a Kafka cluster for an event loop: its conversations are awaited.

    Args:
        config: librdkafka's properties, as for `KafkaLog`.
        capabilities: what the broker can do; the default is Apache Kafka.

    Attributes:
        log: the log beneath, with both faces; closing one closes the other.

    Raises:
        InvalidConfig: a property is refused, or no servers are named.
    """

    def __init__(self, config: Mapping[str, Any], *, capabilities: Capabilities = APACHE_KAFKA) -> None:
        sealed = Sealed(config)
        del config
        self.log: KafkaLog = KafkaLog(sealed.content, capabilities=capabilities)

    def __repr__(self) -> str:
        return f"<AsyncKafkaLog on {self.log!r}>" if hasattr(self, "log") else "<AsyncKafkaLog>"

    def conversation(
        self,
        session_id: str,
        *,
        settings: TopicSettings | None = SETTINGS_DEFAULT,
        on_corrupt: OnCorrupt = OnCorrupt.RAISE,
        max_age: timedelta | None = None,
    ) -> AsyncConversation[Message]:
        """One session: `kchat.conversation.conversation` says more. It asks nothing."""
        return async_conversation(
            self.log, session_id, settings=settings, on_corrupt=on_corrupt, max_age=max_age
        )

    async def aclose(self) -> None:
        """End the clients and the threads. Followers end, reads under way end with `Closed`."""
        await self.log.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
