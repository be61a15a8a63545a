"""Mutations of records: of their bytes, their JSON, their headers; all drawn from one seeded `Random`."""

import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from attrs import evolve

from kchat.core import HEADER_ID, HEADER_VERSION, MESSAGE_TYPES, Record

HUGE_NUMBERS = ("1e999", "-1e999", "NaN", "Infinity", "9" * 4_299, "9" * 4_301, "1" * 20_000, "-0", "1e-400")
TOKENS: tuple[bytes, ...] = (
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"null",
    b"true",
    b"-",
    b"\xff",
    b"\xc0",
)
TOKENS += (b"\x00", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x80\xa8", b"//", b"'")
NESTING = (5, 90, 110, 900, 2_000, 50_000)
GROWTH_BYTES_MAX = 30_000


def mutated(record: Record, others: Sequence[Record], draw: random.Random) -> Record:
    """One record, changed in one to four ways."""
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        record = draw.choice(KINDS)(record, others, draw)
    return record


def _value(record: Record) -> bytes:
    return b"" if record.value is None else record.value


def flipped(record: Record, _: Sequence[Record], draw: random.Random) -> Record:
    """Some bits."""
    value = bytearray(_value(record))
    for _bit in range(draw.choice((1, 1, 2, 8)) if value else 0):
        value[draw.randrange(len(value))] ^= 1 << draw.randrange(8)
    return evolve(record, value=bytes(value))


def spliced(record: Record, others: Sequence[Record], draw: random.Random) -> Record:
    """The beginning of one and the end of another."""
    one, other = _value(record), _value(draw.choice(others))
    return evolve(record, value=one[: draw.randrange(len(one) + 1)] + other[draw.randrange(len(other) + 1) :])


def truncated(record: Record, _: Sequence[Record], draw: random.Random) -> Record:
    value = _value(record)
    cut = draw.randrange(len(value) + 1)
    return evolve(record, value=draw.choice((value[:cut], value[cut:], b"", None)))


def doubled(record: Record, _: Sequence[Record], draw: random.Random) -> Record:
    """A piece of it, again and again."""
    value = _value(record)
    begin = draw.randrange(len(value) + 1)
    piece = value[begin : begin + draw.choice((1, 4, 40, 400))]
    times = min(draw.choice((2, 3, 50, 5_000)), GROWTH_BYTES_MAX // max(1, len(piece)))
    return evolve(record, value=value[:begin] + piece * times + value[begin:])


def dotted(record: Record, _: Sequence[Record], draw: random.Random) -> Record:
    """A token of JSON, or of bad UTF-8, somewhere."""
    value = _value(record)
    at = draw.randrange(len(value) + 1)
    kept = at + draw.choice((0, 1, 2))
    return evolve(record, value=value[:at] + draw.choice(TOKENS) + value[kept:])


def random_bytes(record: Record, _: Sequence[Record], draw: random.Random) -> Record:
    return evolve(record, value=draw.randbytes(draw.choice((0, 1, 10, 300))))


def reshaped(record: Record, others: Sequence[Record], draw: random.Random) -> Record:
    """Its JSON, with one node exchanged, dropped, nested, doubled or huge; or its bits, where it is none."""
    try:
        root = json.loads(_value(record))
    except (ValueError, RecursionError):
        return flipped(record, others, draw)
    holder = {"root": root}
    places = list(_places(holder))
    container, key = draw.choice(places)
    container[key] = draw.choice(NODES)(container[key], draw)
    if isinstance(container, dict) and container is not holder and draw.random() < 0.3:
        draw.choice((_dropped, _renamed))(container, key, draw)
    text = json.dumps(holder["root"], ensure_ascii=draw.random() < 0.5)
    text = text.replace(f'"{NUMBER}"', draw.choice(HUGE_NUMBERS)).replace(f'"{NEST}"', _nest(draw))
    return evolve(record, value=text.encode("utf-8", "surrogatepass"))


NUMBER, NEST = "<number>", "<nest>"
"""Stand for JSON text that `json.dumps` would not write."""


def _nest(draw: random.Random) -> str:
    opening, closing = draw.choice((("[", "]"), ('{"a":', "}"), ('[{"type":', "}]")))
    depth = min(draw.choice(NESTING), GROWTH_BYTES_MAX // len(opening))
    return opening * depth + "1" + closing * draw.choice((depth, depth, depth - 1))


def _places(root: Any) -> "list[tuple[Any, Any]]":
    places, waiting = [], [root]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            places.append((container, key))
            if isinstance(container[key], dict | list):
                waiting.append(container[key])
    return places


def _dropped(container: dict[str, Any], key: str, _: random.Random) -> None:
    del container[key]


def _renamed(container: dict[str, Any], key: str, draw: random.Random) -> None:
    container[draw.choice(("type", "data", "content", "", "\ud800", "__class__", "lc", "id", "kwargs"))] = (
        container.pop(key)
    )


def _scalar(_: Any, draw: random.Random) -> Any:
    return draw.choice(
        (None, True, 0, -1, 1 << 63, 1 << 80, 1.5, "", "x", "\ud800", [], {}, [[]], {"type": 1})
    )


NODES: tuple[Callable[[Any, random.Random], Any], ...] = (
    _scalar,
    _scalar,
    lambda node, _: [node, node],
    lambda node, _: {"type": node, "data": node},
    lambda _, __: NUMBER,
    lambda _, __: NEST,
    lambda _, draw: draw.choice(
        (*sorted(MESSAGE_TYPES), "constructor", "Human", "AIMessage", "ai\0", "a" * 999)
    ),
    lambda _, __: {"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "true"}},
    lambda _, draw: [
        {"type": draw.choice(("text", "image_url", "tool_use", 5)), "text": draw.choice((None, "t", 3))}
    ],
    lambda _, draw: [{"name": draw.choice(("f", None, 3)), "args": draw.choice(({}, "{", None)), "id": None}],
    lambda node, draw: str(node) * draw.choice((1, 50)),
)


def reheaded(record: Record, others: Sequence[Record], draw: random.Random) -> Record:
    """Other headers: of a version that nobody knows, doubled, empty, huge, another record's."""
    name = draw.choice((HEADER_VERSION, HEADER_ID, "", "x" * 300, "kchat-\u00e9"))
    value = draw.choice(
        (None, b"", b"1", b"0", b"2", b"-1", b"1.0", b"9" * 20, "\u0661".encode(), b"\xff", b"1" * 100_000)
    )
    new = (name, value)
    return evolve(
        record,
        headers=draw.choice(
            ((new,), (new, *record.headers), (*record.headers, new), draw.choice(others).headers, ())
        ),
    )


KINDS: tuple[Callable[[Record, Sequence[Record], random.Random], Record], ...] = (
    flipped,
    spliced,
    truncated,
    doubled,
    dotted,
    random_bytes,
    reshaped,
    reshaped,
    reshaped,
    reshaped,
    reheaded,
)
