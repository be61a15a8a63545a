"""The provisioning machine: a topic is made to exist, or made to be gone.

Its laws:

1. Look first: an existing topic is left as it is, a missing one is not deleted.
2. Two processes that do the same at once both succeed: "exists already" and "unknown" are what was wanted.
3. The broker's word is not enough: the machine ends when the change is visible.

All that may follow what stands in `TRANSITIONS`; docs/machines.md draws it.
"""

from typing import assert_never

from attrs import evolve, frozen

from kchat.core.budget import Budget
from kchat.core.commands import CreateTopic, DeleteTopic, DescribeTopic
from kchat.core.events import Event, RequestFailed, TopicCreated, TopicDeleted, TopicDescribed
from kchat.core.failures import PASSING, BrokerError, ErrorKind
from kchat.core.outcomes import ProvisionOutcome, TopicFailed, TopicGone, TopicReady
from kchat.core.requests import EnsureTopic, ProvisionRequest, RemoveTopic


@frozen(kw_only=True)
class Looking:
    """Asking whether the topic is there."""

    request: ProvisionRequest
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


@frozen
class Finished:
    """Nothing more to do."""

    outcome: ProvisionOutcome


STILL_VISIBLE = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "the deleted topic is still visible")

State = Looking | Creating | AwaitingTopic | Deleting | AwaitingGone | Finished

TRANSITIONS: dict[tuple[type, type], frozenset[type]] = {
    (Looking, TopicDescribed): frozenset({Deleting, Finished}),
    (Looking, RequestFailed): frozenset({Looking, Creating, Finished}),
    (Creating, TopicCreated): frozenset({AwaitingTopic}),
    (Creating, RequestFailed): frozenset({Creating, AwaitingTopic, Finished}),
    (AwaitingTopic, TopicDescribed): frozenset({Finished}),
    (AwaitingTopic, RequestFailed): frozenset({AwaitingTopic, Finished}),
    (Deleting, TopicDeleted): frozenset({AwaitingGone}),
    (Deleting, RequestFailed): frozenset({Deleting, AwaitingGone, Finished}),
    (AwaitingGone, TopicDescribed): frozenset({AwaitingGone, Finished}),
    (AwaitingGone, RequestFailed): frozenset({AwaitingGone, Finished}),
}

ProvisionCommand = DescribeTopic | CreateTopic | DeleteTopic


def start(request: ProvisionRequest, at_ms: int) -> State:
    """The first state of a call that begins at `at_ms`, the shell's monotonic clock in milliseconds."""
    return Looking(request=request, budget=Budget.start(at_ms=at_ms, wait_ms_max=request.wait_ms_max))


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
        case ((Looking() | Creating() | AwaitingTopic() | Deleting() | AwaitingGone()), RequestFailed()):
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
        case _:
            assert_never(state.request)


def _still_seen(state: AwaitingGone, event: TopicDescribed) -> State:
    if state.topic_id is not None and event.topic_id not in {None, state.topic_id}:
        return Finished(TopicGone(deleted=True))  # another one of this name, created since
    budget = state.budget.not_yet(event.at_ms)
    return _again(evolve(state, budget=budget), TopicFailed(STILL_VISIBLE))


def _failed(
    state: Looking | Creating | AwaitingTopic | Deleting | AwaitingGone, event: RequestFailed
) -> State:
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
        case AwaitingTopic(), ErrorKind.UNKNOWN_TOPIC:
            return _again(evolve(state, budget=budget), TopicFailed(error))
        case _:
            if error.kind not in PASSING:
                return Finished(TopicFailed(error))
            return _again(evolve(state, budget=budget), TopicFailed(budget.trouble or error))


def _again(
    state: Looking | Creating | AwaitingTopic | Deleting | AwaitingGone, failure: TopicFailed
) -> State:
    return Finished(failure) if state.budget.spent else state
