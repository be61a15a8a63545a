"""Records that are no messages, and some that look so and are: what a foreign program may have written."""

import json
from typing import Any

from attrs import frozen

from kchat.core import HEADER_ID, HEADER_VERSION, Headers

GOOD = b'{"type": "human", "data": {"content": "foreign", "additional_kwargs": {}, "response_metadata": {}}}'
LARGE = b"x" * 900_000


@frozen
class Poison:
    """A foreign record. `text` is the content of the message that it is, or None where it is none."""

    name: str
    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    text: str | None = None
    raw_headers: tuple[tuple[bytes, bytes], ...] = ()
    """Headers that only a client of another language can write; `key` and `headers` are then left out."""


def _envelope(type_: Any = "human", **data: Any) -> bytes:
    return json.dumps({"type": type_, "data": data}).encode()


VALUES: dict[str, bytes | None] = {
    "tombstone": None,
    "empty": b"",
    "blank": b" \n\t",
    "NUL": b"\0",
    "invalid UTF-8": b"\xff\xfe{}",
    "UTF-8 of a surrogate": b'{"type": "human", "data": {"content": "\xed\xa0\x80"}}',
    "UTF-16": GOOD.decode().encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "truncated": GOOD[:40],
    "two values": GOOD + GOOD,
    "trailing comma": GOOD[:-1] + b",}",
    "random bytes": bytes(range(256)) * 4,
    "large": LARGE,
    "null": b"null",
    "number": b"5",
    "text": b'"human"',
    "list": b"[" + GOOD + b"]",
    "list of pairs": b'[["type", "human"], ["data", {}]]',
    "no type": b'{"data": {"content": "x"}}',
    "no data": b'{"type": "human"}',
    "no content": _envelope(),
    "type is null": _envelope(None, content="x"),
    "type is a number": _envelope(5, content="x"),
    "type is a list": _envelope(["human"], content="x"),
    "unknown type": _envelope("hooman", content="x"),
    "type of a class": _envelope("HumanMessage", content="x"),
    "data is null": b'{"type": "human", "data": null}',
    "data is a list": b'{"type": "human", "data": ["content"]}',
    "data is text": b'{"type": "human", "data": "content"}',
    "content is null": _envelope(content=None),
    "content is a number": _envelope(content=5),
    "content is an object": _envelope(content={"a": 1}),
    "tool call without a name": _envelope("ai", content="", tool_calls=[{"args": {}}]),
    "tool calls are text": _envelope("ai", content="", tool_calls="f"),
    "tool message without a call": _envelope("tool", content="x"),
    "chat without a role": _envelope("chat", content="x"),
    "constructor": b'{"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}}',
    "deep list": b"[" * 100_000 + b"]" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep data": b'{"type": "human", "data": {"content": ' + b"[" * 50_000 + b"]" * 50_000 + b"}}",
    "huge int": b'{"type": "human", "data": {"content": "x", "n": ' + b"9" * 5_000 + b"}}",
    "pickle": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
}
"""Bytes that are no message."""

MESSAGES: dict[str, bytes] = {
    "doubled keys": GOOD[:-1] + b', "type": "human"}',
    "unknown fields": GOOD[:-1] + b', "more": [1, {"a": null}]}',
    "spaces": b"  " + GOOD.replace(b":", b" : ") + b"\n",
}
"""Unusual bytes that are the message "foreign"."""

HEADERS: dict[str, Headers] = {
    "no headers": (),
    "id is None": ((HEADER_ID, None),),
    "id is empty": ((HEADER_ID, b""),),
    "id is large": ((HEADER_ID, b"1" * 900_000),),
    "id is no UTF-8": ((HEADER_ID, b"\xff\xfe\0"),),
    "id has a newline": ((HEADER_ID, b"abc\n"),),
    "id twice": ((HEADER_ID, b"one"), (HEADER_ID, b"two")),
    "id with commas": ((HEADER_ID, b"a,b,c"),),
    "version 1 twice": ((HEADER_VERSION, b"1"), (HEADER_VERSION, b"99")),
    "version 0": ((HEADER_VERSION, b"0"),),
    "many": tuple((f"h{n}", b"v") for n in range(2_000)),
    "foreign": (("", b"x"), ("traceparent", None), ("kchat", b"\xff"), ("KCHAT-V", b"7")),
}
"""Headers beside which a good value is a message."""

RAW_HEADERS = {
    "no UTF-8": ((b"\xff\xfe", b"v"),),
    "a surrogate": ((b"\xed\xa0\x80", b"v"), (b"b", b"v")),
    "almost ours": ((b"kchat-\xff", b"1"), (b"kchat-v", b"1")),
    "NUL inside": ((b"kchat-id\0x", b"1"),),
}
"""Header names in bytes of any kind: Kafka takes them, and Python's client stumbles."""

VERSIONS = (b"", b"2", b"99", b"-1", b"+1", b"1.0", b" 1", b"9" * 4_400, b"\xff", "\u0661".encode())
"""What `kchat-v` may say so that the reader is too old for the record."""

KEYS = {"empty": b"", "foreign": b"another session", "no UTF-8": b"\xff\xfe", "large": LARGE}


def all_poisons(neighbour_id: bytes) -> tuple[Poison, ...]:
    """Every case.

    Args:
        neighbour_id: the `kchat-id` of a good record of the same session; garbage that carries it must not
            stand for that record.
    """
    forged = ((HEADER_VERSION, b"1"), (HEADER_ID, neighbour_id))
    return (
        *(Poison(f"value: {name}", value) for name, value in VALUES.items()),
        *(
            Poison(f"value with a neighbour's id: {name}", VALUES[name], None, forged)
            for name in ("tombstone", "empty", "truncated", "unknown type", "deep list")
        ),
        *(
            Poison(f"version: {version[:9]!r}", GOOD, None, ((HEADER_VERSION, version),))
            for version in VERSIONS
        ),
        *(Poison(f"message: {name}", value, text="foreign") for name, value in MESSAGES.items()),
        *(Poison(f"headers: {name}", GOOD, None, found, "foreign") for name, found in HEADERS.items()),
        *(Poison(f"key: {name}", GOOD, key, (), "foreign") for name, key in KEYS.items()),
        *(
            Poison(f"header name: {name}", GOOD, None, (), "foreign", raw)
            for name, raw in RAW_HEADERS.items()
        ),
    )
