"""Records and messages: what is written reads back, and bytes of any kind do no harm."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kchat.core import (
    FORMAT_VERSION,
    HEADER_ID,
    HEADER_VERSION,
    MESSAGE_TYPES,
    Corrupt,
    JsonDecoder,
    Message,
    NewRecord,
    Record,
    Unstorable,
    encode,
)
from tests.core.json_strategies import exactly, messages, objects, unstorable_scalars
from tests.core.parsers import each_parser

__all__ = ["each_parser"]

SECRET = "hunter2"
DECODER = JsonDecoder()


def encoded(message: Message, *, key: bytes = b"s", message_id: str = "id") -> NewRecord:
    record = encode(message, key=key, message_id=message_id)
    assert isinstance(record, NewRecord)
    return record


def stored(value: bytes | None, **headers: bytes | None) -> Record:
    named = tuple((name.replace("_", "-"), content) for name, content in headers.items())
    return Record(1, 7, 0, b"s", value, named)


def decode(value: bytes | None, **headers: bytes | None) -> Message | Corrupt:
    return DECODER.decode(stored(value, **headers))


@given(messages)
def test_what_is_written_reads_back_exactly(message: Message) -> None:
    record = encoded(message)
    read = DECODER.decode(Record(0, 0, 0, record.key, record.value, record.headers))
    assert isinstance(read, Message)
    assert (read.type, exactly(read.data)) == (message.type, exactly(message.data))


@given(messages, st.binary(max_size=8), st.text("abc", min_size=1))
def test_a_record_carries_its_key_its_version_and_its_id(
    message: Message, key: bytes, message_id: str
) -> None:
    record = encoded(message, key=key, message_id=message_id)
    assert record.key == key
    assert record.headers == ((HEADER_VERSION, b"1"), (HEADER_ID, message_id.encode()))
    assert json.loads(record.value) == {"type": message.type, "data": message.data}
    assert record.value.isascii()


def test_legal_depth_survives_the_way_there_and_back() -> None:
    data: Any = "deep"
    for _ in range(100):
        data = [data]
    assert DECODER.decode(stored(encoded(Message("ai", {"content": data})).value)) == Message(
        "ai", {"content": data}
    )


@given(objects, unstorable_scalars)
def test_what_would_not_read_back_is_refused_with_its_path(rest: dict[str, Any], wrong: Any) -> None:
    fault = encode(Message("human", {**rest, "kwargs": [0, {"x": wrong}]}), key=b"s", message_id="id")
    assert isinstance(fault, Unstorable)
    assert fault.path == ".kwargs[1].x"


@pytest.mark.parametrize("kind", ["", "Human", "constructor", "not_implemented"])
def test_an_unknown_type_is_refused_in_both_directions(kind: str) -> None:
    fault = encode(Message(kind, {}), key=b"s", message_id="id")
    assert isinstance(fault, Unstorable)
    assert fault.path == ".type"
    assert isinstance(decode(json.dumps({"type": kind, "data": {}}).encode()), Corrupt)


@pytest.mark.parametrize("kind", ["system", "SystemMessageChunk", SECRET])
def test_a_type_that_is_not_allowed_is_refused_in_both_directions_in_the_same_words(kind: str) -> None:
    allowed = frozenset({"human", "ai", SECRET})
    fault = encode(Message(kind, {}), key=b"s", message_id="id", allowed_types=allowed)
    corrupt = JsonDecoder(allowed).decode(stored(json.dumps({"type": kind, "data": {}}).encode()))
    assert isinstance(fault, Unstorable)
    assert isinstance(corrupt, Corrupt)
    assert fault.reason == corrupt.reason
    assert (kind in fault.reason) == (kind in MESSAGE_TYPES), "an unknown type may be content"


def test_allowed_types_narrow_what_is_read_and_cannot_widen_it() -> None:
    value = b'{"type": "ai", "data": {}}'
    assert isinstance(JsonDecoder(frozenset({"ai"})).decode(stored(value)), Message)
    assert isinstance(JsonDecoder(frozenset({"human"})).decode(stored(value)), Corrupt)
    wide = JsonDecoder(MESSAGE_TYPES | {"other"})
    assert isinstance(wide.decode(stored(b'{"type": "other", "data": {}}')), Corrupt)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "tombstone"),
        (b"", "not JSON, at character 0"),
        (b'{"type": "human"', "not JSON, at character 16"),
        (b"\xff\xfe", "not UTF-8, at byte 0"),
        (b"[]", "a JSON array, not an object"),
        (b"null", "a JSON null, not an object"),
        (b'{"type": "human"}', "type or data is missing"),
        (b'{"data": {}}', "type or data is missing"),
        (b'{"type": 5, "data": {}}', "type is a JSON number"),
        (b'{"type": null, "data": {}}', "type is a JSON null"),
        (b'{"type": "human", "data": []}', "data is a JSON array"),
        (b'{"type": "human", "data": "x"}', "data is a JSON string"),
        (b'{"type": "human", "data": {"n": ' + b"9" * 4_301 + b"}}", "more than 4,300 digits"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"type": "human", "data": {"x": ' + b"[" * 100_000, "nested too deeply"),
        (b'{"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {}}', "missing"),
        (b"\x80\x04\x95cos\nsystem\n.", "not UTF-8"),
    ],
)
def test_each_way_of_being_no_message_is_named(value: bytes | None, reason: str) -> None:
    corrupt = decode(value)
    assert isinstance(corrupt, Corrupt)
    assert (corrupt.partition, corrupt.offset) == (1, 7)
    assert reason in corrupt.reason


def test_what_a_reader_does_not_know_it_ignores() -> None:
    value = b'{"type": "human", "data": {"content": "x", "new_field": 1}, "more": 2}'
    message = decode(value, trace=b"\xff", kchat_v=b"1")
    assert message == Message("human", {"content": "x", "new_field": 1})


GOOD = b'{"type": "human", "data": {}}'


@pytest.mark.parametrize("version", [None, b"0", b"1", b"01", b"000000001"])
def test_known_versions_are_read(version: bytes | None) -> None:
    assert isinstance(decode(GOOD, kchat_v=version), Message)


@pytest.mark.parametrize(
    "version",
    [
        b"2",
        b"10",
        b"999999999999",
        b"0000000001",
        b"0000000002",
        b"9" * 5_000,
        b"",
        b"-1",
        b" 1",
        b"1.0",
        b"x",
        "²".encode(),
    ],
)
def test_a_version_that_is_not_known_is_corrupt_however_it_is_written(version: bytes) -> None:
    corrupt = decode(GOOD, kchat_v=version)
    assert isinstance(corrupt, Corrupt)
    assert "upgrade the reader" in corrupt.reason
    assert FORMAT_VERSION == 1


@given(st.binary(max_size=60), st.none() | st.binary(max_size=6))
@example(b'\xef\xbb\xbf{"type": "human", "data": {}}', None)
@example(b'{"type": "human", "data": {"content": NaN}}', None)
def test_any_bytes_give_a_message_or_a_corrupt_record(value: bytes, version: bytes | None) -> None:
    assert isinstance(decode(value, kchat_v=version), Message | Corrupt)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    value = bytearray(encoded(Message("human", {"content": SECRET, "id": None, "n": [1, {"a": 2.5}]})).value)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(value)))
        value[at : at + draw(st.integers(0, 5))] = draw(
            st.binary(max_size=4) | st.sampled_from([b'"', b"{", b"]"])
        )
    return bytes(value)


@given(mutated())
def test_a_damaged_record_gives_a_message_or_a_reason_that_quotes_nothing(value: bytes) -> None:
    read = decode(value)
    assert isinstance(read, Message | Corrupt)
    assert SECRET not in repr(read)


@given(
    st.recursive(
        st.just(SECRET),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "data", SECRET]), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_a_reason_never_quotes_what_is_json_but_no_message(value: Any) -> None:
    read = decode(json.dumps(value).encode())
    assert isinstance(read, Message | Corrupt)
    assert SECRET not in repr(read)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        (["a", {"type": "text", "text": "b"}, {"type": "image_url"}, {"text": 5}, 7], "ab"),
        (None, ""),
        ({}, ""),
    ],
)
def test_the_text_of_a_message_is_its_readable_part(content: Any, text: str) -> None:
    assert Message("ai", {"content": content}).text == text


def test_a_message_without_content_has_no_text() -> None:
    assert Message("remove", {}).text == ""
