"""The provisioning machine: a topic is made to exist, empty or gone; cursors are listed and removed.

Its laws:

1. Look first: an existing topic is left as it is, a missing one is not deleted.
2. Two processes that do the same at once both succeed: "exists already" and "unknown" are what was wanted.
3. The broker's word is not enough: the machine ends when a topic's change is visible.
4. Only what a listing has seen is deleted of a topic: an append that comes later stays.

All that may follow what stands in `TRANSITIONS`; docs/machines.md draws it.
"""

from typing import assert_never

from attrs import evolve, frozen

from kchat.core.budget import Budget
from kchat.core.commands import (
    CreateTopic,
    DeleteGroup,
    DeleteRecords,
    DeleteTopic,
    DescribeTopic,
    ListGroups,
    ListOffsets,
)
from kchat.core.events import (
    Event,
    GroupDeleted,
    GroupsListed,
    OffsetsListed,
    RecordsDeleted,
    RequestFailed,
    TopicCreated,
    TopicDeleted,
    TopicDescribed,
)
from kchat.core.failures import PASSING, BrokerError, ErrorKind
from kchat.core.log import Position
from kchat.core.outcomes import (
    CursorGone,
    CursorsListed,
    ProvisionOutcome,
    TopicFailed,
    TopicGone,
    TopicReady,
    TopicTruncated,
)
from kchat.core.requests import (
    EnsureTopic,
    ListCursors,
    ProvisionRequest,
    RemoveCursor,
    RemoveTopic,
    TruncateTopic,
)


@frozen(kw_only=True)
class Looking:
    """Asking whether the topic is there."""

    request: EnsureTopic | RemoveTopic | TruncateTopic
    budget: Budget


@frozen(kw_only=True)
class Creating:
    """Asking for its creation."""

    request: EnsureTopic
    budget: Budget


@frozen(kw_only=True)
class AwaitingTopic:
    """Created by this call or by another one at the same time; waiting until it is visible."""

    request: EnsureTopic
    budget: Budget
    created: bool


@frozen(kw_only=True)
class Deleting:
    """Asking for its deletion. `topic_id`: which one; None where the broker keeps no ids."""

    request: RemoveTopic
    budget: Budget
    topic_id: str | None


@frozen(kw_only=True)
class AwaitingGone:
    """Deleted; waiting until it is no longer visible."""

    request: RemoveTopic
    budget: Budget
    topic_id: str | None


@frozen(kw_only=True)
class Listing:
    """Asking where a topic ends that is to be emptied."""

    request: TruncateTopic
    budget: Budget
    partitions: tuple[int, ...]


@frozen(kw_only=True)
class Emptying:
    """Asking for the deletion of the records before these positions."""

    request: TruncateTopic
    budget: Budget
    before: tuple[Position, ...]


@frozen(kw_only=True)
class AskingGroups:
    """Asking for the names of groups, or for the deletion of one."""

    request: ListCursors | RemoveCursor
    budget: Budget


@frozen
class Finished:
    """Nothing more to do."""

    outcome: ProvisionOutcome


STILL_VISIBLE = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "the deleted topic is still visible")

State = (
    Looking
    | Creating
    | AwaitingTopic
    | Deleting
    | AwaitingGone
    | Listing
    | Emptying
    | AskingGroups
    | Finished
)
Busy = Looking | Creating | AwaitingTopic | Deleting | AwaitingGone | Listing | Emptying | AskingGroups

TRANSITIONS: dict[tuple[type, type], frozenset[type]] = {
    (Looking, TopicDescribed): frozenset({Deleting, Listing, Finished}),
    (Looking, RequestFailed): frozenset({Looking, Creating, Finished}),
    (Creating, TopicCreated): frozenset({AwaitingTopic}),
    (Creating, RequestFailed): frozenset({Creating, AwaitingTopic, Finished}),
    (AwaitingTopic, TopicDescribed): frozenset({Finished}),
    (AwaitingTopic, RequestFailed): frozenset({AwaitingTopic, Finished}),
    (Deleting, TopicDeleted): frozenset({AwaitingGone}),
    (Deleting, RequestFailed): frozenset({Deleting, AwaitingGone, Finished}),
    (AwaitingGone, TopicDescribed): frozenset({AwaitingGone, Finished}),
    (AwaitingGone, RequestFailed): frozenset({AwaitingGone, Finished}),
    (Listing, OffsetsListed): frozenset({Emptying, Finished}),
    (Listing, RequestFailed): frozenset({Listing, Finished}),
    (Emptying, RecordsDeleted): frozenset({Finished}),
    (Emptying, RequestFailed): frozenset({Emptying, Listing, Finished}),
    (AskingGroups, GroupsListed): frozenset({Finished}),
    (AskingGroups, GroupDeleted): frozenset({Finished}),
    (AskingGroups, RequestFailed): frozenset({AskingGroups, Finished}),
}

ProvisionCommand = (
    DescribeTopic | CreateTopic | DeleteTopic | ListOffsets | DeleteRecords | ListGroups | DeleteGroup
)


def start(request: ProvisionRequest, at_ms: int) -> State:
    """The first state of a call that begins at `at_ms`, the shell's monotonic clock in milliseconds."""
    budget = Budget.start(at_ms=at_ms, wait_ms_max=request.wait_ms_max)
    if isinstance(request, ListCursors | RemoveCursor):
        return AskingGroups(request=request, budget=budget)
    return Looking(request=request, budget=budget)


def pending(state: State) -> ProvisionCommand | ProvisionOutcome:
    """What to do next: a command for the shell, or the outcome. A function of the state alone."""
    match state:
        case Looking(request=request, budget=budget) | AwaitingGone(request=request, budget=budget):
            # Only a deletion asks for the id: whether the topic that is seen is still the one to delete.
            return _describe(request.topic, budget, with_id=isinstance(request, RemoveTopic))
        case AwaitingTopic(request=request, budget=budget):
            return _describe(request.topic, budget, with_id=False)
        case Creating(request=request, budget=budget):
            return CreateTopic(
                topic=request.topic,
                settings=request.settings,
                timeout_ms=budget.timeout_ms,
                backoff_ms=budget.backoff_ms,
            )
        case Deleting(request=request, budget=budget):
            return DeleteTopic(
                topic=request.topic, timeout_ms=budget.timeout_ms, backoff_ms=budget.backoff_ms
            )
        case Listing(request=request, budget=budget, partitions=partitions):
            return ListOffsets(
                topic=request.topic,
                partitions=partitions,
                timeout_ms=budget.timeout_ms,
                backoff_ms=budget.backoff_ms,
            )
        case Emptying(request=request, budget=budget, before=before):
            return DeleteRecords(
                topic=request.topic,
                before=before,
                timeout_ms=budget.timeout_ms,
                backoff_ms=budget.backoff_ms,
            )
        case AskingGroups(request=request, budget=budget):
            times = {"timeout_ms": budget.timeout_ms, "backoff_ms": budget.backoff_ms}
            if isinstance(request, ListCursors):
                return ListGroups(prefix=request.prefix, **times)
            return DeleteGroup(group=request.group, **times)
        case Finished(outcome=outcome):
            return outcome
        case _:
            assert_never(state)


def advance(state: State, event: Event) -> State:
    """What the shell's answer means. An event that cannot follow the state is a defect of the shell."""
    match state, event:
        case Looking(), TopicDescribed():
            return _seen(state, event)
        case Creating(), TopicCreated():
            budget = state.budget.answered(event.at_ms)
            return AwaitingTopic(request=state.request, budget=budget, created=True)
        case AwaitingTopic(), TopicDescribed():
            return Finished(TopicReady(partitions=event.partitions, created=state.created))
        case Deleting(), TopicDeleted():
            budget = state.budget.answered(event.at_ms)
            return AwaitingGone(request=state.request, budget=budget, topic_id=state.topic_id)
        case AwaitingGone(), TopicDescribed():
            return _still_seen(state, event)
        case Listing(), OffsetsListed():
            return _listed(state, event)
        case Emptying(), RecordsDeleted():
            return Finished(TopicTruncated(state.before))
        case AskingGroups(request=ListCursors()), GroupsListed():
            return Finished(CursorsListed(tuple(sorted(event.groups))))
        case AskingGroups(request=RemoveCursor()), GroupDeleted():
            return Finished(CursorGone(event.deleted))
        case Finished(), _:
            raise AssertionError(f"{type(event).__name__} cannot follow Finished")
        case _, RequestFailed():
            return _failed(state, event)
        case _:
            raise AssertionError(f"{type(event).__name__} cannot follow {type(state).__name__}")


def _describe(topic: str, budget: Budget, *, with_id: bool) -> DescribeTopic:
    return DescribeTopic(
        topic=topic, with_id=with_id, timeout_ms=budget.timeout_ms, backoff_ms=budget.backoff_ms
    )


def _seen(state: Looking, event: TopicDescribed) -> State:
    match state.request:
        case EnsureTopic():
            return Finished(TopicReady(partitions=event.partitions, created=False))
        case RemoveTopic() as request:
            budget = state.budget.answered(event.at_ms)
            return Deleting(request=request, budget=budget, topic_id=event.topic_id)
        case TruncateTopic() as request:
            budget = state.budget.answered(event.at_ms)
            return Listing(request=request, budget=budget, partitions=event.partitions)
        case _:
            assert_never(state.request)


def _listed(state: Listing, event: OffsetsListed) -> State:
    """The low watermark may be a mistaken one (see `lanes.open_lanes`), the high one says what there is."""
    before = tuple(Position(w.partition, w.high) for w in event.watermarks)
    if not any(position.offset for position in before):
        return Finished(TopicTruncated(before))
    budget = state.budget.answered(event.at_ms)
    return Emptying(request=state.request, budget=budget, before=before)


def _still_seen(state: AwaitingGone, event: TopicDescribed) -> State:
    if state.topic_id is not None and event.topic_id not in {None, state.topic_id}:
        return Finished(TopicGone(deleted=True))  # another one of this name, created since
    budget = state.budget.not_yet(event.at_ms)
    return _again(evolve(state, budget=budget), TopicFailed(STILL_VISIBLE))


def _failed(state: Busy, event: RequestFailed) -> State:
    error = event.error
    budget = state.budget.failed(event.at_ms, error)
    match state, error.kind:
        case Looking(request=EnsureTopic() as request), ErrorKind.UNKNOWN_TOPIC:
            return Creating(request=request, budget=state.budget.answered(event.at_ms))
        case Looking(), ErrorKind.UNKNOWN_TOPIC:
            return Finished(TopicGone(deleted=False))
        case Creating(request=request), ErrorKind.TOPIC_EXISTS:
            budget = state.budget.answered(event.at_ms)
            return AwaitingTopic(request=request, budget=budget, created=False)
        case Deleting(request=request), ErrorKind.UNKNOWN_TOPIC:
            budget = state.budget.answered(event.at_ms)
            return AwaitingGone(request=request, budget=budget, topic_id=state.topic_id)
        case AwaitingGone(), ErrorKind.UNKNOWN_TOPIC:
            return Finished(TopicGone(deleted=True))
        case ((Listing() | Emptying()), ErrorKind.UNKNOWN_TOPIC):
            return Finished(TopicGone(deleted=False))
        case Emptying(request=request, before=before), ErrorKind.OFFSET_OUT_OF_RANGE if not budget.spent:
            # A new leader that has not heard of the end yet, or another topic of this name: look again.
            partitions = tuple(position.partition for position in before)
            return Listing(request=request, budget=budget, partitions=partitions)
        case AwaitingTopic(), ErrorKind.UNKNOWN_TOPIC:
            return _again(evolve(state, budget=budget), TopicFailed(error))
        case _:
            of_cursors = isinstance(state, AskingGroups)
            if error.kind not in PASSING:
                return Finished(TopicFailed(error, of_cursors))
            return _again(evolve(state, budget=budget), TopicFailed(budget.trouble or error, of_cursors))


def _again(state: Busy, failure: TopicFailed) -> State:
    return Finished(failure) if state.budget.spent else state
