"""Makes the conversations of a log, for `KafkaLog.conversation` and for whoever has another log."""

from datetime import timedelta

from kchat.conversation import arguments
from kchat.conversation.aio import AsyncConversation
from kchat.conversation.asking import Asking
from kchat.conversation.ids import new_message_id
from kchat.conversation.remembering import memory_of
from kchat.conversation.sync import Conversation
from kchat.core import (
    JsonDecoder,
    Log,
    Message,
    NewRecord,
    OnCorrupt,
    TopicSettings,
    Unstorable,
    encode,
    place,
)
from kchat.core.checks import shown

SETTINGS_DEFAULT = TopicSettings()
DECODER = JsonDecoder()


def conversation(
    log: Log,
    session_id: str,
    *,
    settings: TopicSettings | None = SETTINGS_DEFAULT,
    on_corrupt: OnCorrupt = OnCorrupt.RAISE,
    max_age: timedelta | None = None,
) -> Conversation[Message]:
    """One session of this log, by blocking calls. Building one asks nothing.

    Args:
        log: where it is.
        session_id: names it. A legal topic name is the topic; any other text is escaped.
        settings: create a missing topic with these at the first append; None: a missing topic is an error.
        on_corrupt: end a read at a record that is no message, or read around it and report it.
        max_age: show no message whose record timestamp is older, exact to the millisecond. Kafka's own
            retention drops whole segments, much later.

    Raises:
        InvalidSessionId: the id cannot be a topic. It is a ValueError.
        ValueError: another argument makes no sense.
    """
    return Conversation(log, _asking(log, session_id, settings, on_corrupt, max_age))


def async_conversation(
    log: Log,
    session_id: str,
    *,
    settings: TopicSettings | None = SETTINGS_DEFAULT,
    on_corrupt: OnCorrupt = OnCorrupt.RAISE,
    max_age: timedelta | None = None,
) -> AsyncConversation[Message]:
    """`conversation`, for an event loop: its calls are awaited."""
    return AsyncConversation(log, _asking(log, session_id, settings, on_corrupt, max_age))


def _asking(
    log: Log,
    session_id: str,
    settings: TopicSettings | None,
    on_corrupt: OnCorrupt,
    max_age: timedelta | None,
) -> Asking[Message]:
    log, placement = arguments.log_of(log), place(session_id)
    for name, value, kinds in (
        ("settings", settings, TopicSettings | None),
        ("on_corrupt", on_corrupt, OnCorrupt),
    ):
        if not isinstance(value, kinds):
            raise ValueError(f"{name} is none: {shown(value)}")

    def encode_one(message: object) -> NewRecord | Unstorable:
        if not isinstance(message, Message):
            return Unstorable("", f"an object of type {type(message).__name__} is no kchat.core.Message")
        return encode(message, key=placement.key, message_id=new_message_id())

    return Asking(
        session=session_id,
        placement=placement,
        settings=settings,
        decoder=DECODER,
        encode=encode_one,
        on_corrupt=on_corrupt,
        max_age_ms=arguments.age(max_age),
        timestamp_ms=lambda: log.timestamp_ms,
        memory=memory_of(log, placement, DECODER),
    )
