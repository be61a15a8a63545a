"""A named cursor: one of any number of independent readers of a session whose place is kept in Kafka.

Its place is the committed offsets of a consumer group of its own, `<topic>/<name>`. What both faces have in
common is here.
"""

from collections.abc import Callable
from datetime import datetime
from enum import Enum, unique
from typing import Any, Generic, TypeVar

from attrs import define, evolve, field, frozen

from kchat.conversation import arguments
from kchat.conversation.asking import Asking
from kchat.conversation.page import Ended, Page
from kchat.core import (
    ChatPosition,
    CommittedOffset,
    Failed,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    Known,
    ListCursors,
    Plan,
    ReadOutcome,
    RemoveCursor,
    Start,
    WatchRequest,
    onward,
    read_error,
)
from kchat.core.following import POLL_MS
from kchat.core.telling import Heard

M = TypeVar("M")


@unique
class Edge(Enum):
    """Where a cursor can be moved without knowing a position."""

    BEGINNING = "beginning"
    END = "end"


def group_of(topic: str, name: str) -> str:
    """The consumer group of a cursor. No topic's name has a slash: it is no other session's group."""
    return f"{topic}/{name}"


def listing(topic: str) -> ListCursors:
    """What asks for all cursors of a session."""
    return ListCursors(prefix=group_of(topic, ""))


def names_of(topic: str, groups: tuple[str, ...]) -> tuple[str, ...]:
    """The cursors that these groups are."""
    return tuple(group.removeprefix(group_of(topic, "")) for group in groups)


@frozen(kw_only=True)
class Taken(Generic[M]):
    """What a read of a cursor found, and where the next one goes on once the caller has it."""

    page: Page[M]
    bookmark: tuple[CommittedOffset, ...] | None
    known: Known
    heard: Heard


@define
class CursorAsking(Generic[M]):
    """One cursor: where its reads go on, and what it stores when it is told to.

    A read hands out what comes after the last one of this object, at first what comes after the committed
    place. Nothing is stored before `commit`: after a crash what was not committed comes again.
    """

    ask: Asking[M]
    name: str
    now_ms: Callable[[], int]
    bookmark: tuple[CommittedOffset, ...] | None = field(default=None, init=False)
    known: Known = field(factory=Known, init=False)
    heard: Heard = field(factory=Heard, init=False)

    @property
    def group(self) -> str:
        """The consumer group that holds the place."""
        return group_of(self.ask.placement.topic, self.name)

    def read(self, count: int, wait_seconds: float) -> Plan[Taken[M]]:
        """The next messages; where there are none, those that come within the time."""
        wait_ms = arguments.milliseconds(wait_seconds, "wait_seconds")
        before: Taken[M] = Taken(
            page=Page(ended=Ended.COUNT), bookmark=self.bookmark, known=self.known, heard=self.heard
        )
        if arguments.whole(count, "count") == 0:
            return _without_asking(before)
        return self._read(before, count, wait_ms)

    def took(self, taken: Taken[M]) -> Page[M]:
        """The caller has it: the next read goes on behind it."""
        self.bookmark, self.known, self.heard = taken.bookmark, taken.known, taken.heard
        return taken.page

    def _read(self, before: Taken[M], count: int, wait_ms: int) -> Plan[Taken[M]]:
        end_ms, topic = self.now_ms() + wait_ms, self.ask.placement.topic
        taken = yield from self._next(before, count)
        # Again, while there is time: what comes may be no message.
        while not taken.page.entries and (left_ms := end_ms - self.now_ms()) > 0:
            end = taken.page.end
            # There is no session yet, and nothing of it that could be watched: it is looked for again.
            positions = () if end is None else end.after
            wait_ms_max = min(left_ms, POLL_MS) if end is None else left_ms
            news: bool = yield WatchRequest(topic=topic, positions=positions, wait_ms_max=wait_ms_max)
            if news or self.now_ms() < end_ms:
                taken = yield from self._next(taken, count)
        return taken

    def _next(self, before: Taken[M], count: int) -> Plan[Taken[M]]:
        start = FromCommitted(self.group) if before.bookmark is None else FromBookmark(before.bookmark)
        request = evolve(self.ask.request(start), with_bookmark=True)
        known_before = self.ask.memory.known if before.bookmark is None else before.known
        found = yield from onward(request, count, known_before, before.heard)
        if isinstance(found, Failed):
            raise read_error(found.failure, self.ask.session, self.ask.placement.topic)
        page, known = found
        self.ask.memory.learn(known_before, known)
        return Taken(
            page=self.ask.page(page, Ended.COUNT if page.newer else Ended.END),
            bookmark=page.bookmark if page.exists else None,
            known=known,
            heard=before.heard.after(known.removals, older=page.older) if page.exists else before.heard,
        )

    def commit(self) -> Plan[None]:
        """Store the place behind all that was read."""
        if self.bookmark is None:
            return _stored()
        return self._moved(FromBookmark(self.bookmark))

    def seek(self, target: Any) -> Plan[None]:
        """Move the cursor, and store its new place."""
        match target:
            case Edge.BEGINNING:
                return self._moved(FromBeginning())
            case Edge.END:
                return self._moved(FromEnd())
            case datetime():
                return self._moved(FromBeginning(), since_ms=arguments.timestamp(target, "target"))
            case ChatPosition():
                place = arguments.position_of(self.ask.session, target)
                return self._moved(FromPositions(place.before, place.topic_id))
            case _:
                raise ValueError(
                    "a cursor moves to a ChatPosition, a datetime, Edge.BEGINNING or Edge.END,"
                    f" not to a {type(target).__name__}"
                )

    def moved(self) -> None:
        """The cursor was moved: the next read begins where it stands."""
        self.bookmark, self.heard = None, Heard()

    def _moved(self, start: Start, since_ms: int | None = None) -> Plan[None]:
        request = evolve(self.ask.request(start), since_ms=since_ms, only_move=True, commit_to=self.group)
        outcome: ReadOutcome[M] = yield request
        if isinstance(outcome, Failed):
            raise read_error(outcome.failure, self.ask.session, self.ask.placement.topic)
        if outcome.progress.unmoved is not None:
            raise read_error(outcome.progress.unmoved, self.ask.session, self.ask.placement.topic)

    def remove(self) -> RemoveCursor:
        """Forget the place; `moved` when that is done."""
        return RemoveCursor(group=self.group)


def _without_asking(taken: Taken[M]) -> Plan[Taken[M]]:
    yield from ()
    return taken


def _stored() -> Plan[None]:
    """Nothing was read: nothing is to be stored."""
    yield from ()
