"""Limits, and reads that wait: why a read ended is part of its answer."""

import time

from kchat.core import (
    Complete,
    FromBeginning,
    FromCommitted,
    FromEnd,
    FromPositions,
    Limit,
    Message,
    Partial,
    Progress,
    ReadOutcome,
)
from kchat.testing.conformance.session import Session, heard, texts
from kchat.testing.conformance.suite import Suite

APPENDS_MAX = 200
"""While a read waits, so many messages follow each other at most; none of the reads here needs ten."""


class LimitConformance(Suite):
    """P4 and P8: a read ends by its count, by its time, or by the end of the log, and says which."""

    def test_a_count_limit_ends_the_read_after_so_many_messages(self, session: Session) -> None:
        """There is more, so it is Partial."""
        session.say(*texts(5))
        outcome = session.read(messages_max=3)
        assert isinstance(outcome, Partial)
        assert outcome.limit is Limit.COUNT
        assert heard(outcome) == texts(3)

    def test_the_end_of_the_log_comes_before_the_count(self, session: Session) -> None:
        """Where both are reached at once too: nothing is left to read."""
        session.say(*texts(3))
        for messages_max in (3, 4):
            outcome = session.read(messages_max=messages_max)
            assert isinstance(outcome, Complete)
            assert heard(outcome) == texts(3)

    def test_a_count_of_zero_does_nothing(self, session: Session) -> None:
        """It does not look, wait or move the cursor."""
        session.say(*texts(3))
        outcome = session.read(FromEnd(), messages_max=0, follow=True, commit_to=session.group)
        assert outcome == Partial(Progress(), Limit.COUNT)
        assert session.go_on() == texts(3)

    def test_a_waiting_read_ends_at_its_time_limit(self, session: Session) -> None:
        """P8: within a second of it."""
        session.say(*texts(3))
        began = time.monotonic()
        outcome = session.read(FromEnd(), follow=True, wait_ms_max=300)
        assert time.monotonic() - began < 1.3
        assert isinstance(outcome, Partial)
        assert outcome.limit is Limit.TIME
        assert heard(outcome) == []

    def test_a_waiting_read_of_a_missing_topic_ends_at_its_time_limit(self, session: Session) -> None:
        """P8: it may be created meanwhile, so that it is missing ends nothing."""
        began = time.monotonic()
        outcome = session.read(FromEnd(), follow=True, wait_ms_max=300)
        assert time.monotonic() - began < 1.3
        assert outcome == Partial(Progress(), Limit.TIME)

    def test_a_waiting_read_hands_out_what_is_there_and_then_waits(self, session: Session) -> None:
        """From the beginning: the old ones are not waited for."""
        session.say(*texts(3))
        outcome = session.read(FromBeginning(), follow=True, wait_ms_max=200)
        assert isinstance(outcome, Partial)
        assert outcome.limit is Limit.TIME
        assert heard(outcome) == texts(3)

    def test_a_waiting_read_ends_as_soon_as_its_count_is_reached(self, session: Session) -> None:
        """Not at its time limit."""
        session.say(*texts(3))
        began = time.monotonic()
        outcome = session.read(FromBeginning(), follow=True, messages_max=3, wait_ms_max=60_000)
        assert time.monotonic() - began < 10
        assert isinstance(outcome, Partial)
        assert outcome.limit is Limit.COUNT
        assert heard(outcome) == texts(3)

    def test_a_read_from_the_end_sees_what_others_append_while_it_waits(self, session: Session) -> None:
        """All of it, in order, from some message on: the ones before were there when the read began."""
        session.say("old")
        outcome = self._read_while_others_append(session)
        assert isinstance(outcome, Partial), outcome
        assert outcome.limit is Limit.COUNT
        first = int(heard(outcome)[0].removeprefix("message "))
        assert heard(outcome) == texts(5, start=first)

    def test_a_waiting_read_sees_the_messages_of_a_topic_that_appears(self, session: Session) -> None:
        """From its first message on: the end of a missing topic is its beginning."""
        outcome = self._read_while_others_append(session)
        assert isinstance(outcome, Partial), outcome
        assert heard(outcome) == texts(5)

    def test_a_waiting_read_sees_every_partition(self, session: Session) -> None:
        """Beyond the end, records come out as they arrive, each partition's in its order."""
        session.say("old", partition=0)
        outcome = session.face.read_while(
            session.reading(FromBeginning(), follow=True, messages_max=7),
            [session.request(*session.records(text), partition=n % 3) for n, text in enumerate(texts(6))],
        )
        by_partition = [
            [d.message.text for d in outcome.progress.deliveries if d.partition == partition]
            for partition in range(3)
        ]
        assert by_partition == [["old", *texts(6)[0::3]], texts(6)[1::3], texts(6)[2::3]]

    def test_the_cursor_goes_on_where_a_waiting_read_ended(self, session: Session) -> None:
        """Nothing between two reads is missed."""
        session.say("old")
        outcome = self._read_while_others_append(session, commit_to=session.group)
        session.say("last")
        rest = session.hear(FromCommitted(session.group))
        assert session.hear(FromPositions(outcome.progress.positions)) == rest
        assert ["old", *self._before(session, heard(outcome)[0]), *heard(outcome), *rest] == session.hear()

    @staticmethod
    def _before(session: Session, text: str) -> list[str]:
        """What was appended before that text, without the first."""
        whole = session.hear()
        return whole[1 : whole.index(text)]

    @staticmethod
    def _read_while_others_append(session: Session, commit_to: str | None = None) -> ReadOutcome[Message]:
        return session.face.read_while(
            session.reading(FromEnd(), follow=True, messages_max=5, commit_to=commit_to),
            [session.request(*session.records(text)) for text in texts(APPENDS_MAX)],
        )
