"""Runs a machine step by step and keeps the steps; no run may leave the machine's table."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

from attrs import frozen

from kchat.core import Command, Event
from kchat.testing import FakeBroker, Fault
from tests.core.replay import replayable

COMMANDS_MAX = 20_000
"""A run that needs more does not end."""

Row = tuple[type, type]
Arrow = tuple[type, type, type]


@frozen(kw_only=True)
class Step:
    """One turn of the loop. `fault` is what the fake broker's plan held for it."""

    before: Any
    command: Command
    event: Event
    after: Any
    fault: Fault | None = None

    @property
    def arrow(self) -> Arrow:
        return type(self.before), type(self.event), type(self.after)


@frozen(kw_only=True)
class Trace:
    """A whole run."""

    steps: tuple[Step, ...]
    outcome: Any

    @property
    def commands(self) -> tuple[Command, ...]:
        return tuple(step.command for step in self.steps)

    def events(self, kind: type) -> list[Any]:
        return [step.event for step in self.steps if isinstance(step.event, kind)]

    def commands_of(self, kind: type) -> list[Any]:
        return [step.command for step in self.steps if isinstance(step.command, kind)]


def advance_once(machine: ModuleType, state: Any, event: Event) -> Any:
    """One step that is in the table, or an AssertionError."""
    after = machine.advance(state, event)
    allowed = machine.TRANSITIONS[type(state), type(event)]
    assert type(after) in allowed, f"no arrow from {type(state)} by {type(event)} to {type(after)}"
    return after


def feed(machine: ModuleType, state: Any, *events: Event) -> Any:
    """The state after a script of events."""
    for event in events:
        state = advance_once(machine, state, event)
    return state


def run_traced(machine: ModuleType, request: Any, broker: FakeBroker) -> Trace:
    """Run to the outcome on a fake broker."""

    def next_fault() -> Fault | None:
        return broker.plan[0] if broker.plan else None

    return run_with(machine, request, broker.perform, next_fault, at_ms=broker.cluster.now_ms)


def run_with(
    machine: ModuleType,
    request: Any,
    perform: Callable[[Command], Event],
    next_fault: Callable[[], Fault | None] = lambda: None,
    *,
    at_ms: int = 0,
) -> Trace:
    """Run to the outcome with any performer. If the property fails, a script of the run is printed."""
    steps: list[Step] = []
    state = machine.start(request, at_ms)
    with replayable(machine, request, at_ms) as events:
        while isinstance(todo := machine.pending(state), Command):
            assert len(steps) < COMMANDS_MAX, f"the run does not end; the last command: {todo}"
            fault, event = next_fault(), perform(todo)
            events.append(event)
            after = advance_once(machine, state, event)
            steps.append(Step(before=state, command=todo, event=event, after=after, fault=fault))
            state = after
    return Trace(steps=tuple(steps), outcome=todo)
