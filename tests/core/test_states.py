"""Every state, command, event and outcome is a value: it prints without content, compares, and can be stored.

A run that is stored at any step and goes on elsewhere ends the same way.
"""

import pickle
from types import ModuleType
from typing import Any

import pytest
from attrs import fields, frozen
from attrs.exceptions import FrozenInstanceError
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    HEADER_ID,
    AppendRequest,
    EnsureTopic,
    Event,
    FromBeginning,
    FromCommitted,
    JsonDecoder,
    Message,
    NewRecord,
    OnCorrupt,
    ReadRequest,
    RemoveTopic,
    TopicSettings,
    Unknown,
    appending,
    provisioning,
    reading,
)
from kchat.testing import FakeBroker, Fault, PartlyStored, TakenAlong
from tests.core.strategies import GROUP, PASSING_FAULTS, TOPIC, fault_plans
from tests.core.tracing import Trace, run_traced

SECRET = "hunter2"
VALUE = b'{"type": "human", "data": {"content": "hunter2"}}'
RECORD = NewRecord(SECRET.encode(), VALUE, ((HEADER_ID, b"id-1"), ("note", SECRET.encode())))


@frozen(kw_only=True)
class Run:
    """A machine, a request, and the faults on the way."""

    machine: ModuleType
    request: Any
    faults: tuple[Fault | None, ...] = ()

    def trace(self) -> Trace:
        broker = FakeBroker(self.faults)
        if self.machine is not provisioning or isinstance(self.request, RemoveTopic):
            broker.cluster.create(TOPIC, partitions=2)
            for value in (VALUE, VALUE, b"{" + SECRET.encode(), VALUE):
                broker.cluster.inject(TOPIC, value, key=SECRET.encode(), headers=RECORD.headers)
                broker.cluster.inject(TOPIC, value, partition=1)
        return run_traced(self.machine, self.request, broker)


def read(**changes: Any) -> ReadRequest[Message]:
    given: dict[str, Any] = {"start": FromBeginning(), "on_corrupt": OnCorrupt.SKIP}
    return ReadRequest(topic=TOPIC, decoder=JsonDecoder(), **given | changes)


SETTINGS = TopicSettings(partitions=1)
APPEND = AppendRequest(topic=TOPIC, records=(RECORD, RECORD), settings=SETTINGS, wait_ms_max=900)

runs = st.builds(
    Run,
    machine=st.just(reading),
    request=st.sampled_from(
        [
            read(),
            read(on_corrupt=OnCorrupt.RAISE),
            read(start=FromCommitted(GROUP), commit_to=GROUP, messages_max=2),
            read(follow=True, wait_ms_max=600),
        ]
    ),
    faults=fault_plans(PASSING_FAULTS, size_max=6),
) | st.builds(
    Run,
    machine=st.just(appending),
    request=st.just(APPEND),
    faults=fault_plans(
        PASSING_FAULTS
        | st.builds(PartlyStored, st.integers(0, 2))
        | st.builds(TakenAlong, st.integers(0, 2)),
        size_max=6,
    ),
)
provisions = st.builds(
    Run,
    machine=st.just(provisioning),
    request=st.sampled_from(
        [EnsureTopic(topic=TOPIC, settings=SETTINGS), RemoveTopic(topic=TOPIC, wait_ms_max=700)]
    ),
    faults=fault_plans(PASSING_FAULTS, size_max=6),
)


def values_of(trace: Trace) -> list[Any]:
    parts = [part for s in trace.steps for part in (s.before, s.command, s.event, s.after)]
    return [*parts, trace.outcome]


@given(runs | provisions)
def test_no_value_prints_content(run: Run) -> None:
    for value in values_of(run.trace()):
        assert SECRET not in repr(value) + str(value)


@given(runs | provisions)
def test_every_value_is_equal_to_its_pickled_self_and_never_changes(run: Run) -> None:
    trace = run.trace()
    stored = [pickle.dumps(value) for value in values_of(trace)]
    for value, text in zip(values_of(trace), stored, strict=True):
        assert pickle.loads(text) == value
    for value in values_of(trace):
        with pytest.raises(FrozenInstanceError):
            setattr(value, fields(type(value))[0].name, None)


@given(runs | provisions)
def test_the_same_events_lead_to_the_same_states(run: Run) -> None:
    trace = run.trace()
    for step in trace.steps:
        assert run.machine.pending(step.before) == step.command
        assert run.machine.advance(step.before, step.event) == step.after


@given(runs | provisions, st.data())
def test_a_run_that_is_stored_and_resumed_ends_the_same(run: Run, data: st.DataObject) -> None:
    trace = run.trace()
    at = data.draw(st.integers(0, len(trace.steps) - 1))
    state = pickle.loads(pickle.dumps(trace.steps[at].before))
    for step in trace.steps[at:]:
        event: Event = pickle.loads(pickle.dumps(step.event))
        assert run.machine.pending(state) == step.command
        state = pickle.loads(pickle.dumps(run.machine.advance(state, event)))
    assert run.machine.pending(state) == trace.outcome


def test_an_error_of_each_outcome_names_no_content() -> None:
    """The outcomes that hold records or messages: unknown, and a read with deliveries."""
    unknown = Run(machine=appending, request=APPEND, faults=(None, PartlyStored(1))).trace().outcome
    assert isinstance(unknown, Unknown)
    delivered = Run(machine=reading, request=read()).trace().outcome
    assert len(delivered.progress.deliveries) > 1
    assert SECRET not in repr((unknown, delivered))
