"""Onward: the messages from a place on, without those that a marker anywhere behind them removes.

A read that a count ends has not seen the markers behind its end; they are looked for before its messages are
shown. Removed messages do not count: it goes on until there are as many as were asked for.
"""

from typing import TypeVar

from attrs import evolve

from kchat.core.continuing import continued
from kchat.core.known import NOTHING_KNOWN, Known, Stretch
from kchat.core.known_removals import removals_after
from kchat.core.outcomes import Complete, Delivery, Failed, Progress, ReadOutcome
from kchat.core.plans import Plan
from kchat.core.removals import Removals, target_of
from kchat.core.requests import FromBookmark, ReadRequest
from kchat.core.slices import Positions, Slice, hidden_in
from kchat.core.telling import NOTHING_TOLD, Heard

M = TypeVar("M")


def onward(
    request: ReadRequest[M],
    messages_max: int | None = None,
    known: Known = NOTHING_KNOWN,
    heard: Heard = NOTHING_TOLD,
    *,
    ends_in_time: bool = False,
) -> Plan[tuple[Slice[M], Known] | Failed[M]]:
    """The messages from the request's start on, and the removals that are known by then.

    Args:
        request: which session, from where, of which times, how to decode; its own `messages_max` is not used.
        messages_max: how many messages at most, at least 1, and of markers that are told of; None for all up
            to the end of the log.
        known: the removals that an earlier plan returned.
        heard: which of the markers are told of, among the messages.
        ends_in_time: end before the first record of the request's `until_ms` or later, not behind all that
            was read.
    """
    asking = evolve(request, messages_max=messages_max, with_topic_id=True, with_removals=True)
    read: Progress[M] = Progress()
    began: Positions | None = None
    older = False
    while True:
        outcome: ReadOutcome[M] = yield asking
        progress = outcome.progress
        read = _after(read, progress)
        if began is None:
            began, older = progress.began, bool(progress.older) or progress.resumed
        if isinstance(outcome, Failed):
            shown = _shown(read.deliveries, known.of(read.topic_id).removals, heard, older=older)
            return evolve(outcome, progress=evolve(read, deliveries=shown))
        complete = isinstance(outcome, Complete)
        if complete:
            # All markers from the beginning of this read on are among what it read.
            seen = Stretch(began, read.positions)
            known = known.seen(read.topic_id, seen, Removals.among(read.deliveries), to_end=True)
        else:
            scanned = yield from removals_after(request, progress.topic_id, progress.positions, known)
            if isinstance(scanned, Failed):
                # What it found stands behind messages that nobody got.
                return Failed(Progress(), scanned.failure)
            known = scanned
        shown = _shown(read.deliveries, known.removals, heard, older=older)
        if complete or messages_max is None or len(shown) >= messages_max:
            break
        asking = _continued(asking, outcome, messages_max - len(shown))
    removals = known.removals | Removals.among(read.deliveries)
    found = _slice(read, shown, began, older=older, newer=not complete)
    if ends_in_time and read.too_late:
        found = found.up_to(read.too_late)
    return found, evolve(known, removals=removals)


def _shown(
    deliveries: tuple[Delivery[M], ...], removals: Removals, heard: Heard, *, older: bool
) -> tuple[Delivery[M], ...]:
    """What is handed out: the messages that nothing removes, and the markers that the reader is told of."""
    shown = (removals | Removals.among(deliveries)).visible(deliveries)
    markers = tuple(d for d in deliveries if target_of(d.message) is not None)
    news = heard.news(markers, older=older)
    if not news:
        return shown
    # Each where it was read: an order that is made of some alone can be another one, where time goes back.
    places = {(d.partition, d.offset) for d in (*shown, *news)}
    return tuple(d for d in deliveries if (d.partition, d.offset) in places)


def _after(read: Progress[M], progress: Progress[M]) -> Progress[M]:
    if not progress.positions:  # it failed before it began: it goes on where the one before it ended
        progress = evolve(progress, positions=read.positions, topic_id=read.topic_id, bookmark=read.bookmark)
    return evolve(
        progress,
        deliveries=read.deliveries + progress.deliveries,
        skipped=read.skipped + progress.skipped,
        resent=read.resent | progress.resent,
        too_late=read.too_late + progress.too_late,
    )


def _continued(asking: ReadRequest[M], outcome: ReadOutcome[M], messages_max: int) -> ReadRequest[M]:
    if asking.with_bookmark:
        start = FromBookmark(outcome.progress.bookmark)
        return evolve(asking, start=start, messages_max=messages_max)
    further = continued(asking, outcome)
    if further is None:
        raise AssertionError(f"a read without a limit of time ended as {outcome}")
    return evolve(further, messages_max=messages_max)


def _slice(
    read: Progress[M], shown: tuple[Delivery[M], ...], began: Positions, *, older: bool, newer: bool
) -> Slice[M]:
    return Slice(
        deliveries=shown,
        hidden=hidden_in(read.deliveries, shown),
        skipped=read.skipped,
        begin=began,
        end=read.positions,
        topic_id=read.topic_id,
        older=older,
        newer=newer,
        resent=read.resent,
        bookmark=read.bookmark,
    )
