"""The appending machine: the records of one call, to one of three endings.

Its laws:

1. `Appended` only when every record is acknowledged. `Refused` only when it is certain that none is stored
   and none will be. Everything else is `Unknown`.
2. When the time is over, what has no report is withdrawn: nothing stays behind to surface later.
3. Records are sent again by the machine only where that can neither double nor reorder them for a reader:
   after "unknown topic" (nothing was done), and after a neighbour on the same client withdrew its records
   and took these along (same ids, same order).
4. What an earlier attempt may have stored is marked when it is sent again: readers look for the first copy.

All that may follow what stands in `TRANSITIONS`; docs/machines.md draws it.
"""

from itertools import takewhile
from typing import assert_never

from attrs import evolve, frozen

from kchat.core import provisioning
from kchat.core.budget import Budget
from kchat.core.commands import AwaitReports, Produce, Withdraw
from kchat.core.events import (
    Acknowledged,
    Event,
    Produced,
    Report,
    RequestFailed,
    TopicCreated,
    TopicDescribed,
)
from kchat.core.failures import CERTAIN, PASSING, BrokerError, ErrorKind
from kchat.core.log import NewRecord
from kchat.core.outcomes import (
    Appended,
    AppendOutcome,
    CursorGone,
    CursorsListed,
    ProvisionOutcome,
    Refused,
    TopicFailed,
    TopicGone,
    TopicReady,
    TopicTruncated,
    Unknown,
)
from kchat.core.requests import AppendRequest, EnsureTopic
from kchat.core.topics import TopicSettings
from kchat.core.wire import HEADER_RESENT

WITHDRAW_MS_MAX = 500
"""How long the reports of withdrawn records are waited for, beyond the caller's limit. They are local: this
is a bound, not a need."""

ATTEMPTS_MAX = 3
"""How often one call creates its topic, should another process keep deleting it."""

NOT_ACKNOWLEDGED = BrokerError(ErrorKind.TIMED_OUT, "_MSG_TIMED_OUT", "no acknowledgement within the limit")


@frozen(kw_only=True)
class Attempt:
    """What all attempts of one call share.

    `places` are the records that are acknowledged, always the first ones; the others are still to send.
    `uncertain`: an earlier attempt, of this call or of the one before it, may have stored some of those.
    """

    request: AppendRequest
    budget: Budget
    number: int = 1
    places: tuple[Acknowledged, ...] = ()
    uncertain: bool = False

    @property
    def unsent(self) -> tuple[NewRecord, ...]:
        """What the next attempt sends."""
        rest = self.request.records[len(self.places) :]
        return tuple(record.resent() for record in rest) if self.uncertain else rest


@frozen
class Ensuring:
    """The topic is not known to be there: provisioning it first."""

    attempt: Attempt
    provision: provisioning.State


@frozen
class Producing:
    """Sending the records."""

    attempt: Attempt


@frozen
class AwaitingReports:
    """Sent; waiting for the acknowledgements."""

    attempt: Attempt


@frozen
class Withdrawing:
    """Out of time, or out of hope: taking back what has no report. `cause` is why."""

    attempt: Attempt
    cause: BrokerError


@frozen
class Finished:
    """Nothing more to do."""

    outcome: AppendOutcome


State = Ensuring | Producing | AwaitingReports | Withdrawing | Finished

TRANSITIONS: dict[tuple[type, type], frozenset[type]] = {
    (Ensuring, TopicDescribed): frozenset({Producing}),
    (Ensuring, TopicCreated): frozenset({Ensuring}),
    (Ensuring, RequestFailed): frozenset({Ensuring, Finished}),
    (Producing, Produced): frozenset({Producing, Ensuring, AwaitingReports, Withdrawing, Finished}),
    (Producing, RequestFailed): frozenset({Producing, Ensuring, Finished}),
    (AwaitingReports, Produced): frozenset({Producing, Ensuring, AwaitingReports, Withdrawing, Finished}),
    (AwaitingReports, RequestFailed): frozenset({AwaitingReports, Withdrawing}),
    (Withdrawing, Produced): frozenset({Finished}),
    (Withdrawing, RequestFailed): frozenset({Finished}),
}

AppendCommand = provisioning.ProvisionCommand | Produce | AwaitReports | Withdraw


def start(request: AppendRequest, at_ms: int) -> State:
    """The first state of a call that begins at `at_ms`, the shell's monotonic clock in milliseconds."""
    if not request.records:
        return Finished(Appended(()))
    attempt = Attempt(
        request=request,
        budget=Budget.start(at_ms=at_ms, wait_ms_max=request.wait_ms_max),
        uncertain=any(record.header(HEADER_RESENT) is not None for record in request.records),
    )
    limit = request.record_bytes_max
    if limit is not None and any(record.size_bytes_max > limit for record in request.records):
        too_large = f"a record is larger than {limit} bytes"
        return Finished(
            _not_stored(attempt, BrokerError(ErrorKind.REJECTED, "MSG_SIZE_TOO_LARGE", too_large))
        )
    if request.topic_known or request.settings is None:
        return Producing(attempt)
    return _ensure(attempt, request.settings)


def pending(state: State) -> AppendCommand | AppendOutcome:
    """What to do next: a command for the shell, or the outcome. A function of the state alone."""
    match state:
        case Ensuring(provision=provision):
            todo = provisioning.pending(provision)
            if isinstance(todo, ProvisionOutcome):
                raise AssertionError(state)
            return todo
        case Producing(attempt=attempt):
            return Produce(
                topic=attempt.request.topic,
                records=attempt.unsent,
                partition=attempt.request.partition,
                timeout_ms=attempt.budget.timeout_ms,
                backoff_ms=attempt.budget.backoff_ms,
            )
        case AwaitingReports(attempt=attempt):
            return AwaitReports(timeout_ms=attempt.budget.timeout_ms, backoff_ms=attempt.budget.backoff_ms)
        case Withdrawing():
            return Withdraw(timeout_ms=WITHDRAW_MS_MAX)
        case Finished(outcome=outcome):
            return outcome
        case _:
            assert_never(state)


def advance(state: State, event: Event) -> State:
    """What the shell's answer means. An event that cannot follow the state is a defect of the shell."""
    match state, event:
        case Ensuring(), (TopicDescribed() | TopicCreated() | RequestFailed()):
            return _ensuring(state, event)
        case ((Producing() | AwaitingReports()), Produced()):
            return _reported(state.attempt, event)
        case Producing(), RequestFailed():
            return _not_sent(state.attempt, event)
        case AwaitingReports(), RequestFailed():
            budget = state.attempt.budget.failed(event.at_ms, event.error)
            attempt = evolve(state.attempt, budget=budget)
            if event.error.kind in PASSING and not budget.spent:
                return AwaitingReports(attempt)
            return Withdrawing(attempt, budget.trouble or event.error)
        case Withdrawing(), Produced():
            return _withdrawn(state, event)
        case Withdrawing(), RequestFailed():
            return Finished(_unknown(state.attempt, state.cause))
        case _:
            raise AssertionError(f"{type(event).__name__} cannot follow {type(state).__name__}")


def _ensure(attempt: Attempt, settings: TopicSettings) -> Ensuring:
    budget = attempt.budget
    request = EnsureTopic(
        topic=attempt.request.topic, settings=settings, wait_ms_max=max(1, budget.end_ms - budget.now_ms)
    )
    return Ensuring(attempt, provisioning.start(request, budget.now_ms))


def _ensuring(state: Ensuring, event: TopicDescribed | TopicCreated | RequestFailed) -> State:
    provision = provisioning.advance(state.provision, event)
    if not isinstance(provision, provisioning.Finished):
        return evolve(state, provision=provision)
    attempt = evolve(state.attempt, budget=state.attempt.budget.answered(event.at_ms))
    match provision.outcome:
        case TopicReady():
            return Producing(attempt)
        case TopicFailed(error=error):
            return Finished(_not_stored(attempt, error))
        case TopicGone() | TopicTruncated() | CursorsListed() | CursorGone():
            raise AssertionError(provision)
        case _:
            assert_never(provision.outcome)


def _not_sent(attempt: Attempt, event: RequestFailed) -> State:
    """The client did not take the records: nothing of this attempt is on its way."""
    attempt = evolve(attempt, budget=attempt.budget.failed(event.at_ms, event.error))
    if event.error.kind in PASSING and not attempt.budget.spent:
        return Producing(attempt)
    return _recreated(attempt, (event.error,)) or Finished(
        _not_stored(attempt, attempt.budget.trouble or event.error)
    )


def _reported(attempt: Attempt, event: Produced) -> State:
    """Reports came, or the command's time is over."""
    attempt = evolve(attempt, budget=attempt.budget.waited(event.at_ms))
    if None not in event.reports:
        return _settled(attempt, tuple(report for report in event.reports if report is not None))
    if attempt.budget.spent:
        return Withdrawing(attempt, attempt.budget.trouble or NOT_ACKNOWLEDGED)
    return AwaitingReports(attempt)


def _settled(attempt: Attempt, reports: tuple[Report, ...]) -> State:
    """Every record of the attempt is reported."""
    stored = tuple(takewhile(lambda report: isinstance(report, Acknowledged), reports))
    places = tuple(report for report in stored if isinstance(report, Acknowledged))
    rest = reports[len(places) :]
    attempt = evolve(attempt, places=attempt.places + places)
    if not rest:
        return Finished(Appended(attempt.places, resent=attempt.uncertain))
    errors = tuple(report for report in rest if isinstance(report, BrokerError))
    if len(errors) < len(rest):
        # A later record is stored and an earlier one is not: sending the earlier one now would reorder them.
        return Finished(_unknown(attempt, errors[0], stored_later=len(rest) - len(errors)))
    recreated = _recreated(attempt, errors)
    if recreated is not None:
        return recreated
    if all(error.kind is ErrorKind.WITHDRAWN for error in errors) and not attempt.budget.spent:
        return Producing(evolve(attempt, uncertain=True))
    if all(error.kind in CERTAIN for error in errors):
        return Finished(_not_stored(attempt, errors[0]))
    return Finished(_unknown(attempt, errors[0]))


def _recreated(attempt: Attempt, errors: tuple[BrokerError, ...]) -> Ensuring | None:
    """The topic was there and is not any more: create it again and go on, unless that goes in circles."""
    unknown = all(error.kind is ErrorKind.UNKNOWN_TOPIC for error in errors)
    settings = attempt.request.settings
    if not unknown or settings is None or attempt.number >= ATTEMPTS_MAX or attempt.budget.spent:
        return None
    return _ensure(evolve(attempt, number=attempt.number + 1), settings)


def _withdrawn(state: Withdrawing, event: Produced) -> State:
    """The last word on every record: acknowledged in the last moment, refused, or not known."""
    places = tuple(report for report in event.reports if isinstance(report, Acknowledged))
    if len(places) == len(event.reports):
        return Finished(Appended(state.attempt.places + places, resent=state.attempt.uncertain))
    errors = [report for report in event.reports if isinstance(report, BrokerError)]
    # Without a last word a record may be stored, however certain the cause of the withdrawal sounds.
    last_words = None not in event.reports
    if last_words and not places and all(error.kind in CERTAIN for error in errors):
        return Finished(_not_stored(state.attempt, errors[0]))
    return Finished(_unknown(state.attempt, state.cause, stored_later=len(places)))


def _not_stored(attempt: Attempt, error: BrokerError) -> Refused | Unknown:
    """Refused, if no earlier attempt can have stored anything."""
    return _unknown(attempt, error) if attempt.uncertain or attempt.places else Refused(error)


def _unknown(attempt: Attempt, error: BrokerError, *, stored_later: int = 0) -> Unknown:
    acknowledged = len(attempt.places) + stored_later
    records = tuple(record.resent() for record in attempt.request.records)
    return Unknown(error=error, acknowledged=acknowledged, records=records)
