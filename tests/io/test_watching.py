"""Followers on a real Kafka: the seam, the wake-up, the broker's death, and what a thousand of them take."""

import asyncio
import os
import signal
import threading
import time
import uuid

import pytest

from kchat.conversation import AsyncConversation
from kchat.conversation.ending import Ending
from kchat.core import Closed, Message, Position, WatchRequest
from kchat.io import AsyncKafkaLog, KafkaLog, watching
from tests.brokers import Missing, choose_jars_here
from tests.brokers.installation import installed
from tests.brokers.jars import JarsKafka
from tests.brokers.properties import RESTARTING

FOLLOWERS = 200
THREADS_MAX = 60
SOCKETS_MAX = 60
BLOCKED_SECONDS_MAX = 0.5


def said(*texts: str) -> list[Message]:
    return [Message("human", {"content": text}) for text in texts]


def name() -> str:
    return f"watched-{uuid.uuid4().hex}"


def test_a_watch_sees_what_is_there_what_comes_and_that_nothing_does(kafka_log: KafkaLog) -> None:
    talk = kafka_log.conversation(name())
    talk.append(said("one"))

    def watch(offset: int, wait_ms: int) -> bool:
        return kafka_log.watch(
            WatchRequest(topic=talk.topic, positions=(Position(0, offset),), wait_ms_max=wait_ms)
        )

    assert watch(0, 20_000)
    assert not watch(1, 300)
    append = threading.Timer(0.2, talk.append, [said("two")])
    append.start()
    assert watch(1, 20_000)
    append.join()
    assert watch(1, 20_000), "what a watcher has passed is still worth reading"


def test_a_watch_of_a_deleted_topic_ends_and_the_watcher_lives(kafka_log: KafkaLog) -> None:
    talk, other = kafka_log.conversation(name()), kafka_log.conversation(name())
    for each in (talk, other):
        each.append(said("one"))
    threading.Timer(0.3, talk.clear).start()
    place = (Position(0, 1),)
    kafka_log.watch(WatchRequest(topic=talk.topic, positions=place, wait_ms_max=3_000))
    threading.Timer(0.2, other.append, [said("two")]).start()
    assert kafka_log.watch(WatchRequest(topic=other.topic, positions=place, wait_ms_max=20_000))


def test_an_ending_wakes_its_own_watches_and_is_left_by_them(kafka_log: KafkaLog) -> None:
    talk = kafka_log.conversation(name())
    talk.append(said("one"))
    ending = Ending()
    request = WatchRequest(topic=talk.topic, positions=(Position(0, 1),), wait_ms_max=20_000, ending=ending)
    other = WatchRequest(topic=talk.topic, positions=(Position(0, 1),), wait_ms_max=1_500)
    threading.Timer(0.5, ending.end).start()

    async def all_three() -> list[bool]:
        blocking = asyncio.to_thread(kafka_log.watch, request)
        return list(await asyncio.gather(blocking, kafka_log.awatch(request), kafka_log.awatch(other)))

    begun = time.monotonic()
    assert asyncio.run(all_three()) == [True, True, False]
    assert time.monotonic() - begun < 10
    assert ending._waiting == set()


def test_closing_the_log_ends_followers_and_refuses_watches(kafka: str) -> None:
    log = KafkaLog({"bootstrap.servers": kafka})
    talk = log.conversation(name())
    talk.append(said("one"))
    heard: list[str] = []
    thread = threading.Thread(target=lambda: heard.extend(entry.message.text for entry in talk.follow()))
    thread.start()
    time.sleep(0.5)
    log.close()
    thread.join(10)
    assert not thread.is_alive()
    assert heard == ["one"]
    for positions in ((Position(0, 1),), ()):
        request = WatchRequest(topic=talk.topic, positions=positions, wait_ms_max=10)
        with pytest.raises(Closed):
            log.watch(request)
        with pytest.raises(Closed):
            asyncio.run(log.awatch(request))


def test_ctrl_c_in_a_watch_leaves_the_others_awake(kafka_log: KafkaLog) -> None:
    talk = kafka_log.conversation(name())
    talk.append(said("one"))
    request = WatchRequest(topic=talk.topic, positions=(Position(0, 1),), wait_ms_max=20_000)
    for number in range(30):
        interrupt = threading.Timer(0.02 + 0.001 * number, os.kill, [os.getpid(), signal.SIGINT])
        interrupt.start()
        with pytest.raises(KeyboardInterrupt):
            kafka_log.watch(request)
        interrupt.join()
    append = threading.Timer(0.2, talk.append, [said("two")])
    append.start()
    assert kafka_log.watch(request)
    append.join()


def test_a_watch_that_cannot_begin_ends_with_its_time_and_the_next_one_begins(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with KafkaLog({"bootstrap.servers": kafka}) as log:
        talk = log.conversation(name())
        talk.append(said("one"))
        request = WatchRequest(topic=talk.topic, positions=(Position(0, 0),), wait_ms_max=20_000)

        def refuse(*_: object) -> int:
            raise RuntimeError("can't start new thread")

        with monkeypatch.context() as patch:
            patch.setattr(watching, "start_new_thread", refuse)
            with pytest.raises(RuntimeError, match="new thread"):
                log.watch(request)
        assert log.watch(request)


def test_a_cancelled_watch_leaves_no_waiter(kafka_log: KafkaLog) -> None:
    talk = kafka_log.conversation(name())
    talk.append(said("one"))
    request = WatchRequest(topic=talk.topic, positions=(Position(0, 1),), wait_ms_max=20_000)

    async def main() -> None:
        tasks = [asyncio.create_task(kafka_log.awatch(request)) for _ in range(20)]
        await asyncio.sleep(0.3)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    asyncio.run(main())
    assert kafka_log._watcher._places[talk.topic, 0].waiting == set()


def test_beyond_the_bound_what_nobody_watches_is_given_up_at_once(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "PLACES_MAX", 0)
    with KafkaLog({"bootstrap.servers": kafka}) as log:
        talk = log.conversation(name())
        talk.append(said("one"))
        request = WatchRequest(topic=talk.topic, positions=(Position(0, 1),), wait_ms_max=300)
        assert not log.watch(request)
        until = time.monotonic() + watching.IDLE_SECONDS_MAX / 3
        while log._watcher._places and time.monotonic() < until:
            time.sleep(0.05)
        assert log._watcher._places == {}


def test_a_follower_waits_for_a_session_that_begins_later(kafka_log: KafkaLog) -> None:
    talk = kafka_log.conversation(name())
    threading.Timer(0.5, talk.append, [said("first")]).start()
    following = talk.follow(wait_for_session=True, messages_max=1, seconds_max=20.0)
    assert [entry.message.text for entry in following] == ["first"]


def test_a_follower_survives_the_broker_and_misses_nothing() -> None:
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with (
        JarsKafka(installed(choice.java), extra=RESTARTING) as kafka,
        KafkaLog({"bootstrap.servers": kafka.bootstrap}) as log,
    ):
        talk = log.conversation("survivor")
        talk.append(said("0"))
        heard: list[str] = []

        def follow() -> None:
            heard.extend(entry.message.text for entry in talk.follow(messages_max=6, seconds_max=90.0))

        thread = threading.Thread(target=follow)
        thread.start()
        for number in range(1, 6):
            if number == 3:
                kafka.kill()
                kafka.restart()
            talk.append(said(str(number)), seconds_max=60.0)
        thread.join(100)
        assert heard == [str(number) for number in range(6)]


def test_many_followers_share_a_few_threads_and_connections(kafka: str) -> None:
    async def follow(talk: AsyncConversation[Message], heard: list[str]) -> None:
        async with asyncio.timeout(60):
            heard.extend([entry.message.text async for entry in talk.follow(messages_max=2)])

    async def main() -> tuple[list[list[str]], int, int, float]:
        async with AsyncKafkaLog({"bootstrap.servers": kafka}) as log:
            talks = [log.conversation(name()) for _ in range(FOLLOWERS)]
            for some in range(0, FOLLOWERS, 8):
                await asyncio.gather(*(talk.append(said("0")) for talk in talks[some : some + 8]))
            heard: list[list[str]] = [[] for _ in talks]
            blocked = asyncio.create_task(_longest_block())
            async with asyncio.TaskGroup() as group:
                for talk, into in zip(talks, heard, strict=True):
                    group.create_task(follow(talk, into))
                await asyncio.sleep(3)
                threads, sockets = len(os.listdir("/proc/self/task")), _sockets()
                for talk in talks:
                    await talk.append(said("1"))
            blocked.cancel()
            return heard, threads, sockets, await _result(blocked)

    before = len(os.listdir("/proc/self/task")), _sockets()
    heard, threads, sockets, longest = asyncio.run(main())
    assert heard == [["0", "1"]] * FOLLOWERS
    assert threads - before[0] <= THREADS_MAX
    assert sockets - before[1] <= SOCKETS_MAX
    assert longest < BLOCKED_SECONDS_MAX, "a call blocks the event loop"


async def _longest_block() -> float:
    """How long the event loop did nothing else at most, until cancelled."""
    longest, last = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0.001)
            longest, last = max(longest, time.perf_counter() - last - 0.001), time.perf_counter()
    except asyncio.CancelledError:
        return longest


async def _result(task: "asyncio.Task[float]") -> float:
    return await task


def _sockets() -> int:
    found = 0
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket")
        except FileNotFoundError:
            continue
    return found


def test_a_cancelled_follower_leaves_nothing_to_the_next_one(kafka: str) -> None:
    async def main() -> list[str]:
        async with AsyncKafkaLog({"bootstrap.servers": kafka}) as log:
            talk = log.conversation(name())
            await talk.append(said("0", "1"))
            for _ in range(20):
                following = asyncio.create_task(_all_of(talk))
                await asyncio.sleep(0.01)
                following.cancel()
                await asyncio.wait([following])
            return [entry.message.text for entry in await talk.last(9)]

    assert asyncio.run(main()) == ["0", "1"]


async def _all_of(talk: AsyncConversation[Message]) -> None:
    async for _ in talk.follow():
        pass
