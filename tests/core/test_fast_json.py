"""The faster parser and the standard library's: the same values, the same errors, or it is not used."""

import json
import sys
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kchat.core import DECODE_ERRORS, Corrupt, JsonDecoder, Message, Record, decoding_fault, fast_json
from kchat.core.fast_json import PROBES, Parser, chosen, parse, reads_alike, standard
from tests.core.json_strategies import any_text, exactly, values
from tests.core.parsers import ACCELERATED


def reading(parser: Parser, value: bytes) -> object:
    """What a parser makes of the bytes: each value in a form of its own, each error as it is told."""
    try:
        return "value", exactly(parser(value))
    except DECODE_ERRORS as error:
        return type(error), str(error), decoding_fault(error)


numbers = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,40})(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?", fullmatch=True),
    st.from_regex(r"-?[1-9][0-9]{15,22}", fullmatch=True),
    st.integers(-3, 3).map(lambda near: str(2**63 + near)),
    st.integers(-3, 3).map(lambda near: str(2**64 + near)),
    st.floats().map(repr),
    st.floats().map(lambda number: f"{number:.25e}"),
)
tokens = st.one_of(
    st.sampled_from(
        ["[", "]", "{", "}", ",", ":", " ", "\n", '"a"', '"a":', "true", "null", "NaN", "-Infinity"]
    ),
    st.sampled_from(
        ['"', "\\", '"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00x"', '"\\u00e9"', '"\x1f"', "\x00", "\ufeff"]
    ),
    numbers,
    any_text,
)


@st.composite
def written(draw: st.DrawFn) -> bytes:
    """A value as some program writes it: escaped or not, with or without spaces; surrogates as they are."""
    space = draw(st.sampled_from([None, (",", ":"), (" ,\t", "\r: ")]))
    ascii_only, indent = draw(st.booleans()), draw(st.sampled_from([None, 0, 3]))
    text = json.dumps(draw(values), ensure_ascii=ascii_only, separators=space, indent=indent)
    return text.encode("utf-8", "surrogatepass")


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    value = bytearray(draw(written()))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(value)))
        there = st.binary(max_size=4) | tokens.map(lambda token: token.encode("utf-8", "surrogatepass"))
        value[at : at + draw(st.integers(0, 5))] = draw(there)
    return bytes(value)


anything = st.one_of(
    written(),
    mutated(),
    st.binary(max_size=60),
    numbers.map(str.encode),
    st.lists(tokens, max_size=12).map(lambda parts: "".join(parts).encode("utf-8", "surrogatepass")),
    written().map(lambda value: value.decode("utf-8", "replace").encode("utf-16")),
)


@given(anything)
@example(b"[" * 900 + b"]" * 900)
@example(b"[" * 100_000)
@example(b'{"a": ' * 100_000)
@example(b'"' + b"\xc3\xa9" * 5_000 + b'\xc3"')
@example(b"9" * 4_300)
@example(b"-" + b"9" * 4_301)
@example(b"1" + b"0" * 400 + b".5")
@example(b"2.2250738585072011e-308")
@example(b"2.4703282292062327208e-324")
@example(b"8.5e15, ")
@example(b'{"k": 1, "k": 2, "\\u006b": 3, "l": {"k": 4}}')
def test_both_parsers_read_the_same_or_refuse_with_the_same_words(value: bytes) -> None:
    assert reading(ACCELERATED, value) == reading(standard, value)


@given(anything.map(lambda value: b'{"type": "human", "data": {"content": ' + value + b"}}"))
def test_a_record_is_the_same_message_or_as_corrupt_with_either_parser(value: bytes) -> None:
    def decoded(parser: Parser) -> object:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fast_json, "_parse", parser)
            read = JsonDecoder().decode(Record(1, 7, 0, None, value))
        return read if isinstance(read, Corrupt) else exactly(read.data)

    assert decoded(ACCELERATED) == decoded(standard)


@pytest.mark.parametrize(
    "value",
    [{"type": "ai", "data": {"content": "é\U0001f600", "n": [2**70, 1.5, -0.0, None, True]}}, "", 10**4299],
    ids=["message", "text", "long int"],
)
def test_what_is_plain_is_never_left_to_the_slower_one(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the properties above would compare the standard library with itself."""
    text = json.dumps(value).encode()
    monkeypatch.setattr(fast_json, "standard", None)
    assert exactly(ACCELERATED(text)) == exactly(value)


@pytest.mark.parametrize("probe", PROBES, ids=[f"probe {n}" for n in range(len(PROBES))])
def test_a_probe_is_read_alike_with_the_standard_library_behind_it(probe: bytes) -> None:
    assert reading(ACCELERATED, probe) == reading(standard, probe)


def small(digits: str) -> int | float:
    return int(digits) if -(2**63) <= int(digits) < 2**64 else float(digits)


def whole(digits: str) -> int | float:
    number = float(digits)
    return int(number) if number and number.is_integer() else number


def of_any_length(digits: str) -> int:
    head, tail = digits[:-4_000], digits[-4_000:]
    shift: int = 10 ** len(tail)
    return int(head or "0") * shift + int(tail)


def flushed(digits: str) -> float:
    return float(digits) if abs(float(digits)) > 1e-300 or not float(digits) else 0.0


MISREADING: dict[str, Parser] = {
    "long ints as floats": lambda v: json.loads(v.decode(), parse_int=small),
    "ints of any length": lambda v: json.loads(v.decode(), parse_int=of_any_length),
    "the int -0 as a float": lambda v: json.loads(
        v.decode(), parse_int=lambda text: text != "-0" and int(text)
    ),
    "the float -0.0 as 0.0": lambda v: json.loads(v.decode(), parse_float=lambda text: float(text) or 0.0),
    "whole floats as ints": lambda v: json.loads(v.decode(), parse_float=whole),
    "denormals as zero": lambda v: json.loads(v.decode(), parse_float=flushed),
    "1e400 as a finite number": lambda v: json.loads(v.decode(), parse_float=lambda t: min(float(t), 1e308)),
    "NaN as null": lambda v: json.loads(v.decode(), parse_constant=lambda _: None),
    "the first of two values": lambda v: json.loads(v.decode(), object_pairs_hook=lambda p: dict(p[::-1])),
    "keys in another order": lambda v: json.loads(v.decode(), object_pairs_hook=lambda p: dict(sorted(p))),
    "halves of a character apart": lambda v: json.loads(v.decode().replace("\\ud83d", "")),
    "lone surrogates replaced": lambda v: json.loads(v.decode().replace("\\ud800", "\\ufffd")),
    "control characters": lambda v: json.loads(v.decode(), strict=False),
    "no UTF-8": lambda v: json.loads(v.decode("utf-8", "replace")),
    "surrogates as UTF-8": lambda v: json.loads(v.decode("utf-8", "surrogatepass")),
    "a byte order mark": lambda v: json.loads(v.decode("utf-8-sig")),
    "what follows the value": lambda v: json.JSONDecoder().raw_decode(v.decode())[0],
    "a comma too many": lambda v: json.loads(v.replace(b",]", b"]").decode()),
    "zeros in front": lambda v: json.loads((v.lstrip(b"0") or v).decode()),
}
"""Parsers, each of which reads one thing as no other does."""


def install(patch: pytest.MonkeyPatch, decode: Parser) -> None:
    """Put another parser in msgspec's place."""
    stand_in: Any = ModuleType("msgspec.json")
    stand_in.decode = decode
    patch.setitem(sys.modules, "msgspec", ModuleType("msgspec"))
    patch.setitem(sys.modules, "msgspec.json", stand_in)


@pytest.mark.parametrize("misread", MISREADING)
def test_a_parser_that_reads_otherwise_is_not_used(misread: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, MISREADING[misread])
    assert chosen() is standard


def test_each_probe_finds_something() -> None:
    found = {probe for probe in PROBES for parser in MISREADING.values() if not reads_alike(parser, (probe,))}
    assert found == set(PROBES)


def test_a_parser_that_reads_alike_is_used_and_the_standard_library_is_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def decode(value: bytes) -> Any:
        asked.append(value)
        if value in {b"[]", *PROBES}:
            return json.loads(value.decode())
        raise LookupError("no error of JSON at all")

    asked: list[bytes] = []
    install(monkeypatch, decode)
    monkeypatch.setattr(fast_json, "_parse", None)
    assert (parse(b"[]"), parse(b"[NaN, 1]")[1], asked[-2:]) == ([], 1, [b"[]", b"[NaN, 1]"])
    assert reading(parse, b"[1") == reading(standard, b"[1")
    assert len(asked) == len(PROBES) + 3, "it is chosen once"


def broken(_: str) -> object:
    raise AttributeError("half installed")


@pytest.mark.parametrize("way", ["absent", "broken"])
def test_without_it_the_standard_library_reads_alone(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in: Any = None
    if way == "broken":
        stand_in = ModuleType("msgspec.json")
        stand_in.__getattr__ = broken
    monkeypatch.setitem(sys.modules, "msgspec", None if way == "absent" else ModuleType("msgspec"))
    monkeypatch.setitem(sys.modules, "msgspec.json", stand_in)
    monkeypatch.setattr(fast_json, "_parse", None)
    read = JsonDecoder().decode(
        Record(0, 0, 0, None, b'{"type": "human", "data": {"n": 18446744073709551616}}')
    )
    assert read == Message("human", {"n": 2**64})
    assert fast_json._parse is standard


def test_with_it_msgspec_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is among the development dependencies, so that all this is tested."""
    monkeypatch.setattr(fast_json, "_parse", None)
    assert parse(b"[1]") == [1]
    assert fast_json._parse is not standard
