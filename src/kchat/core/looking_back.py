"""Looking back: was the first copy of a resent record before the place where the read began?

A record that is marked as resent is a message only if no earlier attempt stored it. Where a read begins at a
cursor or a position, the first copy may lie before that, and was handed out then. So the read looks there
before it hands out the record. Only a resent record costs this, and at most `LOOK_BACK_RECORDS` are read.
"""

from typing import TypeVar

from attrs import evolve

from kchat.core.budget import Budget
from kchat.core.commands import Fetch, ListOffsets
from kchat.core.events import Fetched, OffsetsListed, RequestFailed
from kchat.core.failures import PASSING, BrokerError, ErrorKind
from kchat.core.handing import first_copy, message_id
from kchat.core.lanes import Lane, advance_lanes, relist_lanes
from kchat.core.reading_states import Fetching, LookingBack
from kchat.core.wire import HEADER_RESENT

M = TypeVar("M")

LOOK_BACK_RECORDS = 10_000
"""How far before its beginning a read looks, in offsets of each partition: one fetch, about 30 ms. A first
copy that is further away was sent 10,000 messages before its second one."""


def look_back(fetching: Fetching[M]) -> LookingBack[M]:
    """Begin to look for the first copies of all resent records that are fetched and not known yet."""
    counted = fetching.counted
    ids = (
        message_id(record)
        for lane in fetching.lanes
        for record in lane.buffer
        if record.header(HEADER_RESENT) is not None
    )
    return LookingBack(
        fetching=fetching,
        budget=fetching.budget,
        wanted=frozenset(known for known in ids if known is not None) - counted.ids - counted.looked_for,
        lanes=tuple(
            Lane(partition=lane.partition, begin=first, position=first, end=lane.begin)
            for lane in fetching.lanes
            for first in [max(0, lane.begin - LOOK_BACK_RECORDS)]
        ),
    )


def command(state: LookingBack[M]) -> Fetch | ListOffsets:
    """What to ask: the records before the beginning, or where the log begins now."""
    request, budget = state.fetching.request, state.budget
    if state.refused:
        return ListOffsets(
            topic=request.topic,
            partitions=state.refused,
            timeout_ms=budget.timeout_ms,
            backoff_ms=budget.backoff_ms,
        )
    return Fetch(
        topic=request.topic,
        positions=tuple(lane.fetch_position for lane in state.lanes if not lane.at_end),
        records_max=LOOK_BACK_RECORDS,
        wait=False,
        timeout_ms=budget.timeout_ms,
        backoff_ms=budget.backoff_ms,
    )


def looked(
    state: LookingBack[M], event: Fetched | OffsetsListed | RequestFailed
) -> LookingBack[M] | Fetching[M] | BrokerError:
    """What the answer means: look on, go on with the read, or fail it."""
    match event:
        case Fetched():
            return _seen(state, event)
        case OffsetsListed():
            return _relisted(state, event)
        case RequestFailed(error=error) if error.kind is ErrorKind.OFFSET_OUT_OF_RANGE:
            partitions = tuple(lane.partition for lane in state.lanes)
            refused = partitions if error.partition is None else (error.partition,)
            return _on(evolve(state, refused=refused), state.budget.failed(event.at_ms, error))
        case RequestFailed(error=error) if error.kind in PASSING:
            return _on(state, state.budget.failed(event.at_ms, error))
        case RequestFailed(error=error):
            return error


def _seen(state: LookingBack[M], event: Fetched) -> LookingBack[M] | Fetching[M]:
    lanes = advance_lanes(state.lanes, event, beyond_end=False)
    if lanes == state.lanes:
        return _on(state, state.budget.waited(event.at_ms))
    request, wanted = state.fetching.request, state.wanted
    copies = (first_copy(request, record, wanted) for lane in lanes for record in lane.buffer)
    found = state.found | frozenset(known for known in copies if known is not None)
    emptied = tuple(evolve(lane, buffer=()) for lane in lanes)
    return _on(evolve(state, lanes=emptied, found=found), state.budget.answered(event.at_ms))


def _relisted(state: LookingBack[M], event: OffsetsListed) -> LookingBack[M] | Fetching[M] | BrokerError:
    lanes = relist_lanes(state.lanes, event.watermarks, named=frozenset())
    emptied = any(w.low == w.high for w in event.watermarks)
    if emptied and not state.doubted:
        return _on(evolve(state, doubted=True), state.budget.not_yet(event.at_ms))
    if isinstance(lanes, BrokerError):
        return lanes
    moved = lanes != state.lanes
    budget = state.budget.answered(event.at_ms) if moved else state.budget.waited(event.at_ms)
    return _on(evolve(state, lanes=lanes, refused=(), doubted=False), budget)


def _on(state: LookingBack[M], budget: Budget) -> LookingBack[M] | Fetching[M]:
    """Look on, unless all is seen: then the read goes on with what is known."""
    over = state.found == state.wanted or all(lane.at_end for lane in state.lanes)
    if not over:
        return evolve(state, budget=budget)
    fetching, counted = state.fetching, state.fetching.counted
    counted = evolve(
        counted,
        ids=counted.ids | state.found,
        looked_for=counted.looked_for | state.wanted,
        found=counted.found | state.found,
    )
    return evolve(fetching, budget=budget, counted=counted)
