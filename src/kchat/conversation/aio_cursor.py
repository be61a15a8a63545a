"""`AsyncCursor`: an independent reader of a session, for an event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import frozen

from kchat.conversation.computing import step_aside
from kchat.conversation.cursors import CursorAsking, Edge
from kchat.conversation.page import Page
from kchat.core import ChatPosition, CursorGone, FitRequest, Log, WatchRequest, acarry_out, provisioned
from kchat.core.plans import Ask

M = TypeVar("M")


def answering(log: Log) -> Callable[[Ask], Awaitable[Any]]:
    """What answers a plan's questions, by calls that let other tasks run."""

    async def answer(asked: Ask) -> Any:
        match asked:
            case WatchRequest():
                return await log.awatch(asked)
            case FitRequest():
                # Foreign code: not on the loop, nor on the one thread that computes for the whole process.
                return await asyncio.to_thread(asked.answer)
            case _:
                return await log.aread(asked)

    return answer


@frozen(repr=False, eq=False)
class AsyncCursor(Generic[M]):
    """A reader whose place is kept in Kafka: at least once, by an explicit `commit`.

    One object is for one task at a time; a cancelled call leaves the place where it was. Two readers of one
    name each get all that comes after the place; the last commit wins.
    """

    _log: Log
    _ask: CursorAsking[M]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._ask.name!a} of {self._ask.ask.session!a}>"

    @property
    def name(self) -> str:
        """Its name."""
        return self._ask.name

    async def read(self, count: int = 100, wait_seconds: float = 0.0) -> Page[M]:
        """`Cursor.read`, without blocking the event loop."""
        found = await acarry_out(self._ask.read(count, wait_seconds), answering(self._log), step_aside)
        return self._ask.took(found)

    async def commit(self) -> None:
        """`Cursor.commit`, without blocking the event loop."""
        await acarry_out(self._ask.commit(), answering(self._log), step_aside)

    async def seek(self, target: ChatPosition | datetime | Edge) -> None:
        """`Cursor.seek`, without blocking the event loop."""
        await acarry_out(self._ask.seek(target), answering(self._log), step_aside)
        self._ask.moved()

    async def delete(self) -> bool:
        """`Cursor.delete`, without blocking the event loop."""
        outcome = await self._log.aprovision(self._ask.remove())
        ask = self._ask.ask
        gone = provisioned(outcome, session=ask.session, topic=ask.placement.topic)
        self._ask.moved()
        return isinstance(gone, CursorGone) and gone.deleted
