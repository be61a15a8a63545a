"""Waking the tasks of an event loop from the client's threads, many at a time."""

import asyncio
from collections import deque
from contextlib import suppress
from weakref import ref


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
        """Sleep until woken, or so long."""
        if not self._woken:
            loop = asyncio.get_running_loop()
            self._asleep = loop.create_future()
            timer = loop.call_later(seconds, self.rouse)
            try:
                await self._asleep
            finally:
                timer.cancel()
                self._asleep = None
        self._woken = False

    def rouse(self) -> None:
        """Let it go on if it sleeps; on the loop's thread."""
        if self._asleep is not None and not self._asleep.done():
            self._asleep.set_result(None)
