"""Many calls of an event loop that need a thread: none waits in vain behind those that came after it."""

import asyncio
import gc
import threading
import time
from collections.abc import Callable, Iterator
from weakref import ref

import pytest

from kchat.core import AppendRefused, AppendUnknown, CreateTopic
from kchat.io import AsyncKafkaLog
from kchat.io.topics import Topics
from kchat.io.turns import Turns
from tests.io.test_awaiting import name, said


def test_a_call_with_several_steps_keeps_its_place() -> None:
    ended: list[int] = []

    async def call(turns: Turns, number: int) -> None:
        for _ in range(3):
            await turns.take(number, 10)
            await asyncio.sleep(0)
            turns.give_back()
        ended.append(number)

    async def main() -> None:
        turns = Turns(2)
        async with asyncio.timeout(10):
            await asyncio.gather(*(call(turns, turns.number()) for _ in range(20)))

    asyncio.run(main())
    assert all(abs(place - number) <= 2 for place, number in enumerate(ended)), ended


def test_a_turn_that_comes_to_who_gives_up_goes_to_the_next() -> None:
    async def main() -> None:
        turns = Turns(1)
        await turns.take(turns.number(), 10)
        waiting = [asyncio.create_task(turns.take(turns.number(), 10)) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        turns.give_back()
        waiting[1].cancel()  # it has the turn, and does not know yet
        async with asyncio.timeout(10):
            await waiting[2]
        turns.give_back()
        await turns.take(turns.number(), 10)

    asyncio.run(main())


def closed_with_a_task_that_waits(turns: Turns, last: Callable[[], object]) -> "ref[asyncio.Task[bool]]":
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # a task is destroyed: it would say so
    loop.run_until_complete(turns.take(turns.number(), 10))
    task = loop.create_task(turns.take(turns.number(), 10))
    loop.run_until_complete(asyncio.sleep(0))
    last()
    loop.close()
    return ref(task)


@pytest.fixture
def no_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_who_waits_for_a_turn_does_not_hold_its_own_task() -> None:
    """Else it may be the last to hold it, and let it go in its midst: Python 3.11.7 crashes then."""
    turns = Turns(1)
    task = closed_with_a_task_that_waits(turns, turns.give_back)  # its turn comes, and it never hears of it
    assert task() is None
    assert turns._free == 1


@pytest.mark.usefixtures("no_collection")
def test_a_closed_loop_has_no_next_one() -> None:
    turns = Turns(1)
    task = closed_with_a_task_that_waits(turns, lambda: None)
    turns.give_back()
    assert task() is not None


def test_of_more_new_sessions_than_the_broker_makes_in_time_the_first_are_stored(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_by_one, create = threading.Lock(), Topics.create

    def slowly(topics: Topics, command: CreateTopic) -> None:
        with one_by_one:
            time.sleep(0.04)
            create(topics, command)

    monkeypatch.setattr(Topics, "create", slowly)

    async def main() -> list[BaseException | None]:
        async with AsyncKafkaLog({"bootstrap.servers": kafka}) as log:
            await log.conversation(name()).append(said("warm"))
            appends = [log.conversation(name()).append(said("first"), 3.0) for _ in range(150)]
            done = await asyncio.gather(*appends, return_exceptions=True)
            return [each if isinstance(each, BaseException) else None for each in done]

    errors = asyncio.run(main())
    assert errors[:5] == [None] * 5
    assert errors.count(None) >= 10
    assert all(isinstance(error, AppendRefused | AppendUnknown | None) for error in errors), errors
