"""JSON from bytes: by msgspec where the extra `kchat[fast]` is installed, else by the standard library.

The two never differ (docs/adr/0016-json-accelerator.md): what msgspec refuses the standard library judges. So
NaN and lone surrogates read as they always did, and an error and its position are the standard library's. No
other file knows msgspec.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

Parser = Callable[[bytes], Any]
"""Gives the value of UTF-8 JSON, or raises one of `DECODE_ERRORS`."""

PROBES = (
    b"18446744073709551616",  # an int beyond 64 bits: a float in some parsers
    b"-9223372036854775809",
    b"9" * 4_301,
    b"-0",
    b"-0.0",
    b"1e2",
    b"5e-324",
    b"1e400",
    b"NaN",
    b"-Infinity",
    b'{"b": 1, "a": 2, "b": 3}',
    b'"\\ud83d\\ude00"',
    b'"\\ud800"',
    b'"\x01"',
    b'"\xff"',
    b'"\xed\xa0\x80"',  # a surrogate as UTF-8
    b"\xef\xbb\xbf[]",
    b"[] []",
    b"[1,]",
    b"01",
)
"""What JSON parsers are known to read each in its own way. A msgspec that reads one otherwise is not used."""

_UNPRINTABLE = "an int of more digits than Python writes"

_parse: Parser | None = None


def parse(value: bytes) -> Any:
    """What `json.loads(value.decode())` gives or raises."""
    global _parse
    if _parse is None:
        # At the first record and not at the import: msgspec takes longer to load than the whole core.
        _parse = chosen()
    return _parse(value)


def chosen() -> Parser:
    """The faster of the parsers that are here and read alike."""
    try:
        from msgspec.json import decode
    except Exception:  # broken is like absent: it must not be told as the fault of the record at hand
        return standard
    return with_fallback(decode) if reads_alike(decode) else standard


def standard(value: bytes) -> Any:
    """The standard library's."""
    return json.loads(value.decode())


def with_fallback(fast: Parser) -> Parser:
    """The fast parser, with the standard library behind it."""

    def parse_fast(value: bytes) -> Any:
        try:
            return fast(value)
        except Exception:  # of whatever type: it is not this parser that judges
            return standard(value)

    return parse_fast


def reads_alike(fast: Parser, probes: Iterable[bytes] = PROBES) -> bool:
    """Whether a parser reads the probes as the standard library does, or refuses them."""
    return all(_reading(fast, probe) in {None, _reading(standard, probe)} for probe in probes)


def _reading(parser: Parser, value: bytes) -> str | None:
    try:
        read = parser(value)
    except Exception:
        return None
    try:
        return repr(read)  # == calls 1, 1.0 and True the same, and -0.0 and 0.0
    except ValueError:
        return _UNPRINTABLE
