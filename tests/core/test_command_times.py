"""Every command carries the times of its state's budget: no machine invents one, or forgets to wait."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from kchat.core import Command, appending, provisioning, reading
from tests.core.walks import WALKS

every_machine = pytest.mark.parametrize(
    "machine", [reading, appending, provisioning], ids=lambda machine: machine.__name__[11:]
)


def walked(machine: ModuleType) -> Iterator[tuple[Any, Any]]:
    """Every state that a walk passes, with what it asks for."""
    for request, events in WALKS[machine]:
        state = machine.start(request, 0)
        for event in events:
            yield state, machine.pending(state)
            state = machine.advance(state, event)


@every_machine
def test_a_command_has_the_time_and_the_pause_that_its_budget_gives(machine: ModuleType) -> None:
    paused: set[type] = set()
    kinds: set[type] = set()
    for state, command in walked(machine):
        assert isinstance(command, Command)
        # Withdrawing has a limit of its own, beyond the caller's; ensuring is the provisioning machine's.
        if isinstance(state, appending.Withdrawing | appending.Ensuring):
            continue
        budget = state.budget if hasattr(state, "budget") else state.attempt.budget
        assert (command.timeout_ms, command.backoff_ms) == (budget.timeout_ms, budget.backoff_ms)
        kinds.add(type(command))
        paused |= {type(command)} if command.backoff_ms else set()
    assert paused == kinds, "every command was asked again after a failure"
