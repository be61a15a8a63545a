"""Whose turn it is, on one event loop, to have one of a few threads."""

import asyncio
from contextlib import suppress
from heapq import heapify, heappop, heappush
from itertools import count

from kchat.io.waking import settled_within


class Turns:
    """So many calls at once; of those that wait, the one that came first is next.

    A call keeps its place: it draws one number, and waits with that whenever it needs a thread again. So a
    burst of calls with several steps each ends them one after the other, and not all of them too late.
    Not a Semaphore: once it has been waited for it holds its event loop, which then is never freed.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._numbers = count()
        self._waiting: list[tuple[int, int, asyncio.Future[bool]]] = []  # a heap; may have some that gave up

    def number(self) -> int:
        """The place of a call that begins now."""
        return next(self._numbers)

    async def take(self, number: int, seconds: float) -> bool:
        """Wait for a turn, so long at most; whether there was one. Whoever has it gives it back."""
        if self._free:
            self._free -= 1
            return True
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = (number, next(self._numbers), turn)  # no two are equal: futures have no order
        heappush(self._waiting, waiting)
        try:
            return await settled_within(turn, seconds)
        except BaseException:
            if not turn.done():  # the event loop was closed, and the coroutine is freed
                with suppress(ValueError):
                    self._waiting.remove(waiting)
                heapify(self._waiting)
            elif not turn.cancelled() and turn.result():
                self.give_back()
            raise

    def give_back(self) -> None:
        """Let the next one have it."""
        while self._waiting:
            turn = heappop(self._waiting)[-1]
            # A closed loop has no next one. To set a result there frees the task here and now, which gives
            # its turn back in turn: as deep as there are calls.
            if not turn.done() and not turn.get_loop().is_closed():
                turn.set_result(True)
                return
        self._free += 1
