"""Waking the tasks of an event loop from the client's threads, many at a time."""

import asyncio
from collections import deque
from contextlib import suppress
from weakref import ref

TICK_SECONDS = 0.02
"""How often it is looked whose time is over: a timer for each of a thousand sleepers costs more than that."""


async def settled_within(future: asyncio.Future[bool], seconds: float) -> bool:
    """The result of a future that nobody else awaits; False when the time is over first.

    Not asyncio.timeout, which holds the task. Where a loop is closed with calls under way, that can be the
    last to hold it: to leave it frees the task in the midst of its own coroutines, and Python 3.11.7 crashes.
    """
    timer = future.get_loop().call_later(seconds, settle, future, False)
    try:
        return await future
    finally:
        timer.cancel()


def settle(future: asyncio.Future[bool], result: bool) -> None:
    """Set the result, unless there is one; on the loop's thread."""
    if not future.done():
        future.set_result(result)


class Bell:
    """Wakes the tasks of one event loop. It may be rung from any thread, and must be made on the loop's own.

    What is rung while the loop is busy costs it one wake-up, however much it is: each wake-up writes to a
    socket, and takes the interpreter lock from whoever computes.
    """

    def __init__(self) -> None:
        # Weakly: a bell is kept by its loop, and must not keep that in turn.
        self._loop = ref(asyncio.get_running_loop())
        self._rung: deque[Sleeper] = deque()
        self._called = False
        self._asleep: dict[Sleeper, float] = {}
        self._ticking = False

    def expect(self, sleeper: "Sleeper", seconds: float) -> None:
        """Wake it when its time is over, a tick later at most."""
        loop = asyncio.get_running_loop()
        self._asleep[sleeper] = loop.time() + seconds
        if not self._ticking:
            self._ticking = True
            loop.call_later(TICK_SECONDS, self._tick)

    def forget(self, sleeper: "Sleeper") -> None:
        """It is awake."""
        del self._asleep[sleeper]

    def ring(self, sleeper: "Sleeper") -> None:
        """Wake this one soon."""
        self._rung.append(sleeper)
        if not self._called:
            self._called = True
            loop = self._loop()
            with suppress(RuntimeError):  # the loop is over
                if loop is not None:
                    loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._called = False  # first: what is rung from here on calls again, unless it is seen below
        while self._rung:
            self._rung.popleft().rouse()

    def _tick(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for sleeper, end in self._asleep.items():
            if now >= end:
                sleeper.rouse()
        self._ticking = bool(self._asleep)
        if self._ticking:
            loop.call_later(TICK_SECONDS, self._tick)


class Sleeper:
    """One task that waits for what happens in another thread."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._woken = False
        self._asleep: asyncio.Future[None] | None = None

    def wake(self) -> None:
        """Let it go on, now or when it comes to sleep; from any thread."""
        self._woken = True
        self._bell.ring(self)

    async def sleep(self, seconds: float) -> None:
        """Sleep until woken, or so long and a tick."""
        if not self._woken:
            self._asleep = asyncio.get_running_loop().create_future()
            self._bell.expect(self, seconds)
            try:
                await self._asleep
            finally:
                self._bell.forget(self)
                self._asleep = None
        self._woken = False

    def rouse(self) -> None:
        """Let it go on if it sleeps; on the loop's thread."""
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)
