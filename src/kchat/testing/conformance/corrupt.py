"""Poison: a record that is no message is told apart by its place, and its neighbours are never lost."""

import json

from attrs import evolve

from kchat.core import (
    HEADER_VERSION,
    Complete,
    Corrupt,
    Failed,
    FromPositions,
    JsonDecoder,
    Limit,
    OnCorrupt,
    Partial,
    Position,
)
from kchat.testing.conformance.session import ForeignWrite, Session, heard, record, texts
from kchat.testing.conformance.suite import Suite

GOOD = record("good", None).value

POISON = {
    "not JSON": b"not json",
    "empty": b"",
    "not UTF-8": b"\xff\xfe",
    "not an object": b"[1, 2]",
    "no type": b'{"data": {}}',
    "no data": b'{"type": "human"}',
    "type is a number": b'{"type": 5, "data": {}}',
    "data is a list": b'{"type": "human", "data": []}',
    "unknown type": b'{"type": "pickle", "data": {}}',
    "nested deeply": b"[" * 100_000,
    "half a message": GOOD[: len(GOOD) // 2],
}
"""Values that no decoder may take, or stumble over."""


class CorruptConformance(Suite):
    """P7: a typed error with its coordinates, or skipped and reported, as the caller chose."""

    def test_a_corrupt_record_ends_the_read_with_its_place(self, session: Session) -> None:
        """At the beginning, in between and at the end; what came before it is handed out."""
        self._append_poisoned(session)
        begin = 0
        for offset, before in [(0, []), (2, texts(1)), (5, texts(2, start=1))]:
            outcome = session.read(FromPositions((Position(0, begin),)))
            assert isinstance(outcome, Failed)
            assert isinstance(outcome.failure, Corrupt)
            assert (outcome.failure.partition, outcome.failure.offset) == (0, offset)
            assert heard(outcome) == before
            assert Position(0, offset) in outcome.progress.positions, "the next read meets it again"
            begin = offset + 1

    def test_a_skipped_record_is_reported_and_its_neighbours_are_kept(self, session: Session) -> None:
        """At the beginning, in between and at the end."""
        self._append_poisoned(session)
        outcome = session.read(on_corrupt=OnCorrupt.SKIP)
        assert isinstance(outcome, Complete)
        assert heard(outcome) == texts(3)
        places = [(corrupt.partition, corrupt.offset) for corrupt in outcome.progress.skipped]
        assert places == [(0, 0), (0, 2), (0, 5)]

    def test_every_kind_of_poison_is_corrupt(self, session: Session) -> None:
        """P9: hostile bytes are never a crash, and never a message."""
        records = [
            one
            for kind, value in POISON.items()
            for one in (*session.records(f"before {kind}"), session.poison(value))
        ]
        session.append(*records, *session.records("last"))
        outcome = session.read(on_corrupt=OnCorrupt.SKIP)
        assert heard(outcome) == [*(f"before {kind}" for kind in POISON), "last"]
        assert [corrupt.offset for corrupt in outcome.progress.skipped] == list(range(1, len(records), 2))

    def test_the_reason_repeats_no_content(self, session: Session) -> None:
        """P10: it is printed and logged."""
        session.append(session.poison(b'{"type": "hush-hush", "data": {"hush-hush": ["hush-hush"]}}'))
        outcome = session.read()
        assert isinstance(outcome, Failed)
        assert "hush-hush" not in repr(outcome)

    def test_a_tombstone_is_corrupt(self, session: Session, foreign_write: ForeignWrite) -> None:
        """A record without a value is another program's: it is reported, not hidden."""
        session.say("before", partition=0)
        foreign_write(session.topic, None, key=session.placement.key, partition=0)
        session.say("after", partition=0)
        failed = session.read()
        assert isinstance(failed, Failed)
        assert isinstance(failed.failure, Corrupt)
        assert (failed.failure.partition, failed.failure.offset) == (0, 1)
        assert session.hear(on_corrupt=OnCorrupt.SKIP) == ["before", "after"]

    def test_a_message_of_another_program_is_read(
        self, session: Session, foreign_write: ForeignWrite
    ) -> None:
        """As langchain_community's class wrote it: no key, no headers."""
        session.say("before", partition=0)
        value = json.dumps({"type": "ai", "data": {"content": "foreign"}}).encode()
        foreign_write(session.topic, value, partition=0)
        assert session.hear() == ["before", "foreign"]

    def test_a_limit_counts_messages_and_not_what_was_skipped(self, session: Session) -> None:
        """Five messages are five messages."""
        for text in texts(4):
            session.append(session.poison())
            session.say(text)
        outcome = session.read(messages_max=3, on_corrupt=OnCorrupt.SKIP)
        assert isinstance(outcome, Partial)
        assert outcome.limit is Limit.COUNT
        assert heard(outcome) == texts(3)
        assert len(outcome.progress.skipped) == 3

    def test_unknown_headers_are_ignored(self, session: Session) -> None:
        """Tracing libraries add theirs to every record."""
        (good,) = session.records("good")
        extra = (("traceparent", b"\xff"), ("", None), ("kchat-later", b"1"))
        session.append(evolve(good, headers=extra + good.headers))
        assert session.hear() == ["good"]

    def test_a_newer_format_version_is_corrupt(self, session: Session) -> None:
        """Better no message than a wrong one. A version that is no number is not one that is known."""
        versions = (b"2", b"999", b"", b"one", b"\xff", b"1" * 5_000)
        session.say("before")
        session.append(*(session.poison(GOOD, headers=((HEADER_VERSION, version),)) for version in versions))
        session.say("after")
        outcome = session.read(on_corrupt=OnCorrupt.SKIP)
        assert heard(outcome) == ["before", "after"]
        assert [corrupt.offset for corrupt in outcome.progress.skipped] == [1, 2, 3, 4, 5, 6]
        assert isinstance(session.read(), Failed)

    def test_a_type_that_is_not_allowed_is_corrupt_for_this_reader_alone(self, session: Session) -> None:
        """A narrower decoder, the same log: what it refuses is treated as any other poison."""
        foreign = json.dumps({"type": "system", "data": {"content": "foreign"}}).encode()
        session.say("before")
        session.append(session.poison(foreign))
        session.say("after")
        narrow = JsonDecoder(frozenset({"human"}))
        outcome = session.read(decoder=narrow, on_corrupt=OnCorrupt.SKIP)
        assert heard(outcome) == ["before", "after"]
        assert len(outcome.progress.skipped) == 1
        failed = session.read(decoder=narrow)
        assert isinstance(failed, Failed)
        assert isinstance(failed.failure, Corrupt)
        assert failed.failure.reason == "type 'system' is not among the allowed types"
        assert session.hear() == ["before", "foreign", "after"]

    @staticmethod
    def _append_poisoned(session: Session) -> None:
        """Three messages at 1, 3 and 4, and poison around them at 0, 2 and 5, all in partition 0."""
        first, second, third = session.records(*texts(3))
        poison = session.poison()
        session.append(poison, first, poison, second, third, poison, partition=0)
