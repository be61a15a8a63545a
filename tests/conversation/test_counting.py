"""A window's `count` is the caller's code: however long it takes, nothing else of the process waits."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from kchat.conversation import Ended, Page, async_conversation, computing, conversation
from kchat.core import FitRequest, Message
from kchat.testing import FakeBroker

MANY = computing.MESSAGES_MAX + 100
SECONDS_MAX = 20.0
"""Long enough for a slow machine: what would wait for ever has failed by then."""


def said(count: int) -> list[Message]:
    return [Message("human", {"content": f"message {n}"}) for n in range(count)]


def broker_with(count: int) -> FakeBroker:
    broker = FakeBroker()
    for name in ("counted", "other"):
        conversation(broker, name).append(said(count), 60.0)
    return broker


@pytest.mark.parametrize("length", [3, MANY], ids=["small", "large"])
def test_another_conversation_is_read_while_a_count_takes_its_time(length: int) -> None:
    broker, counting, goes_on = broker_with(MANY), threading.Event(), threading.Event()
    conversation(broker, "short").append(said(3))

    def count(messages: Sequence[Message]) -> int:
        counting.set()
        assert goes_on.wait(SECONDS_MAX), "the other read waited for this count"
        return len(messages)

    async def main() -> tuple[int, int]:
        counted = async_conversation(broker, "short" if length == 3 else "counted")
        window = asyncio.create_task(counted.window(10**6, count))
        while not counting.is_set():
            await asyncio.sleep(0.001)
        try:
            read = await asyncio.wait_for(async_conversation(broker, "other").read(), SECONDS_MAX / 2)
        finally:
            goes_on.set()
        return len(read), len(await window)

    assert asyncio.run(main()) == (MANY, length)


def test_a_count_may_wait_for_a_large_read() -> None:
    broker = broker_with(MANY)

    async def main() -> int:
        loop = asyncio.get_running_loop()

        def count(messages: Sequence[Message]) -> int:
            read = async_conversation(broker, "other").read()
            return len(messages) * (len(asyncio.run_coroutine_threadsafe(read, loop).result(SECONDS_MAX)) > 0)

        return len(await async_conversation(broker, "counted").window(10**6, count))

    assert asyncio.run(main()) == MANY


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("raised", [KeyError("k"), StopIteration()], ids=lambda error: type(error).__name__)
def test_what_a_count_raises_reaches_the_caller(raised: Exception, asynchronous: bool) -> None:
    broker = broker_with(3)

    def count(_: Sequence[Message]) -> int:
        raise raised

    async def window() -> Page[Message]:
        return await asyncio.wait_for(async_conversation(broker, "counted").window(10, count), SECONDS_MAX)

    # A generator's end is no answer: it would be taken for the end of the plan, or be waited for for ever.
    expected = RuntimeError if isinstance(raised, StopIteration) else type(raised)
    with pytest.raises(expected):
        _ = asyncio.run(window()) if asynchronous else conversation(broker, "counted").window(10, count)


def test_a_window_that_fits_some_is_the_same_on_both_faces() -> None:
    broker = broker_with(MANY)
    found = asyncio.run(async_conversation(broker, "counted").window(MANY - 1, len))
    assert (len(found), found.ended) == (MANY - 1, Ended.BUDGET)
    assert found.messages == conversation(broker, "counted").window(MANY - 1, len).messages


def test_what_is_counted_is_not_shown() -> None:
    assert repr(FitRequest([Message("human", {"content": "secret"})], 7, len)) == (
        "FitRequest(messages=<1>, tokens_max=7)"
    )
