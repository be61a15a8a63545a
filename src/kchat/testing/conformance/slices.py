"""Parts of a conversation: windows backwards, times, bookmarks, and a cursor that is merely moved."""

from collections.abc import Callable

from kchat.core import (
    Complete,
    ErrorKind,
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    Limit,
    Message,
    Partial,
    Position,
    Progress,
    ReadOutcome,
    Start,
)
from kchat.testing.conformance.abilities import Abilities
from kchat.testing.conformance.reads import error_kind
from kchat.testing.conformance.session import Session, heard, texts
from kchat.testing.conformance.suite import Suite

FAR_MS = 10_000_000
"""Later than whatever a test writes, in milliseconds."""


def windows_of(
    session: Session, offsets: int, between: Callable[[], object] = lambda: None
) -> list[Progress[Message]]:
    """All windows of so many offsets, from the end to the beginning, as they are read."""
    found: list[Progress[Message]] = []
    start = FromBefore(offsets)
    while not found or found[-1].older:
        outcome = session.read(start, with_topic_id=True)
        assert isinstance(outcome, Complete), outcome
        found.append(outcome.progress)
        start = FromBefore(offsets, outcome.progress.began, outcome.progress.topic_id)
        between()
    return found


def moved(session: Session, start: Start | None = None, since_ms: int | None = None) -> ReadOutcome[Message]:
    """Merely move the session's cursor."""
    outcome = session.read(start, since_ms=since_ms, only_move=True, commit_to=session.group)
    assert heard(outcome) == []
    return outcome


def spread(session: Session, count: int) -> list[int]:
    """Say so many texts, one by one and in turns in three partitions; the times that they got."""
    for number, text in enumerate(texts(count)):
        session.say(text, partition=number % 3)
    return [delivery.timestamp_ms for delivery in session.read().progress.deliveries]


class SliceConformance(Suite):
    """P4, P5, P6: a part of a conversation is exactly that part."""

    def test_windows_backwards_are_the_conversation(self, session: Session) -> None:
        """Without gap or double, the newest first."""
        session.say(*texts(10), partition=0)
        windows = [[message.text for message in window.messages] for window in windows_of(session, 4)]
        assert windows == [texts(4, 6), texts(4, 2), texts(2)]

    def test_windows_of_several_partitions_are_the_conversation(self, session: Session) -> None:
        """Each has its own beginning; what a partition has not is in the others."""
        spread(session, 7)
        windows = windows_of(session, 2)
        said = [message.text for window in windows for message in window.messages]
        assert sorted(said) == sorted(texts(7))
        assert len(windows) == 2
        assert not windows[-1].older

    def test_windows_do_not_see_what_is_appended_behind_them(self, session: Session) -> None:
        """A window ends where the one after it began."""
        session.say(*texts(9), partition=0)
        windows = windows_of(session, 2, between=lambda: session.say("more", partition=0))
        assert [message.text for w in reversed(windows) for message in w.messages] == texts(9)

    def test_a_window_of_a_missing_or_empty_conversation_is_empty(self, session: Session) -> None:
        """Nobody wrote: there is nothing before the end."""
        assert session.read(FromBefore(5)) == Complete(Progress())

    def test_a_window_before_a_position_that_is_not_in_the_log_fails(self, session: Session) -> None:
        """Other records than the ones meant are never returned in their place."""
        session.say(*texts(3), partition=0)
        for position in (Position(0, 4), Position(0, -1), Position(999, 0)):
            outcome = session.read(FromBefore(2, (position,)))
            assert error_kind(outcome) is ErrorKind.OFFSET_OUT_OF_RANGE, outcome
            assert heard(outcome) == []

    def test_times_choose_by_the_records_own_timestamps(self, session: Session) -> None:
        """From `since_ms` on and before `until_ms`, whether the broker finds times or not."""
        times = spread(session, 6)
        said = dict(zip(session.hear(), times, strict=True))
        for since in sorted({*times, times[0] - 1, times[-1] + 1}):
            late = [text for text, time in said.items() if time >= since]
            assert session.hear(since_ms=since) == late
            assert session.hear(FromBefore(10), since_ms=since) == late
            assert session.hear(until_ms=since) == [text for text in said if text not in late]
        middle = [text for text, time in said.items() if times[1] <= time < times[4]]
        assert session.hear(since_ms=times[1], until_ms=times[4]) == middle

    def test_a_time_in_the_future_has_nothing_and_the_read_ends(self, session: Session) -> None:
        """At the end of the log: the next read goes on there."""
        times = spread(session, 4)
        for start in (FromBeginning(), FromBefore(10)):
            outcome = session.read(start, since_ms=max(times) + FAR_MS)
            assert isinstance(outcome, Complete)
            assert heard(outcome) == []
            session.say("new", partition=0)
            assert session.hear(FromPositions(outcome.progress.positions)) == ["new"]

    def test_a_cursor_moves_to_the_beginning_and_to_the_end(self, session: Session) -> None:
        """Nothing is handed out, and it goes on there."""
        session.say(*texts(4))
        session.go_on(messages_max=2)
        assert isinstance(moved(session, FromEnd()), Complete)
        assert session.go_on() == []
        assert isinstance(moved(session, FromBeginning()), Complete)
        assert session.go_on() == texts(4)

    def test_a_cursor_moves_to_positions_and_to_a_bookmark(self, session: Session) -> None:
        """To where an earlier outcome stood."""
        session.say(*texts(5))
        stood = session.read(messages_max=2, with_bookmark=True).progress
        for start in (FromPositions(stood.positions), FromBookmark(stood.bookmark)):
            assert isinstance(moved(session, start), Complete)
            assert session.go_on() == texts(3, start=2)

    def test_a_cursor_does_not_move_to_a_position_that_is_not_in_the_log(self, session: Session) -> None:
        """It stays where it was."""
        session.say(*texts(3), partition=0)
        session.go_on(messages_max=1)
        outcome = moved(session, FromPositions((Position(0, 4),)))
        assert error_kind(outcome) is ErrorKind.OFFSET_OUT_OF_RANGE, outcome
        assert session.go_on() == texts(2, start=1)

    def test_a_cursor_moves_to_a_time(self, session: Session, abilities: Abilities) -> None:
        """To the first record of that time; where the broker finds no times, that fails and it stays."""
        times = spread(session, 6)
        if not abilities.finds_times:
            assert error_kind(moved(session, since_ms=times[3])) is ErrorKind.UNSUPPORTED
            assert session.go_on() == session.hear()
            return
        assert isinstance(moved(session, since_ms=times[3]), Complete)
        assert session.go_on() == session.hear(since_ms=times[3])
        assert isinstance(moved(session, since_ms=max(times) + FAR_MS), Complete)
        assert session.go_on() == []

    def test_a_bookmark_goes_on_after_what_was_handed_out(self, session: Session) -> None:
        """Piece by piece is the same as all at once, in several partitions too."""
        spread(session, 7)
        pieces: list[str] = []
        outcome = session.read(messages_max=2, with_bookmark=True)
        while isinstance(outcome, Partial):
            assert outcome.limit is Limit.COUNT
            pieces += heard(outcome)
            start = FromBookmark(outcome.progress.bookmark)
            outcome = session.read(start, messages_max=2, with_bookmark=True)
        assert isinstance(outcome, Complete), outcome
        assert pieces + heard(outcome) == session.hear()
        session.say("new")
        assert session.hear(FromBookmark(outcome.progress.bookmark)) == ["new"]

    def test_a_bookmark_remembers_what_was_handed_out(self, session: Session) -> None:
        """A second copy behind it is none of the next read's, marked or not."""
        first, second = session.records(*texts(2))
        session.append(first)
        bookmark = session.read(with_bookmark=True).progress.bookmark
        session.append(first, first.resent(), second)
        assert session.hear(FromBookmark(bookmark)) == texts(1, start=1)

    def test_a_bookmark_moves_no_cursor_until_it_is_stored(self, session: Session) -> None:
        """What a group stores then is what a committing read would have stored."""
        session.say(*texts(5))
        bookmark = session.read(messages_max=3, with_bookmark=True).progress.bookmark
        assert session.hear(FromCommitted(session.group)) == texts(5)
        moved(session, FromBookmark(bookmark))
        assert session.go_on() == texts(2, start=3)

    def test_a_bookmark_of_a_deleted_topic_skips_nothing_of_the_next_one(
        self, session: Session, abilities: Abilities
    ) -> None:
        """Its offsets belong to another log of the same name; positions of it fail instead."""
        abilities.need("deletes_topics")
        session.say(*texts(5), partition=0)
        stood = session.read(messages_max=4, with_bookmark=True, with_topic_id=True).progress
        session.remove()
        session.say(*texts(10, start=100), partition=0)
        assert session.hear(FromBookmark(stood.bookmark)) == texts(10, start=100)
        outcome = session.read(FromBefore(2, stood.positions, stood.topic_id))
        assert error_kind(outcome) is ErrorKind.OFFSET_OUT_OF_RANGE, outcome
