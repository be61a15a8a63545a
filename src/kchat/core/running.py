"""The whole of a shell's loop, for all machines. What differs between shells is `perform`."""

from collections.abc import Awaitable, Callable
from types import ModuleType
from typing import Any

from kchat.core.commands import Command
from kchat.core.events import Event

# `Any`: a module is a fine machine, but Python's types cannot say "what pending() gives but for commands".


def run(machine: ModuleType, state: Any, perform: Callable[[Command], Event]) -> Any:
    """Run a machine (`reading`, `appending`, `provisioning`) from `state` to its outcome."""
    while isinstance(todo := machine.pending(state), Command):
        state = machine.advance(state, perform(todo))
    return todo


async def arun(machine: ModuleType, state: Any, perform: Callable[[Command], Awaitable[Event]]) -> Any:
    """Run a machine from `state` to its outcome; other tasks run while a command is performed."""
    while isinstance(todo := machine.pending(state), Command):
        state = machine.advance(state, await perform(todo))
    return todo
