"""Watches: whether it may be worth reading again."""

import pytest
from attrs import evolve

from kchat.conversation.ending import Ending
from kchat.core import Closed, Log, Position, WatchRequest
from kchat.testing.conformance.faces import AsyncFace, Face, SyncFace
from kchat.testing.conformance.session import WAIT_MS_MAX, Session
from kchat.testing.conformance.suite import Suite

SILENCE_MS = 300
"""How long nothing has to come for it to be nothing."""

ENDLESS_MS = 86_400_000


def beyond(session: Session, *said: str, wait_ms_max: int = WAIT_MS_MAX) -> WatchRequest:
    """A watch that begins behind the last of these messages, which are appended now."""
    places = session.say(*said)
    last = max(places, key=lambda place: place.offset)
    position = Position(last.partition, last.offset + 1)
    return WatchRequest(topic=session.topic, positions=(position,), wait_ms_max=wait_ms_max)


class WatchConformance(Suite):
    """What followers wait with. True promises nothing; False, that the time is over."""

    def test_a_record_at_the_position_is_news(self, session: Session, face: Face) -> None:
        """Also where it was there before the watch, and where it is not the first one."""
        request = beyond(session, "one", "two")
        position = request.positions[0]
        for offset in (position.offset - 2, position.offset - 1):
            there = WatchRequest(
                topic=session.topic,
                positions=(Position(position.partition, offset),),
                wait_ms_max=WAIT_MS_MAX,
            )
            assert face.watch(there)
            assert face.watch(there), "it is news for every watcher"

    def test_nothing_beyond_the_position_is_no_news(self, session: Session, face: Face) -> None:
        """The watch ends with its time."""
        assert not face.watch(beyond(session, "one", wait_ms_max=SILENCE_MS))

    def test_no_time_is_no_waiting(self, session: Session, face: Face) -> None:
        """A watch may only look."""
        assert not face.watch(beyond(session, "one", wait_ms_max=0))

    def test_a_record_that_comes_ends_the_watch(self, session: Session, face: Face) -> None:
        """And the read that follows finds it."""
        request = beyond(session, "one")
        append = session.request(*session.records("two"))
        assert face.watch_while(request, append)
        assert session.hear() == ["one", "two"]

    def test_a_watch_that_nobody_wants_any_more_ends(self, session: Session, face: Face) -> None:
        """At once: far sooner than its time is over."""
        ending = Ending()
        ending.end()
        assert face.watch(evolve(beyond(session, "one", wait_ms_max=ENDLESS_MS), ending=ending))

    def test_a_session_that_is_not_there_is_looked_for_again(self, session: Session, face: Face) -> None:
        """Without positions there is nothing to watch: it ends soon, whatever it says."""
        assert face.watch(WatchRequest(topic=session.topic, positions=(), wait_ms_max=SILENCE_MS)) in {
            True,
            False,
        }
        assert session.hear() == []

    @pytest.mark.parametrize("positions", [(), (Position(0, 0),)])
    def test_a_closed_log_refuses_a_watch(
        self, another_log: Log, face: Face, session: Session, positions: tuple[Position, ...]
    ) -> None:
        """With positions, and without."""
        another_log.close()
        other = AsyncFace(another_log) if isinstance(face, AsyncFace) else SyncFace(another_log)
        request = WatchRequest(topic=session.topic, positions=positions, wait_ms_max=SILENCE_MS)
        try:
            with pytest.raises(Closed):
                other.watch(request)
        finally:
            if isinstance(other, AsyncFace):
                other.runner.close()
