"""Opening a read: from where the log begins and ends to where this read begins and ends.

Where a time was asked for, the offsets of its first records come in between: what lies before them is of no
use, whether the read goes forward from the beginning or backwards.
"""

from typing import TypeVar, assert_never

from attrs import evolve

from kchat.core import replaying
from kchat.core.budget import Budget
from kchat.core.commands import FindOffsets
from kchat.core.cursors import CursorMemory
from kchat.core.events import OffsetsFound, OffsetsListed, RequestFailed
from kchat.core.failures import PASSING, BrokerError, ErrorKind
from kchat.core.handing import Counted
from kchat.core.lanes import (
    Lane,
    below_low,
    lagging,
    not_before,
    open_lanes,
    open_lanes_before,
    usable_committed,
)
from kchat.core.log import CommittedOffset
from kchat.core.reading_states import Fetching, FindingOffsets, ListingOffsets
from kchat.core.requests import (
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    ReadRequest,
)

M = TypeVar("M")


def opened(state: ListingOffsets[M], event: OffsetsListed) -> Fetching[M] | FindingOffsets[M] | BrokerError:
    """The read as it begins. An error that passes says that these watermarks are not to be believed."""
    request = state.request
    lanes = _lanes(state, event)
    if isinstance(lanes, BrokerError):
        return lanes
    if request.only_move:
        passed = _passed(request, lanes)
        if passed is not None:
            return passed
        lanes = tuple(evolve(lane, end=lane.begin) for lane in lanes)
    known: frozenset[str] = frozenset().union(*(lane.remembered.known for lane in lanes))
    fetching = Fetching(
        request=request,
        budget=state.budget.answered(event.at_ms),
        topic_id=state.topic_id,
        lanes=lanes,
        counted=Counted(ids=known | request.resent_before),
    )
    if request.replayed is not None:
        fetching = replaying.behind(fetching, event.watermarks)
        if fetching.request.replayed is not None and fetching.request.replayed.lanes:
            return fetching
    timed = request.since_ms is not None and isinstance(request.start, FromBeginning | FromBefore)
    # Where nothing seems to be left, a fetch shows whether that is so; a mere move fetches nothing.
    if timed and (request.only_move or any(w.low < w.high for w in event.watermarks)):
        return FindingOffsets(fetching=fetching, budget=fetching.budget)
    return fetching


def _passed(request: ReadRequest[M], lanes: tuple[Lane, ...]) -> BrokerError | None:
    """Why a cursor is not moved to named positions: a read from there would fail at its first fetch."""
    if not isinstance(request.start, FromPositions):
        return None
    return next((below_low(lane.fetch_position, lane.low) for lane in lanes if lane.begin < lane.low), None)


def find_offsets(state: FindingOffsets[M], budget: Budget) -> FindOffsets:
    """The command for the first records of the time that was asked for."""
    request = state.fetching.request
    return FindOffsets(
        topic=request.topic,
        partitions=tuple(lane.partition for lane in state.fetching.lanes),
        time_ms=request.since_ms or 0,
        timeout_ms=budget.timeout_ms,
        backoff_ms=budget.backoff_ms,
    )


def found(
    state: FindingOffsets[M], event: OffsetsFound | RequestFailed
) -> FindingOffsets[M] | Fetching[M] | BrokerError:
    """What the answer means. A broker that cannot tell has all records read, with the same result."""
    fetching = state.fetching
    match event:
        case OffsetsFound():
            offsets = {position.partition: position.offset for position in event.positions}
            lanes = _timed(fetching, offsets)
            return evolve(fetching, lanes=lanes, budget=state.budget.answered(event.at_ms))
        case RequestFailed(error=error) if (
            error.kind is ErrorKind.UNSUPPORTED and not fetching.request.only_move
        ):
            return evolve(fetching, budget=state.budget.answered(event.at_ms))
        case RequestFailed(error=error):
            budget = state.budget.failed(event.at_ms, error)
            if error.kind in PASSING and not budget.spent:
                return evolve(state, budget=budget)
            return budget.trouble or error


def _timed(fetching: Fetching[M], offsets: dict[int, int]) -> tuple[Lane, ...]:
    if not fetching.request.only_move:
        return not_before(fetching.lanes, offsets)
    return tuple(
        evolve(lane, begin=moved, position=moved, end=moved)
        for lane in fetching.lanes
        for moved in [min(offsets.get(lane.partition, lane.listed_end), lane.listed_end)]
    )


def _lanes(state: ListingOffsets[M], event: OffsetsListed) -> tuple[Lane, ...] | BrokerError:
    wanted: dict[int, int] = {}
    remembered: dict[int, CursorMemory] = {}
    match state.request.start:
        case FromCommitted():
            committed = state.committed.committed if state.committed else ()
            return _after_commit(state, event, committed)
        case FromBookmark(offsets=offsets):
            return _after_commit(state, event, offsets)
        case FromBefore(positions=positions, offsets=back):
            return open_lanes_before(event.watermarks, positions, back)
        case FromPositions(positions=positions):
            wanted = {position.partition: position.offset for position in positions}
        case FromEnd():
            wanted = {w.partition: w.high for w in event.watermarks}
        case FromBeginning():
            pass
        case _:
            assert_never(state.request.start)
    return open_lanes(event.watermarks, wanted, remembered)


def _after_commit(
    state: ListingOffsets[M], event: OffsetsListed, committed: tuple[CommittedOffset, ...]
) -> tuple[Lane, ...] | BrokerError:
    behind = lagging(committed, event.watermarks, state.topic_id)
    if behind is not None:
        return behind
    wanted, remembered = usable_committed(committed, event.watermarks, state.topic_id)
    return open_lanes(event.watermarks, wanted, remembered)
