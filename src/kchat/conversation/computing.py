"""What is large is computed on one thread of the process, so that no event loop stands still for it.

One, because threads that compute share the interpreter lock: an event loop that wants it waits for one of
them, at most 5 ms (`sys.getswitchinterval`), and not for each (docs/adr/0024-large-work-aside.md).
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import Any, TypeVar

from kchat.core import Complete, Failed, Fetched, Fitted, Partial

T = TypeVar("T")

MESSAGES_MAX = 200
"""So many are not large: with 5 us a message to hand out, or 10 to encode, an event loop has them in 2 ms."""

BYTES_MAX = 100_000
"""So much text is not large."""

VALUES_MAX = 2_000
"""So many single values are not large; each is looked at several times, in Python code."""

PAUSE_EVERY = 50
"""After so many messages one after the other; what is done with each is the caller's, and takes longer."""


class _Aside:
    """The thread, made at first use, and the turn of whoever computes."""

    def __init__(self) -> None:
        self.turn = Lock()
        self.thread = ThreadPoolExecutor(1, "kchat-compute")


_aside = _Aside()


def _forget_in_child() -> None:
    global _aside
    _aside = _Aside()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_forget_in_child)


async def aside(compute: Callable[[], T]) -> T:
    """Compute it in its turn on the one thread. Cancelled, it goes on there, and nobody gets its result."""

    def alone() -> T:
        with _aside.turn:
            return compute()

    return await asyncio.get_running_loop().run_in_executor(_aside.thread, alone)


def in_turn(fetched: object) -> AbstractContextManager[object]:
    """The turn to make something of what was fetched, if it is large: for a thread that is at it anyway."""
    records = fetched.records if isinstance(fetched, Fetched) else ()
    large = len(records) > MESSAGES_MAX or sum(len(r.value or b"") for r in records) > BYTES_MAX
    return _aside.turn if large else nullcontext()


async def at_once_or_aside(compute: Callable[[], T], *, large: bool) -> T:
    """Compute it where it is cheaper."""
    return await aside(compute) if large else compute()


def is_large_answer(answer: object) -> bool:
    """Whether much is to be made of the answer to a plan's question."""
    if isinstance(answer, Fitted):
        return answer.looked_at > MESSAGES_MAX
    if not isinstance(answer, Complete | Partial | Failed):
        return False
    progress = answer.progress
    again = 0 if progress.replayed is None else sum(map(len, progress.replayed.chunks))
    return len(progress.deliveries) + len(progress.skipped) + again > MESSAGES_MAX


async def step_aside(step: Callable[[], T], answer: object) -> T:
    """A step of a plan: aside, where the answer that it goes on with is large."""
    return await at_once_or_aside(step, large=is_large_answer(answer))


async def pausing(items: Sequence[T]) -> AsyncIterator[T]:
    """These one by one; other tasks run now and then, also where whoever takes them awaits nothing else."""
    for number, item in enumerate(items, 1):
        yield item
        if number % PAUSE_EVERY == 0:
            await asyncio.sleep(0)


def are_large(messages: object) -> bool:
    """Whether it takes long to encode these. They are looked through up to a bound, and no further."""
    if not isinstance(messages, Sequence) or isinstance(messages, str | bytes):
        return False  # no list, which is refused at once
    return len(messages) > MESSAGES_MAX or _weighs_much(map(_fields, messages))


def _fields(message: object) -> object:
    """Where a message has what it says."""
    return getattr(message, "__dict__", None) or getattr(message, "data", None)


def _weighs_much(values: Iterable[Any]) -> bool:
    waiting, seen, length = [values], 0, 0
    while waiting:
        for value in waiting.pop():
            kind = type(value)  # exactly: what a subclass would answer is not asked
            seen += 1
            if kind is str:
                length += len(value)
            elif (kind is dict or kind is list) and value:
                waiting.append(value.values() if kind is dict else value)
            if seen > VALUES_MAX or length > BYTES_MAX:
                return True
    return False
