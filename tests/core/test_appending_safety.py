"""Whatever the broker does: an append never claims more than is true.

The last record of the log is looked at an hour after the call ended: what is still under way by then was
not taken back.
"""

from typing import Any

import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    Appended,
    AppendOutcome,
    AppendRequest,
    Complete,
    ErrorKind,
    FromBeginning,
    Message,
    NewRecord,
    Produce,
    Produced,
    ReadRequest,
    Refused,
    TopicSettings,
    Unknown,
    Withdraw,
    appending,
    encode,
)
from kchat.core.appending import WITHDRAW_MS_MAX
from kchat.core.budget import SLICE_MS
from kchat.testing import FakeBroker, Fault, Recreate, Refuse, Remove, TakenAlong
from tests.core.late_client import LateClient, Shipment
from tests.core.strategies import APPEND_FAULTS, DECODER, SESSION, TOPIC, fault_plans, stored_records
from tests.core.tracing import Trace, run_traced, run_with

HOUR_MS = 3_600_000
SETTINGS = TopicSettings(partitions=3)


def record(number: int) -> NewRecord:
    encoded = encode(Message("human", {"content": str(number)}), key=SESSION, message_id=f"id-{number}")
    assert isinstance(encoded, NewRecord)
    return encoded


@frozen(kw_only=True)
class Case:
    """An append, to a topic with `before` records or a missing one (None), and what goes wrong."""

    request: AppendRequest
    before: int | None
    faults: tuple[Fault | None, ...] = ()
    shipments: tuple[Shipment, ...] = ()

    def build(self) -> FakeBroker:
        broker = FakeBroker(self.faults)
        if self.before is not None:
            broker.cluster.create(TOPIC, partitions=3)
            for _ in range(self.before):
                broker.cluster.inject(TOPIC, b'{"type": "ai", "data": {"content": "before"}}', key=SESSION)
        return broker


@st.composite
def requests(draw: st.DrawFn) -> AppendRequest:
    return AppendRequest(
        topic=TOPIC,
        records=tuple(map(record, range(draw(st.integers(1, 4))))),
        settings=draw(st.sampled_from([SETTINGS, None])),
        topic_known=draw(st.booleans()),
        partition=draw(st.none() | st.integers(0, 2)),
        wait_ms_max=draw(st.integers(1, 3_000)),
    )


@st.composite
def cases(draw: st.DrawFn, faults: st.SearchStrategy[Fault] = APPEND_FAULTS) -> Case:
    before = draw(st.none() | st.integers(0, 2))
    return Case(request=draw(requests()), before=before, faults=draw(fault_plans(faults)))


shipments = st.builds(
    Shipment,
    gaps_ms=st.lists(st.sampled_from([0, 0, 1, 150, 900, 4_000]), max_size=4).map(tuple),
    report_ms=st.sampled_from([0, 1, 300, 5_000]),
    purge_ms=st.none() | st.integers(0, 2_000),
)


@st.composite
def late_cases(draw: st.DrawFn) -> Case:
    drawn = draw(cases())
    return evolve(drawn, faults=(), shipments=tuple(draw(st.lists(shipments, max_size=3))))


def ours(broker: FakeBroker) -> list[bytes | None]:
    """The values of the call's records, in log order."""
    return [r.value for r in stored_records(broker) if r.header("kchat-id") is not None]


def check(case: Case, trace: Trace, broker: FakeBroker) -> None:
    """The outcome is true, now and later."""
    at_end = ours(broker)
    broker.plan = []
    broker.cluster.sleep(HOUR_MS)
    assert ours(broker) == at_end, "something was stored after the call had ended"
    outcome: AppendOutcome = trace.outcome
    match outcome:
        case Appended(places=places):
            at = {(r.partition, r.offset): r.value for r in stored_records(broker)}
            found = [at.get((place.partition, place.offset)) for place in places]
            assert found == [new.value for new in case.request.records]
            assert [place.offset for place in places] == sorted({place.offset for place in places})
        case Refused():
            assert ours(broker) == []
        case Unknown(records=records, acknowledged=acknowledged):
            assert records == tuple(record.resent() for record in case.request.records)
            assert 0 <= acknowledged <= len(records)
            assert len(set(ours(broker))) >= acknowledged
            check_resend(case, records, broker)


def check_resend(case: Case, records: tuple[NewRecord, ...], broker: FakeBroker) -> None:
    """After the same records are sent once more, a reader sees each once, in order."""
    if TOPIC not in broker.cluster.topics:
        broker.cluster.create(TOPIC, partitions=3)
    assert isinstance(broker.append(evolve(case.request, records=records, wait_ms_max=5_000)), Appended)
    outcome = broker.read(ReadRequest(topic=TOPIC, start=FromBeginning(), decoder=DECODER, key=SESSION))
    assert isinstance(outcome, Complete)
    deliveries = [d for d in outcome.progress.deliveries if d.message_id is not None]
    assert [d.message_id for d in deliveries] == [f"id-{n}" for n in range(len(case.request.records))]


def run(case: Case) -> tuple[Trace, FakeBroker]:
    broker = case.build()
    return run_traced(appending, case.request, broker), broker


@given(cases())
def test_the_outcome_is_true_whatever_fails(case: Case) -> None:
    trace, broker = run(case)
    check(case, trace, broker)


@given(cases(APPEND_FAULTS | st.just(Remove()) | st.just(Recreate())))
def test_the_outcome_is_true_even_if_others_delete_the_topic(case: Case) -> None:
    trace, broker = run(case)
    check(case, trace, broker)


@given(late_cases())
def test_the_outcome_is_true_however_late_the_records_arrive(case: Case) -> None:
    broker = case.build()
    client = LateClient(broker, list(case.shipments))
    trace = run_with(appending, case.request, client.perform, at_ms=broker.cluster.now_ms)
    check(case, trace, broker)
    assert trace.outcome.__class__ is not Refused or case.before is None


@given(cases(APPEND_FAULTS | st.just(Remove())))
def test_an_append_ends_within_its_time_and_one_slice_and_the_withdrawal(case: Case) -> None:
    _, broker = run(case)
    assert broker.cluster.now_ms <= case.request.wait_ms_max + SLICE_MS + WITHDRAW_MS_MAX


@given(late_cases())
def test_a_late_append_ends_within_its_time_and_one_slice(case: Case) -> None:
    broker = case.build()
    client = LateClient(broker, list(case.shipments))
    run_with(appending, case.request, client.perform, at_ms=broker.cluster.now_ms)
    assert broker.cluster.now_ms <= case.request.wait_ms_max + SLICE_MS


@given(cases())
def test_a_call_never_ends_with_records_on_their_way(case: Case) -> None:
    """After the last word on its records is missing, the last command takes them back."""
    trace, _ = run(case)
    answered: list[Any] = trace.events(Produced)
    if answered and None in answered[-1].reports:
        assert isinstance(trace.commands[-1], Withdraw)


@given(cases())
def test_records_are_sent_again_only_after_unknown_topic_or_withdrawal(case: Case) -> None:
    trace, _ = run(case)
    allowed = {ErrorKind.UNKNOWN_TOPIC, ErrorKind.WITHDRAWN}
    sent = [step for step in trace.steps if isinstance(step.command, Produce)]
    for step in sent[:-1]:
        if isinstance(step.event, Produced):
            assert {getattr(report, "kind", None) for report in step.event.reports} <= allowed


@pytest.mark.parametrize("kind", [ErrorKind.DENIED, ErrorKind.REJECTED, ErrorKind.UNSUPPORTED])
def test_a_refusal_after_records_were_taken_along_is_unknown(kind: ErrorKind) -> None:
    request = AppendRequest(topic=TOPIC, records=(record(0), record(1)), topic_known=True)
    case = Case(request=request, before=0, faults=(TakenAlong(1), Refuse(kind)))
    trace, broker = run(case)
    assert isinstance(trace.outcome, Unknown)
    assert ours(broker) == [request.records[0].value]
    check(case, trace, broker)
