"""What becomes of an async call whose task is gone, or that never had its turn."""

import asyncio
from _thread import start_new_thread
from collections.abc import Iterable
from contextlib import suppress
from threading import Thread
from types import ModuleType
from typing import Any

from kchat.core import BrokerError, Command, ErrorKind, RequestFailed
from kchat.io.performing import Call, now_ms

ABANDON_SECONDS_MAX = 0.8
"""How long a cancelled call waits for what it did to be undone; something else goes on with it after that."""

BUSY = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "too many calls at once: this one had no turn")


def abandoned(call: Call) -> "asyncio.Future[None]":
    """Abandon a call on a thread of its own: the one at its last command may be there for a while."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()

    def abandon() -> None:
        try:
            call.abandon()
        finally:
            with suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(_set_done, done)

    Thread(target=abandon, name="kchat-abandoned-call", daemon=True).start()
    return done


def abandon_beside(calls: Iterable[Call]) -> None:
    """Abandon calls that nobody waits for, on one thread.

    Needs no event loop, takes no lock and blocks nowhere: a coroutine whose event loop was closed is freed at
    any moment, in any thread, whatever that holds just then.
    """

    def abandon() -> None:
        for call in calls:
            with suppress(Exception):  # the others all the same
                call.abandon()

    # Not a Thread, whose start() takes locks and waits in Python code.
    with suppress(RuntimeError):  # the interpreter is at its end
        start_new_thread(abandon, ())


def _set_done(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


def never_admitted(machine: ModuleType, state: Any) -> Any:
    """The outcome of a call that spent its time behind others."""
    while isinstance(machine.pending(state), Command):
        state = machine.advance(state, RequestFailed(at_ms=now_ms() + 1, error=BUSY))
    return machine.pending(state)
