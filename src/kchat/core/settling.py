"""Settling: a read that moves its cursor, without the messages that a marker anywhere behind them removes.

Where such a read comes to the end of the log, all markers are among what it read: it is one read. One that
its count ends may move the cursor only when it is known what lies behind; so the markers there are looked
for, and it is asked again with them. It is the last read of all that moves the cursor, so that a caller who
is gone before it has the messages finds the cursor where it was.
"""

from collections.abc import Callable
from typing import TypeVar

from attrs import evolve

from kchat.core.known import Known, Stretch
from kchat.core.known_removals import removals_after
from kchat.core.outcomes import Complete, Failed, Limit, Partial, Progress, ReadOutcome
from kchat.core.plans import Plan
from kchat.core.removals import Removals
from kchat.core.requests import ReadRequest

M = TypeVar("M")

SCAN_MIN = 1_000
"""Records of one fetch that looks for markers, at least."""


def settled_read(
    request: ReadRequest[M], known: Known, now_ms: Callable[[], int]
) -> Plan[tuple[ReadOutcome[M], Known]]:
    """The outcome of a read that moves its cursor, and the removals that are known by then.

    `now_ms` is the shell's monotonic clock: all reads together take no longer than `wait_ms_max`. Where the
    time is over before all markers are seen, nothing is handed out and nothing moved; the next call, given
    what is known, goes on there.
    """
    end_ms = None if request.wait_ms_max is None else now_ms() + request.wait_ms_max

    def timed(asking: ReadRequest[M], known: Known | None = None) -> ReadRequest[M]:
        left_ms = None if end_ms is None else max(0, end_ms - now_ms())
        return evolve(asking, wait_ms_max=left_ms, known=known)

    asking = evolve(request, with_topic_id=True, with_removals=True)
    while True:
        outcome: ReadOutcome[M] = yield timed(asking, known)
        progress = outcome.progress
        if progress.settled:
            return outcome, known
        scanned = yield from removals_after(asking, progress.topic_id, progress.began, known, timed)
        if isinstance(scanned, Failed):
            return Failed(Progress(), scanned.failure), known
        known = scanned
        if end_ms is not None and now_ms() >= end_ms:
            return Partial(Progress(positions=progress.began, topic_id=progress.topic_id), Limit.TIME), known
        # What comes from now on is not waited for: the call would not end while others append.
        asking = evolve(asking, known_enough=True)


def settled_batch(request: ReadRequest[M], known: Known) -> Plan[tuple[ReadOutcome[M], Known]]:
    """The outcome of a read that moves no cursor, without what a marker anywhere behind it removes.

    Messages may be fewer than the request's count, or none, and the outcome still says that there are more.
    """
    asking = evolve(request, with_topic_id=True, with_removals=True)
    outcome: ReadOutcome[M] = yield asking
    progress = outcome.progress
    if isinstance(outcome, Partial):
        # What a batch takes in memory, the look behind it may take, too.
        looking = evolve(asking, fetch_max=min(max(SCAN_MIN, request.messages_max or 0), request.fetch_max))
        scanned = yield from removals_after(looking, progress.topic_id, progress.positions, known)
        if isinstance(scanned, Failed):
            return Failed(Progress(), scanned.failure), known
        known = scanned
    elif isinstance(outcome, Complete):
        seen = Stretch(progress.began, progress.positions)
        found = Removals.among(progress.deliveries)
        known = known.seen(progress.topic_id, seen, found, to_end=True)
    removals = known.of(progress.topic_id).removals | Removals.among(progress.deliveries)
    shown = evolve(progress, deliveries=removals.visible(progress.deliveries))
    return evolve(outcome, progress=shown), known
