"""Records to messages and back, without LangChain (docs/adr/0003-wire-format.md).

A value is UTF-8 JSON `{"type": ..., "data": {...}}`, what LangChain's `message_to_dict` gives, written by the
standard library's json: the faster ones turn NaN into null. Reading may be faster (fast_json.py).
"""

import json

from attrs import frozen

from kchat.core.failures import Corrupt
from kchat.core.fast_json import parse
from kchat.core.json_values import Unstorable, find_unstorable
from kchat.core.log import NewRecord, Record
from kchat.core.message import Message
from kchat.core.wire import (
    FORMAT_VERSION,
    HEADER_ID,
    HEADER_VERSION,
    INT_DIGITS_MAX,
    MESSAGE_TYPES,
    REMOVE_ALL,
    is_removal,
)

DECODE_ERRORS = (ValueError, TypeError, KeyError, AttributeError, RecursionError)
"""What parsing hostile bytes raises; each becomes one `Corrupt`."""

_WRITER = json.JSONEncoder(ensure_ascii=True, allow_nan=False)
"""ensure_ascii keeps lone surrogates, which UTF-8 cannot; allow_nan is a second lock on the same door."""


_VERSION = (HEADER_VERSION, str(FORMAT_VERSION).encode())


class _ToldError(ValueError):
    """Carries a sentence that is safe to show: it quotes no content."""


def encode(
    message: Message, *, key: bytes, message_id: str, allowed_types: frozenset[str] = MESSAGE_TYPES
) -> NewRecord | Unstorable:
    """The record of a message, or the first value in it that would not read back equal.

    Args:
        message: what to store.
        key: the record's key, the session id: it keeps the session in one partition.
        message_id: unique for this append; a resent record carries the same one.
        allowed_types: refuse the other types; it narrows what is written, and cannot widen it.
    """
    _check_types(message, message_id)
    refused = type_fault(message.type, allowed_types)
    if refused is not None:
        return Unstorable(".type", refused)
    fault = find_unstorable(message.data) or _removal_fault(message)
    if fault is not None:
        return fault
    return written(message, key=key, message_id=message_id)


def _removal_fault(message: Message) -> Unstorable | None:
    """A marker that would be stored and remove nothing: whoever appends it believes otherwise."""
    if is_removal(message) and message.data.get("id") == REMOVE_ALL:
        return Unstorable(".id", f"{REMOVE_ALL} removes nothing here; clear(keep_topic=True) removes all")
    return None


def written(message: Message, *, key: bytes, message_id: str) -> NewRecord:
    """The record of a message whose values are known to read back equal, and whose type is allowed."""
    value = _WRITER.encode({"type": message.type, "data": message.data}).encode()
    return NewRecord(key=key, value=value, headers=(_VERSION, (HEADER_ID, message_id.encode())))


def _check_types(message: object, message_id: object) -> None:
    if not isinstance(message, Message) or not isinstance(message_id, str):
        raise TypeError(
            f"encode takes a Message and a str, not {type(message).__name__}, {type(message_id).__name__}"
        )


def type_fault(message_type: str, allowed_types: frozenset[str]) -> str | None:
    """Why a message of this type is neither written nor read, or None where it is allowed.

    A type is quoted only where it is one of LangChain's: any other may be content.
    """
    if message_type not in MESSAGE_TYPES:
        return "its type is none of the known message types"
    if message_type not in allowed_types:
        return f"type {message_type!r} is not among the allowed types"
    return None


@frozen
class JsonDecoder:
    """Decodes records to neutral messages. `allowed_types` narrows what is read; it cannot widen it.

    A record of another type is corrupt: the read ends at it or skips it, as the request says.
    """

    allowed_types: frozenset[str] = MESSAGE_TYPES

    def decode(self, record: Record) -> Message | Corrupt:
        """The message of a record, or the rule that the record breaks. Never raises on any bytes."""
        try:
            return self._decode(record)
        except DECODE_ERRORS as error:
            return Corrupt(record.partition, record.offset, decoding_fault(error))

    def _decode(self, record: Record) -> Message:
        version = record.header(HEADER_VERSION)
        if version is not None and not _is_known(version):
            raise _ToldError(
                "written in a format that this version of kchat does not know; upgrade the reader"
            )
        if record.value is None:
            raise _ToldError("no value (a tombstone)")
        parsed = parse(record.value)
        if not isinstance(parsed, dict):
            raise _ToldError(f"a JSON {_json_name(parsed)}, not an object with type and data")
        kind, data = parsed["type"], parsed["data"]
        # In the order of what the refusal says: a type that is no string is not looked up.
        if not isinstance(kind, str):
            raise _ToldError(f"type is a JSON {_json_name(kind)}, not a string")
        if not isinstance(data, dict):
            raise _ToldError(f"data is a JSON {_json_name(data)}, not an object")
        refused = type_fault(kind, self.allowed_types)
        if refused is not None:
            raise _ToldError(refused)
        return Message(kind, data)


_JSON_NAMES = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}


def _json_name(value: object) -> str:
    """What JSON calls the kind of a value."""
    return _JSON_NAMES.get(type(value), "number")


def _is_known(version: bytes) -> bool:
    if version == _VERSION[1]:
        return True
    return version.isdigit() and len(version) < 10 and int(version) <= FORMAT_VERSION


def decoding_fault(error: Exception) -> str:
    """What a decoding error says, without the content that its own text may quote."""
    match error:
        case _ToldError():
            return str(error)
        case json.JSONDecodeError(pos=position):
            return f"not JSON, at character {position}"
        case UnicodeDecodeError(start=start):
            return f"not UTF-8, at byte {start}"
        case KeyError():
            return "type or data is missing"
        case RecursionError():
            return "nested too deeply"
        case ValueError():
            return f"a number in it has more than {INT_DIGITS_MAX:,} digits"  # all else that json refuses
        case _:
            return "its fields are not those of a message"
