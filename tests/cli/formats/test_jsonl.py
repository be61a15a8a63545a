"""JSON Lines are lossless, and whatever a file holds is a message or a reported line."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.cli.formats import jsonl_reader, jsonl_writer
from kchat.cli.formats.entries import Entry, Placed, Poison, Sourced, Unusable
from kchat.cli.formats.losses import Losses
from kchat.core import Message
from kchat.testing.strategies import messages
from tests.cli.formats.conversations import ABOUT, TURNS, entries, place


def written(found: list[Entry]) -> str:
    out, losses = io.StringIO(), Losses()
    jsonl_writer.write(ABOUT, iter(found), out, losses)
    assert losses.as_json == []
    return out.getvalue()


def read(text: str) -> list[Sourced | Unusable]:
    return list(jsonl_reader.read(io.BytesIO(text.encode())))


@given(st.lists(messages(), max_size=5))
def test_every_message_reads_back_with_its_id(drawn: list[Message]) -> None:
    text = written(list(entries(drawn)))
    assert text.isascii()
    assert all(character.isprintable() or character == "\n" for character in text)
    back = read(text)
    assert [found.message for found in back if isinstance(found, Sourced)] == drawn
    assert [found.source_id for found in back if isinstance(found, Sourced)] == [
        f"id-{offset}" for offset in range(len(drawn))
    ]


def test_each_line_tells_the_place_and_the_time() -> None:
    lines = [json.loads(line) for line in written(list(entries(TURNS))).splitlines()]
    assert lines[0] == {
        "kchat_export": 1,
        "session": "support-17",
        "topic": "support-17",
        "topic_id": "t1",
        "time": "2023-11-14T22:13:20.000Z",
    }
    assert lines[2]["offset"] == 1
    assert lines[2]["time"] == "2023-11-14T22:13:20.001Z"
    assert lines[-1] == {"end": 5}


def test_a_record_that_is_no_message_keeps_its_bytes_and_is_told_on_the_way_back() -> None:
    nan = Placed(place(1), Message("ai", {"content": "", "score": float("nan")}), "n", b'{"score": NaN}')
    text = written([Poison(place(0), "not JSON, at character 0", b"\xff\x00"), nan])
    corrupt = [json.loads(line)["corrupt"] for line in text.splitlines()[1:3]]
    assert [found["base64"] for found in corrupt] == ["/wA=", "eyJzY29yZSI6IE5hTn0="]
    back = read(text)
    assert [found.where for found in back] == ["line 2", "line 3"]
    assert all(isinstance(found, Unusable) for found in back)


def test_messages_without_an_id_are_known_by_their_place() -> None:
    [one, other] = (Placed(place(n), Message("human", {"content": "hi"})) for n in (0, 1))
    ids = [found.source_id for found in read(written([one, other])) if isinstance(found, Sourced)]
    assert len(set(ids)) == 2
    assert None not in ids


def test_bare_messages_are_read_too_and_have_no_id() -> None:
    lines = "".join(json.dumps({"type": m.type, "data": m.data}) + "\n\n" for m in TURNS)
    assert [(f.message, f.source_id) for f in read(lines) if isinstance(f, Sourced)] == [
        (message, None) for message in TURNS
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "it is not JSON"),
        ("[]", "it is no JSON object"),
        ("{}", "type or data is missing"),
        ('{"type": "secret-type", "data": {}}', "its type is none of the known message types"),
        ('{"type": "human", "data": 5}', "data is a JSON number, not an object"),
        ('{"kchat_export": 99}', "its version is not known to this version of kchat; upgrade it"),
        ('{"kchat_export": true}', "its version is not known to this version of kchat; upgrade it"),
        ("[" * 5_000, "it is not JSON"),
    ],
)
def test_what_is_no_message_is_reported_with_its_line(line: str, reason: str) -> None:
    found = read("\n" + line + "\n")[0]
    assert found == Unusable("line 2", reason)


def test_a_file_that_was_cut_short_is_known() -> None:
    lines = written(list(entries(TURNS))).splitlines(keepends=True)
    without_end = read("".join(lines[:-1]))
    assert without_end[-1] == Unusable("after line 6", "the file was cut short: its last line is missing")
    without_one = read("".join(lines[:2] + lines[3:]))
    assert isinstance(without_one[-1], Unusable)
    assert "some are missing" in without_one[-1].reason


def test_a_line_too_long_for_a_message_is_passed_over_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_reader, "LINE_BYTES_MAX", 100)
    good = json.dumps({"type": "human", "data": {"content": "hi"}})
    found = read("x" * 1_000 + "\n" + good + "\n" + "y" * 100 + "\n" + good)
    assert [type(one) for one in found] == [Unusable, Sourced, Unusable, Sourced]


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(content: bytes) -> None:
    list(jsonl_reader.read(io.BytesIO(content)))
    list(jsonl_reader.read(io.BytesIO(b'{"kchat_export": 1}\n' + content)))
