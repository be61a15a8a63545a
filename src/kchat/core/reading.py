"""The reading machine: from a request to the messages of a session, and to why the read ended.

Its laws:

1. The end is listed once. Records beyond it belong to the next read, so every read ends.
2. A record is handed out only when no other partition can still hold an earlier one below its end.
3. Positions count what was handed out or skipped, never what was merely fetched.
4. A cursor moves once, at the end of a read that went well, to the positions of law 3.
5. A resent record is handed out only when its first copy does not lie before the read.
6. Time belongs to the budget: no state waits longer than its caller allowed.

All that may follow what stands in `TRANSITIONS`; docs/machines.md draws it.
"""

from typing import TypeVar, assert_never

from attrs import evolve

from kchat.core import looking_back, replaying
from kchat.core.budget import Budget
from kchat.core.commands import CommitOffsets, DescribeTopic, Fetch, FetchCommitted, FindOffsets, ListOffsets
from kchat.core.committing import commit
from kchat.core.events import (
    CommittedFetched,
    Event,
    Fetched,
    OffsetsCommitted,
    OffsetsFound,
    OffsetsListed,
    RequestFailed,
    TopicDescribed,
)
from kchat.core.failures import PASSING, BrokerError, Corrupt, ErrorKind
from kchat.core.handing import hand_out
from kchat.core.lanes import advance_lanes, relist_lanes
from kchat.core.log import Position
from kchat.core.looking_back import look_back, looked
from kchat.core.opening import find_offsets, found, opened
from kchat.core.outcomes import Complete, Failed, Limit, Partial, Progress, ReadOutcome
from kchat.core.reading_commands import describe, fetch, list_offsets
from kchat.core.reading_states import (
    TRANSITIONS,
    Committing,
    Describing,
    Fetching,
    FindingCommitted,
    FindingOffsets,
    Finished,
    ListingOffsets,
    LookingBack,
    Relisting,
    State,
)
from kchat.core.requests import FromBefore, FromBeginning, FromCommitted, FromPositions, ReadRequest

__all__ = [
    "TRANSITIONS",
    "Committing",
    "Describing",
    "Fetching",
    "FindingCommitted",
    "FindingOffsets",
    "Finished",
    "ListingOffsets",
    "LookingBack",
    "Relisting",
    "State",
    "advance",
    "pending",
    "start",
]

M = TypeVar("M")

PROBE_MS = 2_000
"""While a read follows, silence is what it waits for, and what a dead broker gives: after so much of it the
watermarks are asked for, 0.45 ms."""

COMMIT_MS_MIN = 800
"""A read that used up its time waiting still has its cursor to move; this much more is granted for it."""

ANOTHER_TOPIC = BrokerError(
    ErrorKind.OFFSET_OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", "the topic was deleted, or is another one by now"
)
"""The positions of a read are those of a topic that is gone."""

EXPECTED_MS_MAX = 1_000
"""How long a topic that the caller knows may be missing from a broker's metadata before that is believed.
A new topic is visible 2 to 7 ms after its creation on one broker; others may lag."""


def start(request: ReadRequest[M], at_ms: int) -> State[M]:
    """The first state of a read that begins at `at_ms`, the shell's monotonic clock in milliseconds."""
    if request.messages_max == 0 and not request.only_move:
        return Finished(Partial(Progress(), Limit.COUNT))
    budget = Budget.start(at_ms=at_ms, wait_ms_max=request.wait_ms_max, stall_ms_max=request.stall_ms_max)
    return Describing(request=request, budget=budget, started_ms=at_ms)


ReadCommand = DescribeTopic | FetchCommitted | ListOffsets | FindOffsets | Fetch | CommitOffsets


def pending(state: State[M]) -> ReadCommand | ReadOutcome[M]:
    """What to do next: a command for the shell, or the outcome. A function of the state alone."""
    match state:
        case Describing(request=request, budget=budget):
            return describe(request, budget)
        case FindingCommitted(request=request, budget=budget, partitions=partitions):
            if not isinstance(request.start, FromCommitted):
                raise AssertionError(state)
            return FetchCommitted(
                group=request.start.group,
                topic=request.topic,
                partitions=partitions,
                timeout_ms=budget.timeout_ms,
                backoff_ms=budget.backoff_ms,
            )
        case ListingOffsets(request=request, budget=budget, partitions=partitions):
            return list_offsets(request, partitions, budget)
        case FindingOffsets(budget=budget):
            return find_offsets(state, budget)
        case Relisting(fetching=fetching, budget=budget, partitions=partitions):
            return list_offsets(fetching.request, partitions, budget)
        case Fetching():
            return fetch(state)
        case LookingBack():
            return looking_back.command(state)
        case Committing(command=command, budget=budget):
            return evolve(command, timeout_ms=budget.timeout_ms, backoff_ms=budget.backoff_ms)
        case Finished(outcome=outcome):
            return outcome
        case _:
            assert_never(state)


def advance(state: State[M], event: Event) -> State[M]:
    """What the shell's answer means. An event that cannot follow the state is a defect of the shell."""
    match state, event:
        case Describing(), TopicDescribed():
            return _described(state, event)
        case FindingCommitted(), CommittedFetched():
            return ListingOffsets(
                request=state.request,
                budget=state.budget.answered(event.at_ms),
                started_ms=state.started_ms,
                partitions=state.partitions,
                topic_id=state.topic_id,
                committed=event,
            )
        case ListingOffsets(), OffsetsListed():
            return _listed(state, event)
        case FindingOffsets(), (OffsetsFound() | RequestFailed()):
            return _begun(found(state, event), state.fetching)
        case Fetching(), Fetched():
            return _fetched(state, event)
        case Relisting(), OffsetsListed():
            return _relisted(state, event)
        case LookingBack(), (Fetched() | OffsetsListed() | RequestFailed()):
            return _looked_back(state, event)
        case Committing(), OffsetsCommitted():
            return Finished(state.outcome)
        case (
            (Describing() | FindingCommitted() | ListingOffsets() | Relisting() | Committing()),
            RequestFailed(),
        ):
            return _failed_before_fetching(state, event)
        case Fetching(), RequestFailed():
            return _fetch_failed(state, event)
        case _:
            raise AssertionError(f"{type(event).__name__} cannot follow {type(state).__name__}")


def _described(state: Describing[M], event: TopicDescribed) -> State[M]:
    request, budget = state.request, state.budget.answered(event.at_ms)
    if request.known is not None:
        request = evolve(request, known=request.known.of(event.topic_id))
    partitions = event.partitions
    meant = request.start.topic_id if isinstance(request.start, FromPositions | FromBefore) else None
    if meant is not None and event.topic_id is not None and meant != event.topic_id:
        return Finished(Failed(Progress(), ANOTHER_TOPIC))
    if request.partition is not None:
        if request.partition not in partitions:
            missing = BrokerError(
                ErrorKind.UNKNOWN_TOPIC, "_UNKNOWN_PARTITION", "no such partition", request.partition
            )
            return Finished(Failed(Progress(), missing))
        partitions = (request.partition,)
    if isinstance(request.start, FromCommitted):
        return FindingCommitted(
            request=request,
            budget=budget,
            started_ms=state.started_ms,
            partitions=partitions,
            topic_id=event.topic_id,
        )
    return ListingOffsets(
        request=request,
        budget=budget,
        started_ms=state.started_ms,
        partitions=partitions,
        topic_id=event.topic_id,
        committed=None,
    )


def _listed(state: ListingOffsets[M], event: OffsetsListed) -> State[M]:
    after = opened(state, event)
    if isinstance(after, BrokerError) and after.kind in PASSING:
        return _failed_before_fetching(state, RequestFailed(at_ms=event.at_ms, error=after))
    return _begun(after, None)


def _begun(after: Fetching[M] | FindingOffsets[M] | BrokerError, fetching: Fetching[M] | None) -> State[M]:
    match after:
        case Fetching():
            return _next(after)
        case FindingOffsets():
            return after
        case BrokerError():
            return Finished(Failed(fetching.progress if fetching else Progress(), after))


def _fetched(state: Fetching[M], event: Fetched) -> State[M]:
    lanes = advance_lanes(state.lanes, event, beyond_end=state.request.follow)
    if lanes != state.lanes:
        fetched = evolve(state, lanes=lanes, budget=state.budget.answered(event.at_ms))
        return _next(replaying.confirmed(fetched))
    state = evolve(state, budget=state.budget.waited(event.at_ms))
    silent_ms = event.at_ms - state.budget.answered_ms
    probe_ms = min(PROBE_MS, state.request.stall_ms_max // 2)
    if state.request.follow and silent_ms >= probe_ms and not state.budget.spent:
        partitions = tuple(lane.partition for lane in lanes)
        return Relisting(fetching=state, budget=state.budget, partitions=partitions, probing=True)
    return _next(state)


def _relisted(state: Relisting[M], event: OffsetsListed) -> State[M]:
    fetching, start = state.fetching, state.fetching.request.start
    positions = start.positions if isinstance(start, FromPositions) else ()
    named = frozenset(position.partition for position in positions)
    lanes = relist_lanes(fetching.lanes, event.watermarks, named=named)
    emptied = any(w.low == w.high for w in event.watermarks)
    if emptied and lanes != fetching.lanes and not state.doubted and not state.budget.spent:
        return evolve(state, budget=state.budget.not_yet(event.at_ms), doubted=True)
    if isinstance(lanes, BrokerError):
        return Finished(Failed(fetching.progress, lanes))
    if lanes == fetching.lanes and not state.probing:
        # The position is in range after all, or a follower lags: the same fetch again, but not at once.
        return _next(evolve(fetching, budget=state.budget.waited(event.at_ms)))
    fetching = evolve(fetching, budget=state.budget.answered(event.at_ms))
    return _next(replaying.confirmed(replaying.overtaken(fetching, lanes)))


def _looked_back(state: LookingBack[M], event: Fetched | OffsetsListed | RequestFailed) -> State[M]:
    after = looked(state, event)
    if isinstance(after, BrokerError):
        return Finished(Failed(state.fetching.progress, after))
    if isinstance(after, LookingBack):
        return _out_of_time(evolve(after.fetching, budget=after.budget)) if after.budget.spent else after
    return _next(after)


def _next(state: Fetching[M]) -> State[M]:
    """Hand out what may be handed out, then see whether that ends the read."""
    request = state.request
    lanes, counted, stopped = hand_out(request, state.lanes, state.counted)
    state = evolve(state, lanes=lanes, counted=counted)
    if isinstance(stopped, Corrupt):
        return Finished(Failed(state.progress, stopped))
    if stopped is not None and not state.budget.spent:
        return look_back(state)
    if not request.follow and all(lane.drained for lane in lanes):
        return _ended(state, Complete(replaying.kept(state)))
    if request.messages_max is not None and len(counted.deliveries) >= request.messages_max:
        return _ended(state, Partial(state.progress, Limit.COUNT))
    if state.budget.spent:
        return _out_of_time(state)
    return state


def _out_of_time(state: Fetching[M]) -> State[M]:
    """The caller's limit is reached, or the broker went silent: not the same thing to the caller."""
    trouble, progress = state.budget.trouble, state.progress
    if trouble is not None:
        return Finished(Failed(progress, trouble))
    stalled = state.request.wait_ms_max is None
    if stalled or not (state.request.follow or progress.skipped or any(lane.moved for lane in state.lanes)):
        silence = BrokerError(
            ErrorKind.TIMED_OUT, "_TIMED_OUT", "records are there but none was delivered in time"
        )
        return Finished(Failed(progress, silence))
    return _ended(state, Partial(progress, Limit.TIME))


def _ended(state: Fetching[M], outcome: Complete[M] | Partial[M]) -> State[M]:
    """The read went well: move the cursor, if there is one and it has to move."""
    request = state.request
    if not _settled(state, outcome):
        return Finished(evolve(outcome, progress=evolve(outcome.progress, settled=False)))
    if request.commit_to is None:
        return Finished(outcome)
    continued = request.start == FromCommitted(request.commit_to)
    lanes = tuple(lane for lane in state.lanes if lane.moved or not continued)
    if not lanes:
        return Finished(outcome)
    command = commit(request.commit_to, state, lanes)
    return Committing(command=command, budget=state.budget.extended(COMMIT_MS_MIN), outcome=outcome)


def _settled(state: Fetching[M], outcome: Complete[M] | Partial[M]) -> bool:
    """Whether no removal that is not known can lie behind what was handed out."""
    known, topic_id = state.request.known, state.topic_id
    if known is None or not (isinstance(outcome, Partial) and outcome.limit is Limit.COUNT):
        return True
    resumed = tuple(lane.resume_position for lane in state.lanes)
    stretch = known.stretch_from(topic_id, resumed)
    if stretch is None:
        return False
    ends = tuple(Position(lane.partition, lane.end) for lane in state.lanes)
    return state.request.known_enough or (topic_id not in {None, ""} and stretch.reaches(ends))


def _failed_before_fetching(
    state: Describing[M] | FindingCommitted[M] | ListingOffsets[M] | Relisting[M] | Committing[M],
    event: RequestFailed,
) -> State[M]:
    error, budget = event.error, state.budget.failed(event.at_ms, event.error)
    if isinstance(state, Describing) and error.kind is ErrorKind.UNKNOWN_TOPIC:
        return _topic_missing(state, event)
    if isinstance(state, FindingCommitted | ListingOffsets) and error.kind is ErrorKind.UNKNOWN_TOPIC:
        return _described_again(state, event)
    if error.kind in PASSING and not budget.spent:
        return evolve(state, budget=budget)
    if isinstance(state, Describing) and error.kind is ErrorKind.TIMED_OUT and _has_only_waited(state):
        return Finished(Partial(Progress(), Limit.TIME))
    cause = budget.trouble or error
    match state:
        case Relisting(fetching=fetching):
            return Finished(Failed(fetching.progress, cause))
        case Committing(outcome=outcome) if _hands_out(state.budget, error):
            return Finished(evolve(outcome, progress=evolve(outcome.progress, unmoved=cause)))
        case Committing(outcome=outcome):
            return Finished(Failed(outcome.progress, cause))
        case _:
            return Finished(Failed(Progress(), cause))


def _hands_out(budget: Budget, error: BrokerError) -> bool:
    """Whether a read whose commit failed so hands out its messages all the same: rather twice than never.

    An attempt whose answer was lost may have moved it; what was read of a topic that is gone comes no more.
    """
    maybe_moved = budget.trouble is not None and error.kind is not ErrorKind.DENIED
    return maybe_moved or error.kind in {*PASSING, ErrorKind.UNKNOWN_TOPIC}


def _has_only_waited(state: Describing[M]) -> bool:
    """Whether every look so far found no topic, so that the caller's limit just cut the last one short."""
    return state.request.follow and state.budget.failures > 0 and state.budget.trouble is None


def _described_again(state: FindingCommitted[M] | ListingOffsets[M], event: RequestFailed) -> State[M]:
    """Nothing is read yet, and the topic was deleted since it was described, or a leader lags behind."""
    budget = state.budget.not_yet(event.at_ms)
    if budget.spent or event.at_ms - state.started_ms >= EXPECTED_MS_MAX:
        return Finished(Failed(Progress(), event.error))
    return Describing(request=state.request, budget=budget, started_ms=state.started_ms)


def _topic_missing(state: Describing[M], event: RequestFailed) -> State[M]:
    """A session that was never written is an empty conversation (docs/adr/0009-missing-topic.md)."""
    request, budget = state.request, state.budget.not_yet(event.at_ms)
    if request.topic_expected and event.at_ms - state.started_ms < EXPECTED_MS_MAX and not budget.spent:
        return evolve(state, budget=budget)
    if isinstance(request.start, FromPositions | FromBefore) and request.start.topic_id is not None:
        return Finished(Failed(Progress(), ANOTHER_TOPIC))
    if not request.follow:
        return Finished(Complete(Progress()))
    if budget.spent:
        return Finished(Partial(Progress(), Limit.TIME))
    # Whatever appears from now on is new: the end of a missing topic is its beginning.
    return evolve(state, budget=budget, request=evolve(request, start=FromBeginning()))


def _fetch_failed(state: Fetching[M], event: RequestFailed) -> State[M]:
    error, budget = event.error, state.budget.failed(event.at_ms, event.error)
    if error.kind is ErrorKind.OFFSET_OUT_OF_RANGE:
        if budget.spent:
            return Finished(Failed(state.progress, error))
        refused = tuple(lane.partition for lane in state.lanes if error.partition in {None, lane.partition})
        return Relisting(fetching=state, budget=budget, partitions=refused)
    if error.kind not in PASSING:
        return Finished(Failed(state.progress, error))
    state = evolve(state, budget=budget)
    return _out_of_time(state) if budget.spent else state
