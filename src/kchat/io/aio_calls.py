"""Runs the machines for event loops: reads on a few threads, appends on none where that can be."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from types import ModuleType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from attrs import define, field

from kchat.conversation.computing import (
    MESSAGES_MAX,
    at_once_or_aside,
    in_turn,
    is_large_answer,
)
from kchat.core import (
    AppendOutcome,
    AppendRequest,
    Command,
    DescribeTopic,
    Event,
    Fetch,
    FetchCommitted,
    FindOffsets,
    ListGroups,
    ListOffsets,
    RequestFailed,
    appending,
    arun,
)
from kchat.io.abandoning import ABANDON_SECONDS_MAX, BUSY, abandoned, never_admitted
from kchat.io.awaiting import AwaitedAppend
from kchat.io.clients import READERS_MAX, TAILS_MAX
from kchat.io.forks import never_free
from kchat.io.performing import Call, now_ms
from kchat.io.waking import Bell

J = TypeVar("J")
T = TypeVar("T")

_WITHOUT_EFFECT = (DescribeTopic, FetchCommitted, ListOffsets, FindOffsets, Fetch, ListGroups)
"""A call that is cancelled in one of these leaves nothing to undo."""


@define(eq=False)
class _Loop:
    """What one event loop has of its own.

    Not more calls than consumers run at once: one that waited for a consumer on a thread would keep that from
    the calls that have one.
    """

    bell: Bell = field(factory=Bell)
    ending: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(READERS_MAX))
    waiting: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(TAILS_MAX))


class AsyncCalls:
    """All async calls of one log in one process.

    Args:
        call: makes a call of a machine; raises `Closed` after the log's close.
        check: raises `Closed` where a call of this machine may not go on.
    """

    def __init__(self, call: Callable[[ModuleType], Call], check: Callable[[ModuleType], None]) -> None:
        self._call = call
        self._check = check
        self._lock = Lock()
        self._ending: ThreadPoolExecutor | None = None
        self._waiting: ThreadPoolExecutor | None = None
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()

    async def append(self, request: AppendRequest) -> AppendOutcome:
        """Run the appending machine. Many records are handed over on a thread: each takes microseconds."""
        if len(request.records) > MESSAGES_MAX:
            return await self.run(appending, request, _as_it_is, _as_it_is)
        state = appending.start(request, now_ms())
        todo = appending.pending(state)
        if isinstance(todo, AppendOutcome):
            return todo
        call = self._call(appending)
        awaited = AwaitedAppend(call, self._loop().bell, self._in_turn)
        try:
            outcome: AppendOutcome = await arun(appending, state, awaited.perform)
            call.close()
        except asyncio.CancelledError:
            await awaited.abandon()
            raise
        except (KeyboardInterrupt, SystemExit):
            call.abandon()  # here and now: the event loop itself is interrupted, and may run nothing more
            raise
        except BaseException:
            _ = abandoned(call)
            raise
        return outcome

    async def run(
        self,
        machine: ModuleType,
        request: Any,
        judge: Callable[[Any], J],
        receive: Callable[[J], T],
        *,
        waits: bool = False,
    ) -> T:
        """Run a machine on a few threads: the client has no such calls that one could await.

        What `judge` makes of the outcome, elsewhere where that is large, `receive` gets on the loop.
        """
        state = machine.start(request, now_ms())
        if not isinstance(machine.pending(state), Command):
            return receive(judge(machine.pending(state)))
        # The call's time runs while it waits to be admitted.
        limit_ms = getattr(request, "stall_ms_max", 0) if request.wait_ms_max is None else request.wait_ms_max
        admission = self._admission(waits=waits)
        try:
            # Not wait_for, which swallows a cancellation that comes when the turn does (Python 3.11).
            async with asyncio.timeout(limit_ms / 1000):
                await admission.acquire()
        except TimeoutError:
            return receive(judge(never_admitted(machine, state)))
        admitted = True

        def left(judged: J) -> T:
            nonlocal admitted
            admitted = False
            admission.release()
            return receive(judged)

        try:
            return await self._admitted(machine, state, judge, left, waits=waits)
        finally:
            if admitted:
                admission.release()

    def close(self) -> None:
        """End the threads, as soon as nothing is done on them."""
        with self._lock:
            executors = [executor for executor in (self._ending, self._waiting) if executor is not None]
        for executor in executors:
            executor.shutdown(wait=False)

    def never_free(self) -> None:
        """In a child process: its threads are not there, and must not be waited for."""
        for inherited in (self._ending, self._waiting):
            never_free(inherited)

    async def _admitted(
        self,
        machine: ModuleType,
        state: Any,
        judge: Callable[[Any], J],
        receive: Callable[[J], T],
        *,
        waits: bool,
    ) -> T:
        call = self._call(machine)
        executor = self._threads(waits=waits)
        loop = asyncio.get_running_loop()
        last: Command | None = None
        ended = False
        try:
            while isinstance(todo := machine.pending(state), Command):
                self._check(machine)
                last = todo
                state = await loop.run_in_executor(executor, _step, machine, call, state, todo)
            ended = True
            judged = await at_once_or_aside(partial(judge, todo), large=is_large_answer(todo))
            call.close()
            return receive(judged)
        except asyncio.CancelledError:
            undone = abandoned(call)
            if not isinstance(last, _WITHOUT_EFFECT):
                # What the caller does next must find the cursor moved back, and the deletion done.
                await asyncio.wait([undone], timeout=ABANDON_SECONDS_MAX)
            raise
        except (KeyboardInterrupt, SystemExit):
            call.abandon()  # here and now: the event loop itself is interrupted, and may run nothing more
            raise
        except BaseException as error:
            if ended and isinstance(error, Exception):
                call.close()  # an outcome that `receive` raises as an error: it stands
            else:
                _ = abandoned(call)
            raise

    async def _in_turn(self, work: Callable[[], Event], command: Command) -> Event:
        """Do something for an append on a thread. A command's time runs while it waits for one."""
        admission = self._admission(waits=False)
        try:
            async with asyncio.timeout(command.timeout_ms / 1000):
                await admission.acquire()
        except TimeoutError:
            return RequestFailed(at_ms=now_ms(), error=BUSY)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads(waits=False), work)
        finally:
            admission.release()

    def _loop(self) -> _Loop:
        running = asyncio.get_running_loop()
        with self._lock:
            found = self._loops.get(running)
            if found is None:
                found = self._loops[running] = _Loop()
            return found

    def _admission(self, *, waits: bool) -> asyncio.Semaphore:
        """How many calls of one event loop run on threads at once."""
        loop = self._loop()
        return loop.waiting if waits else loop.ending

    def _threads(self, *, waits: bool) -> ThreadPoolExecutor:
        """Reads that wait have threads of their own: they must not hold up those that end."""
        with self._lock:
            if waits:
                self._waiting = self._waiting or ThreadPoolExecutor(TAILS_MAX, "kchat-wait")
                return self._waiting
            self._ending = self._ending or ThreadPoolExecutor(READERS_MAX, "kchat")
            return self._ending


def _step(machine: ModuleType, call: Call, state: Any, command: Command) -> Any:
    """Perform a command and see what follows, on the thread that has the answer: to decode takes longer."""
    event = call.perform(command)
    with in_turn(event):
        return machine.advance(state, event)


def _as_it_is(outcome: T) -> T:
    return outcome
