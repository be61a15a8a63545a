"""Reads JSON Lines: what `kchat export` wrote, and bare messages, as `message_to_dict` makes them."""

import json
from collections.abc import Iterator
from typing import IO, Any

from attrs import define, frozen

from kchat.cli.formats.entries import Source, Sourced, Unusable
from kchat.cli.formats.jsonl_writer import VERSION, VERSION_FIELD
from kchat.cli.identity import digest, kept_id, placed_id
from kchat.core import DECODE_ERRORS, Corrupt, JsonDecoder, Message, Record

LINE_BYTES_MAX = 64 << 20
"""A line beyond this is no message of Kafka's, and is not taken into memory."""


@frozen
class Head:
    """What the first line of an export says."""

    topic: str = ""
    topic_id: str | None = None


@define
class _Reading:
    """Where the reader is in the file."""

    head: Head | None = None
    lines: int = 0
    ended: bool = False


def read(file: IO[bytes]) -> Iterator[Source]:
    """The messages of the file, and what in it is none."""
    state = _Reading()
    for number, line in _lines(file):
        where = f"line {number}"
        found = Unusable(where, "it is too long") if line is None else _read_line(state, where, line)
        if found is not None:
            yield found
    if state.head is not None and not state.ended:
        yield Unusable(f"after line {state.lines + 1}", "the file was cut short: its last line is missing")


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Each line that is not empty; None in the place of one that is too long."""
    number = 0
    while line := file.readline(LINE_BYTES_MAX):
        number += 1
        whole = line.endswith(b"\n") or len(line) < LINE_BYTES_MAX
        while not whole:
            rest = file.readline(LINE_BYTES_MAX)
            whole = rest.endswith(b"\n") or len(rest) < LINE_BYTES_MAX
            line = b""
        if not line:
            yield number, None
        elif line.strip():
            yield number, line


def _read_line(state: _Reading, where: str, line: bytes) -> Source | None:
    try:
        document = json.loads(line)
    except DECODE_ERRORS:
        return Unusable(where, "it is not JSON")
    if not isinstance(document, dict):
        return Unusable(where, "it is no JSON object")
    if VERSION_FIELD in document:
        return _begin(state, where, document)
    if state.head is not None and set(document) == {"end"}:
        return _end(state, where, document["end"])
    state.lines += 1
    if "corrupt" in document:
        return Unusable(where, "it is a record that was no message where it was exported")
    return _message(state, where, document)


def _begin(state: _Reading, where: str, document: dict[str, Any]) -> Unusable | None:
    version, topic, topic_id = (document.get(name) for name in (VERSION_FIELD, "topic", "topic_id"))
    state.head, state.lines, state.ended = Head(), 0, False
    if type(version) is not int or not 1 <= version <= VERSION:
        return Unusable(where, "its version is not known to this version of kchat; upgrade it")
    state.head = Head(
        topic if isinstance(topic, str) else "", topic_id if isinstance(topic_id, str) else None
    )
    return None


def _end(state: _Reading, where: str, count: object) -> Unusable | None:
    state.ended = True
    if count == state.lines:
        return None
    return Unusable(where, "it tells of another number of lines than there are: some are missing")


def _message(state: _Reading, where: str, document: dict[str, Any]) -> Source:
    envelope = document.get("message") if state.head is not None else document
    message = decoded(envelope)
    if isinstance(message, Corrupt):
        return Unusable(where, message.reason)
    timed = state.head is not None and document.get("time") is not None
    return Sourced(where, message, _source_id(state.head, document, message), timed=timed)


def _source_id(head: Head | None, document: dict[str, Any], message: Message) -> str | None:
    if head is None:
        return None
    known = kept_id(document.get("id"))
    partition, offset = document.get("partition"), document.get("offset")
    if known is not None or type(partition) is not int or type(offset) is not int or not head.topic:
        return known
    return placed_id(head.topic, head.topic_id, partition, offset, digest(message))


def decoded(envelope: object) -> Message | Corrupt:
    """The message of an envelope, as the codec would read it from a record."""
    # By the codec itself, so that nothing is imported that a reader would not take.
    return JsonDecoder().decode(Record(0, 0, 0, None, json.dumps(envelope).encode()))
