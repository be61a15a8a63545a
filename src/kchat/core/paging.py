"""Paging: the newest messages before a place, read backwards in windows that grow.

How far back so many messages lie is not known: gaps, other sessions' records, second copies and removed
messages lie in between. So the first window is as wide as it has to be at least, and each further one is
wider, until there are enough or nothing is left. The cost follows what is asked for, not what is there.
"""

from typing import Any, TypeVar

from attrs import evolve, frozen

from kchat.core.failures import Corrupt
from kchat.core.known import NOTHING_KNOWN, Known, Stretch
from kchat.core.known_removals import removals_after
from kchat.core.log import Position
from kchat.core.outcomes import Delivery, Failed, Progress, ReadOutcome
from kchat.core.plans import Plan
from kchat.core.removals import NO_REMOVALS, Removals
from kchat.core.requests import FromBefore, OnCorrupt, ReadRequest
from kchat.core.slices import Positions, Slice, hidden_in, in_order

M = TypeVar("M")

WINDOW_MIN = 16
"""Offsets beyond the wanted messages in the first window: most conversations have few gaps, if any."""

WINDOW_GROWTH = 4
WINDOW_MAX = 20_000
"""Offsets of one window, for each partition: bounds what one read holds."""


@frozen(kw_only=True)
class Paging:
    """What a page is of.

    Attributes:
        messages_max: how many messages, at least 1.
        before: the page ends here; None: at the end of the log.
        topic_id: the topic that `before` is of.
    """

    messages_max: int
    before: Positions | None = None
    topic_id: str | None = None


def newest(
    request: ReadRequest[M], page: Paging, known: Known = NOTHING_KNOWN
) -> Plan[tuple[Slice[M], Known] | Failed[M]]:
    """The newest messages before a place, oldest first, and the removals that are known by then.

    `request` says which session, how to decode, and from which time on; how it treats a corrupt record is
    kept to for those among or behind the messages that are given, not for what the windows hold before them.
    """
    behind = NO_REMOVALS  # a page at the end of the log has all that removes its messages in its windows
    if page.before is not None:
        # What removes a message lies behind it, and that may be behind the page.
        scanned = yield from removals_after(request, page.topic_id, page.before, known)
        if isinstance(scanned, Failed):
            return scanned
        known, behind = scanned, scanned.removals
    windows = _Windows(page=page, removals=behind)
    asking = evolve(
        request, on_corrupt=OnCorrupt.SKIP, with_topic_id=True, with_removals=True, messages_max=None
    )
    span, before, topic_id = min(page.messages_max + WINDOW_MIN, WINDOW_MAX), page.before, page.topic_id
    while True:
        outcome: ReadOutcome[M] = yield evolve(asking, start=FromBefore(span, before, topic_id))
        if isinstance(outcome, Failed):
            return outcome
        windows = windows.with_older(outcome.progress)
        if not outcome.progress.older or len(windows.usable) >= page.messages_max:
            break
        span, before = min(span * WINDOW_GROWTH, WINDOW_MAX), outcome.progress.began
        topic_id = outcome.progress.topic_id
    learnt = windows.known(known)
    found = windows.slice()
    corrupt = found.skipped if request.on_corrupt is OnCorrupt.RAISE else ()
    if corrupt:
        return _failed(found, corrupt)
    return found, learnt


@frozen(kw_only=True)
class _Windows:
    """The windows that were read, the newest first, and what of them can be shown."""

    page: Paging
    removals: Removals
    progresses: tuple[Progress[Any], ...] = ()
    merged: tuple[Delivery[Any], ...] = ()

    def with_older(self, progress: Progress[Any]) -> "_Windows":
        """One more, before the others."""
        return evolve(
            self,
            progresses=(*self.progresses, progress),
            merged=in_order((*progress.deliveries, *self.merged)),
            removals=self.removals | Removals.among(progress.deliveries),
        )

    @property
    def usable(self) -> tuple[Delivery[Any], ...]:
        """The messages that nothing which was not read yet can lie between."""
        return self.removals.visible(self.merged[self._first_usable :])

    @property
    def _first_usable(self) -> int:
        """A partition that was not read to its beginning may hold messages up to the first one read of it."""
        open_ones = set(self.progresses[-1].older)
        if len(self.progresses[-1].began) == 1 or not open_ones:
            return 0
        for index, delivery in enumerate(self.merged):
            open_ones.discard(delivery.partition)
            if not open_ones:
                return index
        return len(self.merged)

    def slice(self) -> Slice[Any]:
        """The page."""
        oldest, newest = self.progresses[-1], self.progresses[0]
        usable = self.usable
        shown = usable[max(0, len(usable) - self.page.messages_max) :]
        enough = len(usable) >= self.page.messages_max
        first = next(i for i, d in enumerate(self.merged) if d is shown[0]) if enough else 0
        begin = self._cut(first) if enough else {p.partition: p.offset for p in oldest.began}
        skipped = {
            corrupt
            for progress in self.progresses
            for corrupt in progress.skipped
            if corrupt.offset >= begin.get(corrupt.partition, 0)
        }
        return Slice(
            deliveries=shown,
            hidden=hidden_in(self.merged[first:], shown),
            skipped=tuple(sorted(skipped, key=lambda corrupt: (corrupt.partition, corrupt.offset))),
            begin=tuple(Position(bound.partition, begin[bound.partition]) for bound in oldest.began),
            end=newest.positions,
            topic_id=newest.topic_id,
            older=bool(oldest.older) or len(usable) > len(shown),
            newer=self.page.before is not None,
        )

    def known(self, before: Known) -> Known:
        """The removals that are known now: all from the first window on are among what was read."""
        oldest, newest = self.progresses[-1], self.progresses[0]
        seen = Stretch(oldest.began, newest.positions)
        return before.seen(newest.topic_id, seen, self.removals, to_end=self.page.before is None)

    def _cut(self, first: int) -> dict[int, int]:
        """Where the stretch from this message on begins in each partition."""
        cut = {bound.partition: bound.offset for bound in self.progresses[-1].began}
        for delivery in self.merged[:first]:
            cut[delivery.partition] = delivery.offset + 1
        for delivery in reversed(self.merged[first:]):
            cut[delivery.partition] = delivery.offset
        return cut


def _failed(found: Slice[M], corrupt: tuple[Corrupt, ...]) -> Failed[M]:
    """The messages behind the newest corrupt record, and that one as the failure."""
    newest = max(corrupt, key=lambda record: (record.offset, record.partition))
    behind = tuple(
        delivery
        for delivery in found.deliveries
        if delivery.partition != newest.partition or delivery.offset > newest.offset
    )
    return Failed(Progress(deliveries=behind, topic_id=found.topic_id), newest)
