"""Appends for an event loop, on no thread where nothing blocks (docs/adr/0023-awaited-appends.md)."""

import asyncio
from collections.abc import Awaitable, Callable

from attrs import evolve

from kchat.core import AwaitReports, Command, Event, Produce, Withdraw
from kchat.io.abandoning import ABANDON_SECONDS_MAX, abandon_beside, abandoned
from kchat.io.appends import BlocksError
from kchat.io.failing import FailedError
from kchat.io.performing import Call
from kchat.io.waking import Bell, Sleeper

GRACE_SECONDS = 0.1
"""How long a cancelled append waits for the acknowledgement of what was sent, before it purges the producer:
a purge takes other calls' records along, and what was sent may be stored all the same, a moment later."""

InThread = Callable[[Callable[[Command], Event], Command], Awaitable[Event]]
"""Does something for a command on a thread, in its turn, in the time that is left to it then."""


class AwaitedAppend:
    """One append: its records are handed over at once, and their reports wake the task.

    What may block is done on a thread: to describe or to create a topic, to warm a producer, to ask about a
    topic that the producer does not know.
    """

    def __init__(self, call: Call, bell: Bell, in_thread: InThread) -> None:
        self._call = call
        self._sleeper = Sleeper(bell)
        self._in_thread = in_thread
        self._begun: Produce | None = None  # what was handed over without a thread
        self._on_a_thread = False

    async def perform(self, command: Command) -> Event:
        """Do what the machine asks for. Errors of the broker and the client are events, not exceptions."""
        try:
            match command:
                case Produce():
                    if command.backoff_ms:
                        await asyncio.sleep(command.backoff_ms / 1000)
                    self._begun = command
                    self._call.begin(command, self._sleeper.wake)
                    return await self._reported(command)
                case AwaitReports() if self._begun is not None:
                    return await self._reported(command)
                case Withdraw() if self._begun is not None:
                    self._call.appends.take_back()
                    return await self._reported(command)
        except BlocksError:
            if self._begun is not None:  # nothing of it was sent, whatever is awaited by now
                command = evolve(self._begun, timeout_ms=command.timeout_ms, backoff_ms=0)
        except FailedError as failed:
            error = failed.error
            return await self._thread(lambda asked: self._call.failed(asked, error), command)
        self._begun = None
        return await self._thread(self._call.perform, command)

    async def abandon(self) -> None:
        """Take back what has no report, when the caller is gone; wait until that is done, within bounds."""
        if self._on_a_thread:
            await asyncio.wait([abandoned(self._call)], timeout=ABANDON_SECONDS_MAX)
            return
        try:
            if self._begun is not None:
                await self._withdrawn()
        except GeneratorExit:
            abandon_beside([self._call])  # its event loop was closed
            raise
        except BaseException:
            self._call.close()
            raise
        self._call.close()

    async def _withdrawn(self) -> None:
        """What is on its way cannot be taken back, whatever is purged here: wait for it first."""
        appends = self._call.appends
        appends.send_no_more()
        if None in await appends.wait(self._sleeper, GRACE_SECONDS):
            appends.take_back()
            await appends.wait(self._sleeper, ABANDON_SECONDS_MAX - GRACE_SECONDS)

    async def _reported(self, command: Produce | AwaitReports | Withdraw) -> Event:
        """The reports of what was begun. Why none came is found out on a thread: that may look at files."""
        reports = await self._call.appends.wait(self._sleeper, command.timeout_ms / 1000)
        if isinstance(command, AwaitReports) and None in reports and self._call.complained:
            return await self._thread(lambda asked: self._call.reported(asked, reports), command)
        return self._call.reported(command, reports)

    async def _thread(self, work: Callable[[Command], Event], command: Command) -> Event:
        self._on_a_thread = True
        event = await self._in_thread(work, command)
        self._on_a_thread = False  # not where it is cancelled: the thread goes on
        return event
