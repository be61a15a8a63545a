"""FakeBroker's watches: virtual time, other tasks and threads meanwhile, a close, a cancellation."""

import asyncio
import threading

import pytest
from attrs import evolve

from kchat.conversation import conversation
from kchat.conversation.ending import Ending
from kchat.core import Closed, Message, Position, WatchRequest
from kchat.testing import FakeBroker
from kchat.testing.broker import WATCH_STEP_MS

TOPIC = "watched"


def begun(*texts: str) -> FakeBroker:
    broker = FakeBroker()
    say(broker, *texts)
    return broker


def say(broker: FakeBroker, *texts: str) -> None:
    conversation(broker, TOPIC).append([Message("human", {"content": text}) for text in texts])


def beyond(offset: int, wait_ms_max: int = 1_000) -> WatchRequest:
    return WatchRequest(topic=TOPIC, positions=(Position(0, offset),), wait_ms_max=wait_ms_max)


@pytest.mark.parametrize("face", ["sync", "async"])
def test_news_takes_no_time_and_no_news_all_of_it(face: str) -> None:
    broker = begun("one")

    def watch(request: WatchRequest) -> bool:
        return broker.watch(request) if face == "sync" else asyncio.run(broker.awatch(request))

    before = broker.now_ms
    assert watch(beyond(0))
    assert broker.now_ms == before
    assert not watch(beyond(1, 995))
    assert broker.now_ms == before + 995


def test_what_is_scheduled_in_the_time_of_a_watch_is_news() -> None:
    broker = begun("one")
    before = broker.now_ms
    broker.cluster.at(before + 500, lambda: say(broker, "two"))
    assert broker.watch(beyond(1, 5_000))
    assert 500 <= broker.now_ms - before < 600


def test_what_another_task_appends_is_news() -> None:
    broker = begun("one")

    async def main() -> bool:
        watching = asyncio.create_task(broker.awatch(beyond(1, 10_000)))
        await asyncio.sleep(0)
        say(broker, "two")
        return await watching

    assert asyncio.run(main())


def test_what_ends_one_watch_leaves_the_others() -> None:
    broker = begun("one")

    async def main() -> list[bool]:
        ending = Ending()
        watching = asyncio.create_task(broker.awatch(evolve(beyond(1, 10_000), ending=ending)))
        waiting = asyncio.create_task(broker.awatch(beyond(1, 200)))
        await asyncio.sleep(0)
        before = broker.now_ms
        ending.end()
        ended = await watching
        assert broker.now_ms - before < 200
        return [ended, await waiting]

    assert asyncio.run(main()) == [True, False]


def test_a_watch_that_nobody_wants_any_more_takes_no_time() -> None:
    broker, ending = begun("one"), Ending()
    ending.end()
    before = broker.now_ms
    assert broker.watch(evolve(beyond(1, 10_000), ending=ending))
    assert broker.now_ms == before


def test_a_cancelled_watch_ends_and_time_goes_on_without_it() -> None:
    broker = begun("one")

    async def main() -> int:
        watching = asyncio.create_task(broker.awatch(beyond(1, 10_000_000)))
        for _ in range(3):
            await asyncio.sleep(0)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        before = broker.now_ms
        await asyncio.sleep(0)
        return broker.now_ms - before

    assert asyncio.run(main()) == 0
    assert broker.watch(beyond(0))


def test_a_close_ends_a_watch_that_is_under_way() -> None:
    broker = begun("one")

    async def main() -> None:
        watching = asyncio.create_task(broker.awatch(beyond(1, 10_000_000)))
        await asyncio.sleep(0)
        broker.close()
        with pytest.raises(Closed):
            await watching

    asyncio.run(main())


def test_time_does_not_pass_in_a_watch_while_another_thread_has_the_broker() -> None:
    broker = begun("one")

    async def main() -> int:
        with broker._lock:
            watching = threading.Thread(target=lambda: asyncio.run(broker.awatch(beyond(1, WATCH_STEP_MS))))
            before = broker.cluster.now_ms
            watching.start()
            await asyncio.sleep(0.05)
            passed = broker.cluster.now_ms - before
        watching.join(5)
        assert not watching.is_alive()
        return passed

    assert asyncio.run(main()) == 0
