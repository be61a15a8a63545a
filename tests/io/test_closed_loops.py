"""Event loops come and go, and some are closed with calls under way: the next one finds the log as it was."""

import asyncio
import gc
import time
import weakref
from threading import Thread

import pytest

from kchat.conversation import AsyncConversation
from kchat.core import Message, Position, WatchRequest
from kchat.io import AsyncKafkaLog, KafkaLog, watching
from tests.io.test_awaiting import name, said
from tests.io.test_cancelling import clients

CALLS = 20


def closed_with_calls_under_way(talk: AsyncConversation[Message], appends: int, reads: int) -> None:
    loop = asyncio.new_event_loop()
    calls = [*(talk.append(said("late")) for _ in range(appends)), *(talk.read() for _ in range(reads))]
    tasks = [loop.create_task(call) for call in calls]
    loop.set_exception_handler(lambda *_: None)  # tasks are destroyed: it would say so
    loop.run_until_complete(asyncio.sleep(0.002))
    assert not all(task.done() for task in tasks)
    loop.close()


def given_back(log: KafkaLog) -> tuple[int, ...]:
    until = time.monotonic() + 10
    while any(clients(log)) and time.monotonic() < until:
        time.sleep(0.01)
    return clients(log)


async def append_and_read(talk: AsyncConversation[Message]) -> bool:
    """Whether what is appended now is read; an append that nobody awaits any more may be stored after it."""
    text = name()
    await talk.append(said(text))
    return text in [message.text for message in (await talk.read()).messages]


def test_a_loop_that_is_closed_with_calls_under_way_leaves_its_clients_to_the_next(kafka: str) -> None:
    log = AsyncKafkaLog({"bootstrap.servers": kafka})
    with log.log:
        talk = log.conversation(name())
        asyncio.run(append_and_read(talk))
        gc.disable()  # nothing here may rest on that
        try:
            for _ in range(3):
                closed_with_calls_under_way(talk, CALLS, CALLS)
                assert asyncio.run(append_and_read(talk))
            assert given_back(log.log) == (0, 0, 0, 0)
        finally:
            gc.enable()
        gc.collect()  # now what is left of the calls is freed, and must not undo anything
        assert asyncio.run(append_and_read(talk))
        assert given_back(log.log) == (0, 0, 0, 0)
        producer = log.log._clients._producer
        assert producer is None or not producer.polling._awaiting


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_call_that_is_freed_with_its_loop_gives_back_its_consumer(kafka: str) -> None:
    log = AsyncKafkaLog({"bootstrap.servers": kafka})
    with log.log:
        talk = log.conversation(name())
        asyncio.run(append_and_read(talk))
        closed_with_calls_under_way(talk, 0, CALLS)
        log.log._async._loops.clear()  # no other loop comes that would look at what is left of it
        until = time.monotonic() + 10
        while any(clients(log.log)) and time.monotonic() < until:
            time.sleep(0.05)  # a thread that is in a call yet refers to it
            gc.collect()
        assert clients(log.log) == (0, 0, 0, 0)


@pytest.mark.parametrize("reads", [1, CALLS])
def test_a_loop_that_is_over_is_freed(kafka: str, reads: int) -> None:
    seen: list[weakref.ref[asyncio.AbstractEventLoop]] = []

    async def main(talk: AsyncConversation[Message]) -> None:
        seen.append(weakref.ref(asyncio.get_running_loop()))
        await talk.append(said("x"))
        await asyncio.gather(*(talk.read() for _ in range(reads)))

    log = AsyncKafkaLog({"bootstrap.servers": kafka})
    with log.log:
        for _ in range(2):
            asyncio.run(main(log.conversation(name())))
        gc.collect()
        assert [loop() for loop in seen] == [None, None]


def closed_with_watches_under_way(log: KafkaLog, count: int = 3) -> "weakref.ref[asyncio.AbstractEventLoop]":
    """On a broker that is not there: a watch waits all the same."""
    request = WatchRequest(topic="t", positions=(Position(0, 0),), wait_ms_max=60_000)
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    tasks = [loop.create_task(log.awatch(request)) for _ in range(count)]
    loop.run_until_complete(asyncio.sleep(0.05))
    assert not any(task.done() for task in tasks)
    loop.close()
    return weakref.ref(loop)


def test_a_loop_that_is_closed_with_watches_under_way_is_freed_and_the_watcher_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watching, "IDLE_SECONDS_MAX", 0.2)
    with KafkaLog({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}) as log:
        loop, watcher = closed_with_watches_under_way(log), log._watcher
        until = time.monotonic() + 10
        while watcher._turn is not None and time.monotonic() < until:
            time.sleep(0.05)
        assert (watcher._turn, watcher._places) == (None, {})
        gc.collect()
        assert loop() is None


def test_a_watch_that_is_freed_waits_for_no_lock() -> None:
    with KafkaLog({"bootstrap.servers": "127.0.0.1:1", "log_level": 0}) as log:
        coroutine = log.awatch(WatchRequest(topic="t", positions=(Position(0, 0),), wait_ms_max=60_000))

        async def begin() -> None:
            coroutine.send(None)

        asyncio.run(begin())
        with log._watcher._lock:  # as the collector may come in the midst of it
            ending = Thread(target=coroutine.close, daemon=True)
            ending.start()
            ending.join(5)
            assert not ending.is_alive()
