"""A named cursor: one of any number of independent readers of a session whose place is kept in Kafka.

Its place is the committed offsets of a consumer group of its own, `<topic>/<name>`. What both faces have in
common is here.
"""

from datetime import datetime
from enum import Enum, unique
from typing import Any, Generic, TypeVar

from attrs import define, evolve, field

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
    in_order,
    onward,
    read_error,
)

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


@define
class CursorAsking(Generic[M]):
    """One cursor: where its reads go on, and what it stores when it is told to.

    A read hands out what comes after the last one of this object, at first what comes after the committed
    place. Nothing is stored before `commit`: after a crash what was not committed comes again.
    """

    ask: Asking[M]
    name: str
    bookmark: tuple[CommittedOffset, ...] | None = field(default=None, init=False)
    known: Known = field(factory=Known, init=False)

    @property
    def group(self) -> str:
        """The consumer group that holds the place."""
        return group_of(self.ask.placement.topic, self.name)

    def read(self, count: int, wait_seconds: float) -> Plan[Page[M]]:
        """The next messages; where there are none, those that come within the time."""
        wait_ms = arguments.milliseconds(wait_seconds, "wait_seconds")
        if arguments.whole(count, "count") == 0:
            return _none()
        return self._read(count, wait_ms)

    def _read(self, count: int, wait_ms: int) -> Plan[Page[M]]:
        page = yield from self._next(count)
        if not page.entries and wait_ms and page.end is not None:
            news: bool = yield WatchRequest(
                topic=self.ask.placement.topic, positions=page.end.after, wait_ms_max=wait_ms
            )
            if news:
                page = yield from self._next(count)
        return page

    def _next(self, count: int) -> Plan[Page[M]]:
        start = FromCommitted(self.group) if self.bookmark is None else FromBookmark(self.bookmark)
        request = evolve(self.ask.request(start), with_bookmark=True)
        found = yield from onward(request, count, self.known)
        if isinstance(found, Failed):
            raise read_error(found.failure, self.ask.session, self.ask.placement.topic)
        page, known = found
        # What an earlier read handed out may be removed by now: who reads on is told so.
        news = tuple(marker for marker in page.markers if not self.known.removals.keeps(marker))
        if news and self.bookmark is not None:
            page = evolve(page, deliveries=in_order((*page.deliveries, *news)))
        self.known = known
        self.bookmark = page.bookmark if page.exists else None
        return self.ask.page(page, Ended.COUNT if page.newer else Ended.END)

    def commit(self) -> Plan[None]:
        """Store the place behind all that was read."""
        if self.bookmark is None:
            return _stored()
        return self._moved(FromBookmark(self.bookmark))

    def seek(self, target: Any) -> Plan[None]:
        """Move the cursor, and store its new place."""
        match target:
            case Edge.BEGINNING:
                return self._sought(FromBeginning())
            case Edge.END:
                return self._sought(FromEnd())
            case datetime():
                return self._sought(FromBeginning(), since_ms=arguments.timestamp(target, "target"))
            case ChatPosition():
                place = arguments.position_of(self.ask.session, target)
                return self._sought(FromPositions(place.before, place.topic_id))
            case _:
                raise ValueError(
                    "a cursor moves to a ChatPosition, a datetime, Edge.BEGINNING or Edge.END,"
                    f" not to a {type(target).__name__}"
                )

    def _sought(self, start: Start, since_ms: int | None = None) -> Plan[None]:
        yield from self._moved(start, since_ms)
        self.bookmark = None

    def _moved(self, start: Start, since_ms: int | None = None) -> Plan[None]:
        request = evolve(self.ask.request(start), since_ms=since_ms, only_move=True, commit_to=self.group)
        outcome: ReadOutcome[M] = yield request
        if isinstance(outcome, Failed):
            raise read_error(outcome.failure, self.ask.session, self.ask.placement.topic)
        if outcome.progress.unmoved is not None:
            raise read_error(outcome.progress.unmoved, self.ask.session, self.ask.placement.topic)

    def remove(self) -> RemoveCursor:
        """Forget the place."""
        self.bookmark = None
        return RemoveCursor(group=self.group)


def _none() -> Plan[Page[Any]]:
    yield from ()
    return Page(ended=Ended.COUNT)


def _stored() -> Plan[None]:
    """Nothing was read: nothing is to be stored."""
    yield from ()
