"""Followers of a history end at its close; of others that share the connections, none does."""

import asyncio
import threading
import time
import uuid

import pytest
from langchain_core.messages import HumanMessage

from kchat.core import Closed
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker

NOBODY = "127.0.0.1:1"
"""No broker listens there."""

SECONDS_MAX = 10.0
"""Far more than an end at once takes, far less than the 30 s after which a follower looks by itself."""

LONG_SECONDS = 3.0
"""After that a follower's first, short watches are over: it waits for up to 30 s."""


def turns(count: int) -> list[HumanMessage]:
    return [HumanMessage(str(number)) for number in range(count)]


def test_a_follower_gives_nothing_that_comes_after_the_close_of_its_history() -> None:
    broker = FakeBroker()
    first, other = (KafkaChatMessageHistory("chat", "fake:9092", log=broker) for _ in range(2))
    first.add_messages(turns(1))
    following = first.follow()
    assert next(following).content == "0"
    first.close()
    other.add_messages(turns(1))
    assert list(following) == []
    with pytest.raises(Closed, match="this history was closed"):
        first.follow()


def test_a_follower_ends_in_the_midst_of_a_batch_when_its_history_is_closed() -> None:
    history = KafkaChatMessageHistory("chat", "fake:9092", log=FakeBroker())
    history.add_messages(turns(3))
    heard = []
    for message in history.follow():
        heard.append(message.content)
        if len(heard) == 2:
            history.close()
    assert heard == ["0", "1"]


def test_an_awaited_follower_gives_nothing_that_comes_after_the_close_either() -> None:
    broker = FakeBroker()
    first, other = (KafkaChatMessageHistory("chat", "fake:9092", log=broker) for _ in range(2))
    first.add_messages(turns(1))

    async def main() -> None:
        following = first.afollow()
        assert (await anext(following)).content == "0"
        await first.aclose()
        await other.aadd_messages(turns(1))
        assert [message async for message in following] == []
        with pytest.raises(Closed, match="this history was closed"):
            first.afollow()

    asyncio.run(main())


def test_the_close_of_a_history_ends_the_follower_that_waits_and_no_other_one() -> None:
    broker = FakeBroker()
    first, other = (KafkaChatMessageHistory("chat", "fake:9092", log=broker) for _ in range(2))
    first.add_messages(turns(1))
    heard: dict[str, list[object]] = {"first": [], "other": []}

    async def follow(name: str, history: KafkaChatMessageHistory) -> None:
        async for message in history.afollow():
            heard[name].append(message.content)

    async def main() -> None:
        ending, lasting = (
            asyncio.create_task(follow(*each)) for each in (("first", first), ("other", other))
        )
        while not all(heard.values()) or broker.now_ms < 1000 * LONG_SECONDS:
            await asyncio.sleep(0)
        before_ms = broker.now_ms
        await first.aclose()
        await ending
        assert broker.now_ms - before_ms < 1_000, "it was woken, and did not wait for its time"
        await other.aadd_messages(turns(1))
        while len(heard["other"]) < 2:
            await asyncio.sleep(0)
        await other.aclose()
        await lasting

    asyncio.run(main())
    assert heard == {"first": ["0"], "other": ["0", "0"]}


def test_a_follower_ends_at_the_close_of_its_history_while_no_broker_answers() -> None:
    """Others share the connections, so that these stay open; the read under way has 5 s for its answer."""
    took_seconds: list[float] = []
    with KafkaChatMessageHistory("other", NOBODY):

        def follow(history: KafkaChatMessageHistory) -> None:
            assert list(history.follow(wait_for_session=True)) == []

        async def afollow(history: KafkaChatMessageHistory) -> None:
            assert [message async for message in history.afollow(wait_for_session=True)] == []

        def afollowing(history: KafkaChatMessageHistory) -> None:
            asyncio.run(afollow(history))

        for work in (follow, afollowing):
            history = KafkaChatMessageHistory("closing", NOBODY)
            thread = threading.Thread(target=work, args=(history,))
            thread.start()
            time.sleep(0.5)
            began = time.monotonic()
            history.close()
            thread.join()
            took_seconds.append(time.monotonic() - began)
    assert max(took_seconds) < 3, took_seconds


@pytest.mark.kafka
def test_on_a_real_broker_the_close_of_a_history_ends_its_followers_alone(kafka: str) -> None:
    session = f"closing-{uuid.uuid4().hex}"
    first, other = (KafkaChatMessageHistory(session, kafka) for _ in range(2))
    first.add_messages(turns(1))
    heard: dict[str, list[object]] = {"first": [], "other": []}

    def follow(name: str, history: KafkaChatMessageHistory) -> None:
        for message in history.follow(seconds_max=4 * SECONDS_MAX):
            heard[name].append(message.content)

    def wait_for(name: str, count: int) -> None:
        end = time.monotonic() + SECONDS_MAX
        while len(heard[name]) < count and time.monotonic() < end:
            time.sleep(0.01)

    ending, lasting = (
        threading.Thread(target=follow, args=each) for each in (("first", first), ("other", other))
    )
    for each in (ending, lasting):
        each.start()
    wait_for("first", 1)
    wait_for("other", 1)
    time.sleep(LONG_SECONDS)
    first.close()
    ending.join(SECONDS_MAX)
    assert not ending.is_alive()
    assert lasting.is_alive()
    other.add_messages(turns(1))
    wait_for("other", 2)
    other.close()
    lasting.join(SECONDS_MAX)
    assert not lasting.is_alive()
    assert heard == {"first": ["0"], "other": ["0", "0"]}


@pytest.mark.kafka
def test_on_a_real_broker_an_awaited_follower_ends_at_the_close_of_its_history(kafka: str) -> None:
    session = f"closing-{uuid.uuid4().hex}"

    async def main() -> list[object]:
        first, other = (KafkaChatMessageHistory(session, kafka) for _ in range(2))
        async with other:
            await first.aadd_messages(turns(1))
            heard: list[object] = []

            async def follow() -> None:
                async for message in first.afollow():
                    heard.append(message.content)  # noqa: PERF401 - it is looked at meanwhile

            following = asyncio.create_task(follow())
            while not heard:
                await asyncio.sleep(0.01)
            await asyncio.sleep(LONG_SECONDS)
            await first.aclose()
            async with asyncio.timeout(SECONDS_MAX):
                await following
            return heard

    assert asyncio.run(main()) == ["0"]
