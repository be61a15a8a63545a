"""Replaying again: the next whole read fetches only what is new, and gives what a fresh one would.

What was found is believed as long as the log shows that it is still the same log:

1. the topic has the id that it had, and the same partitions;
2. the log begins where it began, and no partition ends before the place where the last read ended;
3. the last record of each partition that has new ones is fetched again, and is the record that it was;
4. nothing new belongs, by the order across partitions, before something that was handed out.

Where one of these does not hold, the read begins afresh. So it does where older messages are wanted than the
last read was asked for; where only younger ones are (`since_ms`), what is too old by now goes. Compaction,
which takes records out of the middle, is not seen before rule 3 meets it: a topic of conversations must not
be compacted.
"""

from typing import TypeVar

from attrs import evolve

from kchat.core.handing import Counted
from kchat.core.lanes import Lane
from kchat.core.log import Watermarks
from kchat.core.outcomes import Progress
from kchat.core.reading_states import Fetching
from kchat.core.replayed import Replayed, stacked, stacked_ids
from kchat.core.requests import FromBeginning, ReadRequest

M = TypeVar("M")


def asked(request: ReadRequest[M]) -> object:
    """What of a request decides which messages a whole read gives."""
    return (
        request.topic,
        request.key,
        request.partition,
        request.decoder,
        request.on_corrupt,
        request.with_removals,
    )


def behind(state: Fetching[M], watermarks: tuple[Watermarks, ...]) -> Fetching[M]:
    """Go on behind what was found, by rules 1 and 2; or forget it, and begin afresh."""
    replayed = state.request.replayed
    if replayed is None or replayed == Replayed():
        return state
    # A broker that keeps no topic ids, as the mock does, cannot show that the topic is the same.
    same = replayed.asked == asked(state.request) and state.topic_id not in {None, ""}
    if not (same and _reaches(replayed.since_ms, state.request.since_ms)):
        return _forgetting(state)
    if replayed.topic_id != state.topic_id or len(replayed.lanes) != len(state.lanes):
        return _forgetting(state)
    lanes = tuple(map(_behind, state.lanes, replayed.lanes, watermarks))
    if None in lanes:
        return _forgetting(state)
    return evolve(state, lanes=tuple(lane for lane in lanes if lane is not None))


def confirmed(state: Fetching[M]) -> Fetching[M]:
    """Judge what came by rules 3 and 4; afresh where it breaks them."""
    replayed = state.request.replayed
    if replayed is None or not replayed.lanes:
        return state
    lanes = tuple(map(_confirmed, state.lanes))
    filled = {lane.partition for lane in replayed.lanes if lane.last is not None}
    latest_ms = max((lane.latest_ms for lane in replayed.lanes), default=-1)
    in_order = all(
        filled <= {lane.partition} or all(record.timestamp_ms > latest_ms for record in lane.buffer)
        for lane in lanes
        if lane is not None
    )
    if None in lanes or not in_order:
        return afresh(state)
    return evolve(state, lanes=tuple(lane for lane in lanes if lane is not None))


def afresh(state: Fetching[M]) -> Fetching[M]:
    """The same read from the beginning, to the same end."""
    lanes = tuple(
        evolve(lane, position=lane.begin, buffer=(), last=None, latest_ms=-1, expected=None)
        for lane in state.lanes
    )
    return evolve(_forgetting(state), lanes=lanes, counted=Counted(ids=state.request.resent_before))


def overtaken(state: Fetching[M], lanes: tuple[Lane, ...]) -> Fetching[M]:
    """Go on with lanes that retention has moved, a whole read afresh from where the log begins now.

    What it had handed out before the gap is deleted, too, and the caller has none of it yet: with that it
    would be a conversation without its middle.
    """
    request, moved = state.request, evolve(state, lanes=lanes)
    whole = isinstance(request.start, FromBeginning) and not request.follow
    some = state.counted.deliveries or (request.replayed is not None and request.replayed.chunks)
    if lanes == state.lanes or not (whole and some):
        return moved
    begun = tuple(evolve(lane, begin=min(max(lane.begin, lane.low), lane.end)) for lane in lanes)
    again = afresh(evolve(moved, lanes=begun))
    return again if request.replayed is not None else evolve(again, request=request)


def kept(state: Fetching[M]) -> Progress[M]:
    """What the read has handed out, and what the next one can go on behind."""
    replayed, progress = state.request.replayed, state.progress
    if replayed is None or not state.topic_id:
        return evolve(progress, replayed=None)
    after: Replayed[M] = Replayed(
        asked=asked(state.request),
        topic_id=state.topic_id,
        lanes=state.lanes,
        chunks=stacked(replayed.chunks, tuple(delivery.message for delivery in progress.deliveries)),
        ranks=stacked(replayed.ranks, tuple(delivery.rank for delivery in progress.deliveries)),
        message_ids=stacked(
            replayed.message_ids, tuple(delivery.message_id for delivery in progress.deliveries)
        ),
        ids=stacked_ids(replayed.ids, state.counted.ids),
        skipped=replayed.skipped + progress.skipped,
        skipped_ms=replayed.skipped_ms + state.counted.skipped_ms,
        duplicates=replayed.duplicates + progress.duplicates,
    )
    return evolve(progress, replayed=after.since(state.request.since_ms))


def _reaches(found_ms: int | None, since_ms: int | None) -> bool:
    """Whether all that is wanted was wanted before."""
    return found_ms is None or (since_ms is not None and since_ms >= found_ms)


def _forgetting(state: Fetching[M]) -> Fetching[M]:
    return evolve(state, request=evolve(state.request, replayed=Replayed()))


def _behind(fresh: Lane, found: Lane, watermarks: Watermarks) -> Lane | None:
    """A fresh lane, moved to where the last read ended; None where rule 2 does not hold."""
    # "Nothing is left" is also said by mistake, and then not of a log that begins where it began.
    emptied = watermarks.low == watermarks.high > 0
    moved = (fresh.partition, fresh.listed_low) != (found.partition, found.listed_low)
    if emptied or moved or fresh.end < found.end:
        return None
    if fresh.end == found.end or found.last is None:
        return evolve(found, end=fresh.end)
    return evolve(found, end=fresh.end, position=found.last.offset, expected=found.last)


def _confirmed(lane: Lane) -> Lane | None:
    """The lane without the record that was fetched again; None where another one is in its place."""
    if lane.expected is None or lane.position <= lane.expected.offset:
        return lane
    if lane.buffer[:1] != (lane.expected,):
        return None
    return evolve(lane, expected=None, buffer=lane.buffer[1:])
