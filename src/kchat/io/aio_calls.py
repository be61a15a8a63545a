"""Runs the machines for event loops: reads on a few threads, appends on none where that can be."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Lock
from types import ModuleType
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from attrs import define, evolve, field

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
    Withdraw,
    appending,
    arun,
)
from kchat.io.abandoning import ABANDON_SECONDS_MAX, BUSY, abandon_beside, abandoned, never_admitted
from kchat.io.awaiting import AwaitedAppend
from kchat.io.clients import READERS_MAX, TAILS_MAX
from kchat.io.forks import never_free
from kchat.io.performing import Call, now_ms
from kchat.io.turns import Turns
from kchat.io.waking import Bell

J = TypeVar("J")
T = TypeVar("T")

_WITHOUT_EFFECT = (DescribeTopic, FetchCommitted, ListOffsets, FindOffsets, Fetch, ListGroups)
"""A call that is cancelled in one of these leaves nothing to undo."""


@define(eq=False)
class _Loop:
    """What one event loop has of its own.

    Not more calls than threads run at once: one that waited for a consumer on a thread would keep that from
    the calls that have one. So would those of another loop: the threads are each loop's own, while all loops
    share the consumers. `calls` are under way: who takes one out sees to its end.
    """

    bell: Bell = field(factory=Bell)
    ending: Turns = field(factory=lambda: Turns(READERS_MAX))
    waiting: Turns = field(factory=lambda: Turns(TAILS_MAX))
    calls: set[Call] = field(factory=set)
    for_ending: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(READERS_MAX, "kchat"))
    for_waiting: ThreadPoolExecutor = field(factory=lambda: ThreadPoolExecutor(TAILS_MAX, "kchat-wait"))

    def close(self) -> None:
        """End the threads, as soon as nothing is done on them."""
        for executor in (self.for_ending, self.for_waiting):
            executor.shutdown(wait=False)


class AsyncCalls:
    """All async calls of one log in one process.

    Args:
        call: makes a call of a machine; raises `Closed` after the log's close.
        check: raises `Closed` where a call of this machine, for this request, may not go on.
    """

    def __init__(self, call: Callable[[ModuleType], Call], check: Callable[[ModuleType, Any], None]) -> None:
        self._call = call
        self._check = check
        self._lock = Lock()
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()

    async def append(self, request: AppendRequest) -> AppendOutcome:
        """Run the appending machine. Many records are handed over on a thread: each takes microseconds."""
        if len(request.records) > MESSAGES_MAX:
            return await self.run(appending, request, _as_it_is, _as_it_is)
        state = appending.start(request, now_ms())
        todo = appending.pending(state)
        if isinstance(todo, AppendOutcome):
            return todo
        loop, call = self._loop(), self._call(appending)
        in_turn = partial(self._in_turn, loop.ending, loop.ending.number(), now_ms() + request.wait_ms_max)
        awaited = AwaitedAppend(call, loop.bell, in_turn)
        loop.calls.add(call)
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
            abandon_beside([call])
            raise
        finally:
            loop.calls.discard(call)
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
        loop = self._loop()
        turns = loop.waiting if waits else loop.ending
        if not await turns.take(turns.number(), limit_ms / 1000):
            return receive(judge(never_admitted(machine, state)))
        admitted = True

        def left(judged: J) -> T:
            nonlocal admitted
            admitted = False
            turns.give_back()
            return receive(judged)

        try:
            return await self._admitted(machine, request, state, judge, left, waits=waits)
        finally:
            if admitted:
                turns.give_back()

    def close(self) -> None:
        """End the threads, as soon as nothing is done on them."""
        with self._lock:
            loops = list(self._loops.values())
        for loop in loops:
            loop.close()

    def never_free(self) -> None:
        """In a child process: its threads are not there, and must not be waited for."""
        for inherited in list(self._loops.values()):
            never_free(inherited)

    async def _admitted(
        self,
        machine: ModuleType,
        request: Any,
        state: Any,
        judge: Callable[[Any], J],
        receive: Callable[[J], T],
        *,
        waits: bool,
    ) -> T:
        call = self._call(machine)
        loop, own = asyncio.get_running_loop(), self._loop()
        executor, calls = own.for_waiting if waits else own.for_ending, own.calls
        calls.add(call)
        last: Command | None = None
        ended = False
        try:
            while isinstance(todo := machine.pending(state), Command):
                self._check(machine, request)
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
            elif call in calls:  # else its event loop was closed, and it is abandoned already
                abandon_beside([call])
            raise
        finally:
            calls.discard(call)

    async def _in_turn(
        self, turns: Turns, number: int, end_ms: int, work: Callable[[Command], Event], command: Command
    ) -> Event:
        """Do something for an append on a thread. It waits for one as long as the append has time."""
        if not await turns.take(number, max(command.timeout_ms, end_ms - now_ms()) / 1000):
            return RequestFailed(at_ms=now_ms(), error=BUSY)
        try:
            if not isinstance(command, Withdraw):  # that comes when the time is over, and has its own
                left_ms = max(1, min(command.timeout_ms, end_ms - now_ms()))
                command = evolve(command, timeout_ms=left_ms)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._loop().for_ending, work, command)
        finally:
            turns.give_back()

    def _loop(self) -> _Loop:
        """What the running event loop has. What a closed one has left under way is abandoned now."""
        running = asyncio.get_running_loop()
        left: list[Call] = []
        with self._lock:
            found = self._loops.get(running)
            if found is None:
                for over in [loop for loop in self._loops if loop.is_closed()]:
                    gone = self._loops.pop(over)
                    left.extend(gone.calls)
                    gone.calls.clear()
                    gone.close()
                found = self._loops[running] = _Loop()
        if left:
            abandon_beside(left)
        return found


def _step(machine: ModuleType, call: Call, state: Any, command: Command) -> Any:
    """Perform a command and see what follows, on the thread that has the answer: to decode takes longer."""
    event = call.perform(command)
    with in_turn(event):
        return machine.advance(state, event)


def _as_it_is(outcome: T) -> T:
    return outcome
