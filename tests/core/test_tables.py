"""TRANSITIONS is the whole truth: nothing happens outside it, and all of it happens."""

from types import ModuleType
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    Appended,
    BrokerError,
    Command,
    Complete,
    EnsureTopic,
    ErrorKind,
    Event,
    Failed,
    Partial,
    Produced,
    Refused,
    RequestFailed,
    TopicFailed,
    TopicGone,
    TopicReady,
    TopicSettings,
    Unknown,
    appending,
    provisioning,
    reading,
)
from kchat.core.budget import SLICE_MS_MAX
from tests.core import driving
from tests.core.replay import replayable
from tests.core.strategies import APPEND_FAULTS, READ_FAULTS, LogPlan, fault_plans, log_plans
from tests.core.tracing import Arrow, Step, Trace, advance_once, run_traced, run_with
from tests.core.walks import WALKS

MACHINES = [reading, appending, provisioning]
OUTCOMES = {
    reading: (Complete, Partial, Failed),
    appending: (Appended, Refused, Unknown),
    provisioning: (TopicReady, TopicGone, TopicFailed),
}
EVENTS = [*driving.contents, Produced]
every_machine = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.__name__[11:])


def table(machine: ModuleType) -> set[Arrow]:
    rows: dict[tuple[type, type], frozenset[type]] = machine.TRANSITIONS
    return {(before, event, after) for (before, event), afters in rows.items() for after in afters}


def drive(machine: ModuleType, data: st.DataObject) -> Trace:
    """A run whose every answer is drawn. The tracing checks each step against the table."""
    shell = driving.Shell(data, machine)
    request = data.draw(driving.requests[machine])
    state = machine.start(request, 0)
    steps: list[Step] = []
    with replayable(machine, request, 0) as events:
        while isinstance(command := machine.pending(state), Command):
            events.append(shell.answer(command, state))
            step = run_one(machine, state, command, events[-1])
            steps.append(step)
            state = step.after
    return Trace(steps=tuple(steps), outcome=command)


def run_one(machine: ModuleType, state: Any, command: Command, event: Event) -> Step:
    after = machine.advance(state, event)
    return Step(before=state, command=command, event=event, after=after)


@every_machine
@given(data=st.data())
def test_whatever_a_shell_answers_stays_in_the_table_and_ends(
    machine: ModuleType, data: st.DataObject
) -> None:
    trace = drive(machine, data)
    assert {step.arrow for step in trace.steps} <= table(machine)
    assert isinstance(trace.outcome, OUTCOMES[machine])
    for command in trace.commands:
        assert 1 <= command.timeout_ms <= SLICE_MS_MAX
        assert command.backoff_ms >= 0


@every_machine
@given(data=st.data())
def test_an_event_outside_the_table_is_refused_in_every_state(
    machine: ModuleType, data: st.DataObject
) -> None:
    shell = driving.Shell(data, machine)
    states = [step.before for step in drive(machine, data).steps]
    for state in states:
        wrong = [kind for kind in EVENTS if (type(state), kind) not in machine.TRANSITIONS]
        with pytest.raises(AssertionError, match="cannot follow"):
            machine.advance(state, shell.draw(data.draw(st.sampled_from(wrong))))


@every_machine
def test_every_arrow_is_taken_by_a_walk(machine: ModuleType) -> None:
    taken: set[Arrow] = set()
    for request, events in WALKS[machine]:
        state = machine.start(request, 0)
        for event in events:
            after = advance_once(machine, state, event)
            taken.add((type(state), type(event), type(after)))
            state = after
        assert isinstance(state, machine.Finished), "a walk goes to its end"
    assert table(machine) - taken == set()


@pytest.mark.parametrize("machine", [reading, appending], ids=["reading", "appending"])
@given(plan=log_plans(), data=st.data())
def test_a_fake_broker_whose_faults_are_drawn_stays_in_the_table(
    machine: ModuleType, plan: LogPlan, data: st.DataObject
) -> None:
    broker = plan.build()
    request = data.draw(driving.requests[machine])
    if machine is reading:
        request = evolve(request, wait_ms_max=3_000)
    broker.plan = list(data.draw(fault_plans(READ_FAULTS if machine is reading else APPEND_FAULTS)))
    trace = run_traced(machine, request, broker)
    assert isinstance(trace.outcome, OUTCOMES[machine])


@every_machine
def test_the_table_names_states_that_lead_on_and_one_that_does_not(machine: ModuleType) -> None:
    befores = {before for before, _ in machine.TRANSITIONS}
    afters = {after for targets in machine.TRANSITIONS.values() for after in targets}
    assert afters - befores == {machine.Finished}
    assert all(targets for targets in machine.TRANSITIONS.values())


def test_run_with_refuses_a_run_that_does_not_end() -> None:
    """The tests' own loop: a machine that asks for ever must fail a test, not hang it."""
    silent = RequestFailed(at_ms=0, error=BrokerError(ErrorKind.TRANSIENT, "X"))
    request = EnsureTopic(topic="t", settings=TopicSettings())
    with pytest.raises(AssertionError, match="does not end"):
        run_with(provisioning, request, lambda _: silent)
