"""Reading: where a read starts, and that it ends."""

import time

import pytest

from kchat.core import (
    Complete,
    EnsureTopic,
    ErrorKind,
    Failed,
    FromBeginning,
    FromCommitted,
    FromEnd,
    FromPositions,
    JsonDecoder,
    Log,
    Message,
    Position,
    Progress,
    ReadOutcome,
    ReadRequest,
    Start,
    TopicReady,
)
from kchat.testing.conformance.session import Session, heard, texts
from kchat.testing.conformance.suite import Suite


def error_kind(outcome: ReadOutcome[Message]) -> ErrorKind | None:
    """The kind of the broker's error that a read failed with."""
    failure = outcome.failure if isinstance(outcome, Failed) else None
    return getattr(failure, "kind", None)


def ended_empty(outcome: ReadOutcome[Message]) -> tuple[Position, ...]:
    """Where a read ended that came to the end without a message."""
    assert isinstance(outcome, Complete), outcome
    assert not outcome.progress.deliveries
    return outcome.progress.positions


class ReadConformance(Suite):
    """P4, P6: reads end at the end, and an explicit start is a pure one."""

    @pytest.mark.parametrize("start", [FromBeginning(), FromEnd(), FromCommitted("group")], ids=repr)
    def test_a_missing_topic_is_an_empty_conversation(self, session: Session, start: Start) -> None:
        """Nobody wrote to that session yet: not an error, and nothing is created by looking."""
        assert session.read(start) == Complete(Progress())
        ensured = session.face.provision(EnsureTopic(topic=session.topic, settings=session.settings))
        assert isinstance(ensured, TopicReady)
        assert ensured.created

    def test_an_empty_topic_is_complete_at_its_beginning(self, session: Session) -> None:
        """Each partition stands at 0."""
        ready = session.face.provision(EnsureTopic(topic=session.topic, settings=session.settings))
        assert isinstance(ready, TopicReady)
        outcome = session.read(topic_expected=True)
        assert ended_empty(outcome) == tuple(Position(p, 0) for p in ready.partitions)

    def test_a_read_ends_at_the_end_and_not_at_its_time_limit(self, session: Session) -> None:
        """P4: the time limit is a bound, never a wait."""
        session.say(*texts(5))
        began = time.monotonic()
        assert isinstance(session.read(wait_ms_max=60_000), Complete)
        assert time.monotonic() - began < 10

    def test_a_read_without_limits_ends(self, session: Session) -> None:
        """P4: the end of the log is limit enough."""
        session.say(*texts(5))
        outcome = session.read(wait_ms_max=None)
        assert isinstance(outcome, Complete)
        assert heard(outcome) == texts(5)

    def test_the_same_read_twice_gives_the_same(self, session: Session) -> None:
        """P6: an outcome is a value, and reading changes nothing."""
        session.say(*texts(10))
        first = session.read(messages_max=7)
        assert len(heard(first)) == 7
        assert session.read(messages_max=7) == first

    def test_another_reader_sees_the_same(self, session: Session, another_log: Log) -> None:
        """P1: one order that all readers agree on."""
        session.say(*texts(10))
        own = session.read()
        assert len(heard(own)) == 10
        assert another_log.read(session.reading(topic_expected=True)) == own

    def test_a_read_from_the_end_without_waiting_is_empty_and_stands_at_the_end(
        self, session: Session
    ) -> None:
        """Its positions are where new messages will be."""
        session.say(*texts(3))
        outcome = session.read(FromEnd())
        assert isinstance(outcome, Complete)
        assert heard(outcome) == []
        session.say("new")
        assert session.hear(FromPositions(outcome.progress.positions)) == ["new"]

    def test_positions_go_on_exactly_where_a_read_ended(self, session: Session) -> None:
        """P6: page by page is the same as all at once."""
        session.say(*texts(10))
        pages, start = [], FromPositions(())
        for _ in range(4):
            outcome = session.read(start, messages_max=3)
            pages.append(heard(outcome))
            start = FromPositions(outcome.progress.positions)
        assert pages == [texts(3), texts(3, 3), texts(3, 6), texts(1, 9)]
        assert isinstance(outcome, Complete)

    def test_positions_of_several_partitions_go_on_exactly_where_a_read_ended(self, session: Session) -> None:
        """They count what was handed out, not what was fetched."""
        for number, text in enumerate(texts(12)):
            session.say(text, partition=number % 3)
        whole = session.hear()
        paged: list[str] = []
        start = FromPositions(())
        for _ in range(12):
            outcome = session.read(start, messages_max=1)
            paged += heard(outcome)
            start = FromPositions(outcome.progress.positions)
        assert paged == whole
        assert ended_empty(session.read(start)) == start.positions

    @pytest.mark.parametrize("partition", [0, 999], ids=["beyond the end", "no such partition"])
    def test_a_position_that_is_not_in_the_log_fails(self, session: Session, partition: int) -> None:
        """Other records than the ones meant are never returned in their place."""
        session.say(*texts(3), partition=0)
        outcome = session.read(FromPositions((Position(partition, 4),)))
        assert error_kind(outcome) is ErrorKind.OFFSET_OUT_OF_RANGE, outcome
        assert heard(outcome) == []

    def test_a_negative_position_fails(self, session: Session) -> None:
        """Clients have marks of their own below 0: "the end", "the beginning", "what is stored"."""
        session.say(*texts(3), partition=0)
        for offset in (-1, -2, -1_000, -1_001):
            outcome = session.read(FromPositions((Position(0, offset),)))
            assert error_kind(outcome) is ErrorKind.OFFSET_OUT_OF_RANGE, outcome
            assert heard(outcome) == []

    def test_the_position_at_the_end_is_in_the_log(self, session: Session) -> None:
        """Nothing is there yet, and that is no error."""
        session.say(*texts(3), partition=0)
        outcome = session.read(FromPositions((Position(0, 3),)), partition=0)
        assert ended_empty(outcome) == (Position(0, 3),)

    def test_one_partition_can_be_read_alone(self, session: Session) -> None:
        """Its own messages, its own position."""
        for number, text in enumerate(texts(6)):
            session.say(text, partition=number % 3)
        outcome = session.read(partition=1)
        assert heard(outcome) == ["message 1", "message 4"]
        assert outcome.progress.positions == (Position(1, 2),)

    def test_a_missing_partition_fails(self, session: Session) -> None:
        """It cannot be an empty conversation: the topic is there."""
        session.say("there")
        assert error_kind(session.read(partition=1_000)) is ErrorKind.UNKNOWN_TOPIC

    def test_what_comes_after_a_read_is_for_the_next(self, session: Session) -> None:
        """An outcome is not changed by later appends."""
        session.say(*texts(2))
        first = session.read()
        session.say(*texts(2, start=2))
        assert heard(first) == texts(2)
        assert session.hear(FromPositions(first.progress.positions)) == texts(2, start=2)

    def test_the_decoder_of_the_request_decodes(self, session: Session) -> None:
        """A narrower one makes other records corrupt."""
        session.say("not allowed")
        narrow = ReadRequest(
            topic=session.topic, start=FromBeginning(), decoder=JsonDecoder(allowed_types=frozenset({"ai"}))
        )
        outcome = session.face.read(narrow)
        assert isinstance(outcome, Failed)
        assert heard(outcome) == []
