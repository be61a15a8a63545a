"""LangChain's messages to records and back: the core's codec, and LangChain's classes on top of it."""

from collections.abc import Callable
from functools import lru_cache

from attrs import field, frozen
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
    message_to_dict,
)

from kchat.core import (
    DECODE_ERRORS,
    MESSAGE_TYPES,
    Corrupt,
    JsonDecoder,
    Message,
    NewRecord,
    Record,
    Unstorable,
    encode,
    find_unstorable,
)
from kchat.core.checks import instance
from kchat.core.codec import type_fault, written
from kchat.core.wire import REMOVE_TYPE
from kchat.langchain.chunks import made
from kchat.langchain.faults import fields_of, langchain_fault
from kchat.langchain.plain import made_plain, stored_plain

MESSAGE_CLASSES: frozenset[type[BaseMessage]] = frozenset(
    {
        AIMessage,
        AIMessageChunk,
        ChatMessage,
        ChatMessageChunk,
        FunctionMessage,
        FunctionMessageChunk,
        HumanMessage,
        HumanMessageChunk,
        RemoveMessage,
        SystemMessage,
        SystemMessageChunk,
        ToolMessage,
        ToolMessageChunk,
    }
)
"""What `messages_from_dict` can make. A subclass would come back as another class: it is refused."""

_FIELDS = fields_of(MESSAGE_CLASSES)


@frozen
class LangChainDecoder:
    """Decodes records to LangChain's message classes; `JsonDecoder(allowed_types)` says which of them."""

    neutral: JsonDecoder = field(factory=JsonDecoder, validator=instance(JsonDecoder))

    def decode(self, record: Record) -> BaseMessage | Corrupt:
        """The message of a record, or the rule that the record breaks. Never raises on any bytes."""
        message = self.neutral.decode(record)
        if isinstance(message, Corrupt):
            return message
        try:
            plain = made_plain(message)
            return made(message) if plain is None else plain
        except DECODE_ERRORS as error:
            reason = langchain_fault(message, error, made, _FIELDS)
            return Corrupt(record.partition, record.offset, reason)


DECODER = LangChainDecoder()


@lru_cache(maxsize=32)  # a set of the types for each history was a quarter of what it holds
def decoder(allowed_types: frozenset[str]) -> LangChainDecoder:
    """What makes messages of the records of one session, if they are of these types.

    A removal is honoured whatever types are allowed: it is no message that anybody sees.
    """
    return LangChainDecoder(JsonDecoder(allowed_types | {REMOVE_TYPE}))


def encoder(
    key: bytes, new_id: Callable[[], str], allowed_types: frozenset[str] = MESSAGE_TYPES
) -> Callable[[BaseMessage], NewRecord | Unstorable]:
    """What makes records of the messages of one session.

    Args:
        key: the session's record key.
        new_id: gives another id at each call; it is the one impure thing here.
        allowed_types: refuse messages of other types.
    """

    def encode_one(message: BaseMessage) -> NewRecord | Unstorable:
        return _encode(message, key, new_id(), allowed_types)

    return encode_one


def _encode(
    message: BaseMessage, key: bytes, message_id: str, allowed_types: frozenset[str]
) -> NewRecord | Unstorable:
    if type(message) not in MESSAGE_CLASSES:
        return Unstorable("", _class_fault(message))
    plain = stored_plain(message)
    if plain is None:
        return _encode_judged(message, key, message_id, allowed_types)
    refused = type_fault(plain.type, allowed_types)
    if refused is not None:
        return Unstorable(".type", refused)
    return written(plain, key=key, message_id=message_id)


def _encode_judged(
    message: BaseMessage, key: bytes, message_id: str, allowed_types: frozenset[str]
) -> NewRecord | Unstorable:
    """The record of any message: it is decoded again, and compared."""
    # The fields themselves, not their dump: that would make a dict of a model or an object before it is seen.
    fault = find_unstorable({**vars(message), **(message.__pydantic_extra__ or {})})
    if fault is not None:
        return fault
    dumped = message_to_dict(message)
    neutral = Message(dumped["type"], dumped["data"])
    record = encode(neutral, key=key, message_id=message_id, allowed_types=allowed_types)
    if isinstance(record, Unstorable):
        return record
    back = DECODER.decode(Record(0, 0, 0, record.key, record.value, record.headers))
    if back != message:
        return Unstorable(_difference(message, back), "it would not read back equal")
    return record


def _class_fault(message: object) -> str:
    if not isinstance(message, BaseMessage):
        return f"an object of type {type(message).__name__} is no LangChain message"
    base = next((cls.__name__ for cls in type(message).__mro__ if cls in MESSAGE_CLASSES), "a known class")
    return f"{type(message).__name__} would be read back as another class; convert it to {base} first"


def _difference(message: BaseMessage, back: BaseMessage | Corrupt) -> str:
    """The first field that would change, as a path."""
    if isinstance(back, Corrupt):
        return ""
    changed = (name for name, value in vars(message).items() if getattr(back, name, None) != value)
    return next((f".{name}" for name in changed), "")
