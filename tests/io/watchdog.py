"""Measures how long an event loop is blocked by one callback.

By the processor time of the loop's own thread, not by the clock: on a shared machine any callback may take
long by the clock, because other processes run. It does not count the wait for the interpreter lock, which
another thread that computes gives up within `sys.getswitchinterval()`, 5 ms. Garbage collection is put off:
it comes at any moment, in whichever thread has allocated last.
"""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from attrs import define

BLOCKED_SECONDS_MAX = 0.005
"""What issue and documentation promise."""


@define
class Watchdog:
    """What was seen."""

    longest_seconds: float = 0.0
    culprit: str = ""


@contextmanager
def watching_the_loop() -> Iterator[Watchdog]:
    """Look at every callback that any event loop of this thread runs."""
    seen, run = Watchdog(), asyncio.events.Handle._run

    def timed(handle: Any) -> None:
        begun = time.thread_time()
        run(handle)
        seconds = time.thread_time() - begun
        if seconds > seen.longest_seconds:
            seen.longest_seconds, seen.culprit = seconds, repr(handle)

    gc.disable()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asyncio.events.Handle, "_run", timed)
            yield seen
    finally:
        gc.enable()


def blocked(work: Callable[[], Awaitable[object]], tries: int = 5) -> Watchdog:
    """The longest callback of the best of some runs: a processor that is shared may slow one of them down."""

    async def once() -> None:
        await work()

    best = Watchdog(longest_seconds=float("inf"))
    for _ in range(tries):
        with watching_the_loop() as seen:
            asyncio.run(once())
        best = min(best, seen, key=lambda each: each.longest_seconds)
        if best.longest_seconds < BLOCKED_SECONDS_MAX:
            break
    return best
