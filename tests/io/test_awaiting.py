"""Appends that an event loop awaits: no thread for each, the promises all the same."""

import asyncio
import threading
import time
import uuid
from typing import Any, cast

import pytest
from confluent_kafka import KafkaError, Producer

from kchat.core import (
    Appended,
    AppendRefused,
    AppendRequest,
    AppendUnknown,
    KchatError,
    Message,
    NewRecord,
    Produce,
    TopicSettings,
    encode,
    place,
)
from kchat.io import AsyncKafkaLog, KafkaLog, aio_calls
from kchat.io.appends import Appends
from kchat.io.clients import READERS_MAX, SharedProducer
from kchat.io.polling import Polling
from kchat.io.waking import Bell, Sleeper

SESSIONS = 20


def name() -> str:
    return f"awaited-{uuid.uuid4().hex}"


def said(*texts: str) -> list[Message]:
    return [Message("human", {"content": text}) for text in texts]


def request(topic: str, *texts: str, wait_ms_max: int = 20_000) -> AppendRequest:
    made = [encode(m, key=place(topic).key, message_id=uuid.uuid4().hex) for m in said(*texts)]
    records = tuple(record for record in made if isinstance(record, NewRecord))
    return AppendRequest(
        topic=topic, records=records, settings=TopicSettings(partitions=1), wait_ms_max=wait_ms_max
    )


def texts_of(log: KafkaLog, session: str) -> list[str]:
    return [message.text for message in log.conversation(session).read().messages]


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that appends did on a thread."""
    done: list[str] = []
    in_turn = aio_calls.AsyncCalls._in_turn

    async def counted(calls: aio_calls.AsyncCalls, *args: Any) -> Any:
        done.append(type(args[-1]).__name__)
        return await in_turn(calls, *args)

    monkeypatch.setattr(aio_calls.AsyncCalls, "_in_turn", counted)
    return done


def test_a_thousand_appends_take_no_thread_each_and_all_are_stored_in_order(
    kafka: str, hops: list[str]
) -> None:
    topics = [name() for _ in range(SESSIONS)]

    async def main(log: KafkaLog) -> int:
        for topic in topics:
            assert isinstance(await log.aappend(request(topic, "first")), Appended)
        hops.clear()
        before = threading.active_count()
        outcomes = await asyncio.gather(
            *(
                log.aappend(request(topic, f"{n} question", f"{n} answer"))
                for n in range(1_000 // SESSIONS)
                for topic in topics
            )
        )
        assert all(isinstance(outcome, Appended) and len(outcome.places) == 2 for outcome in outcomes)
        return threading.active_count() - before

    with KafkaLog({"bootstrap.servers": kafka}) as log:
        assert asyncio.run(main(log)) <= 1
        assert hops == []
        for topic in topics:
            first, *rest = texts_of(log, topic)
            assert first == "first"
            assert len(rest) == 2 * 1_000 // SESSIONS
            pairs = [(a.split(), b.split()) for a, b in zip(rest[::2], rest[1::2], strict=True)]
            assert all(a[0] == b[0] and (a[1], b[1]) == ("question", "answer") for a, b in pairs), rest


def test_a_thousand_sessions_begin_at_once_on_a_cold_log(kafka: str) -> None:
    topics = [name() for _ in range(SESSIONS)]

    async def main() -> list[int]:
        async with AsyncKafkaLog({"bootstrap.servers": kafka}) as log:
            await asyncio.gather(
                *(log.conversation(topic).append(said(f"{n}"), 60.0) for n in range(10) for topic in topics)
            )
            return [len(await log.conversation(topic).read()) for topic in topics]

    assert asyncio.run(main()) == [10] * SESSIONS


def test_a_queue_that_is_full_is_waited_for(kafka: str, hops: list[str]) -> None:
    topic, texts = name(), [str(number) for number in range(300)]

    async def main(log: KafkaLog) -> object:
        await log.aappend(request(topic, "first"))
        hops.clear()
        return await log.aappend(request(topic, *texts))

    with KafkaLog({"bootstrap.servers": kafka, "queue.buffering.max.messages": 20}) as log:
        assert isinstance(asyncio.run(main(log)), Appended)
        assert hops == []
        assert texts_of(log, topic) == ["first", *texts]


def test_a_topic_that_was_deleted_meanwhile_is_created_again(kafka: str) -> None:
    topic = name()

    async def main() -> list[str]:
        async with (
            AsyncKafkaLog({"bootstrap.servers": kafka}) as log,
            AsyncKafkaLog({"bootstrap.servers": kafka}) as other,
        ):
            await log.conversation(topic).append(said("before"))
            await other.conversation(topic).clear()
            await log.conversation(topic).append(said("after", "wards"))
            return [message.text for message in (await log.conversation(topic).read()).messages]

    assert asyncio.run(main()) == ["after", "wards"]


def test_a_cancelled_append_is_withdrawn_and_its_neighbours_are_stored(kafka: str) -> None:
    topic = name()

    async def main() -> tuple[list[str], int]:
        async with AsyncKafkaLog({"bootstrap.servers": kafka}) as log:
            talk = log.conversation(topic)
            await talk.append(said("first"))
            stored, maybe = ["first"], set[str]()
            for number in range(30):
                doomed = asyncio.create_task(log.log.aappend(request(topic, f"doomed {number}")))
                neighbour = asyncio.create_task(log.log.aappend(request(topic, f"kept {number}")))
                await asyncio.sleep(0.0001 * (number % 10))
                maybe.add(f"doomed {number}")
                doomed.cancel()
                assert isinstance(await neighbour, Appended)
                stored.append(f"kept {number}")
                await asyncio.wait([doomed])
            read = [message.text for message in (await talk.read()).messages]
            later = [message.text for message in (await talk.read()).messages]
            assert read == later, "what was withdrawn surfaces later"
            producer = log.log._clients._producer
            return [text for text in read if text not in maybe], producer.users if producer else 0

    read, users = asyncio.run(main())
    assert read == ["first", *(f"kept {number}" for number in range(30))]
    assert users == 0


def test_many_cancelled_at_once_leave_no_thread_and_no_user_of_a_producer(kafka: str) -> None:
    topic = name()

    async def main(log: KafkaLog) -> int:
        await log.aappend(request(topic, "first"))
        before = threading.active_count()
        tasks = [asyncio.create_task(log.aappend(request(topic, str(n)))) for n in range(500)]
        await asyncio.sleep(0.02)
        for task in tasks:
            task.cancel()
        most = 0
        while not all(task.done() for task in tasks):
            most = max(most, threading.active_count() - before)
            await asyncio.sleep(0)
        assert isinstance(await log.aappend(request(topic, "last")), Appended)
        return most

    with KafkaLog({"bootstrap.servers": kafka}) as log:
        assert asyncio.run(main(log)) <= READERS_MAX + 4
        assert texts_of(log, topic)[-1] == "last"
        producer = log._clients._producer
        assert producer is None or producer.users == 0


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_an_append_to_a_broker_that_is_not_there_ends_in_time(seconds: float) -> None:
    async def main() -> list[object]:
        async with AsyncKafkaLog({"bootstrap.servers": "127.0.0.1:1"}) as log:
            appends = [log.conversation(f"s{n}").append(said("hello"), seconds) for n in range(40)]
            return [*await asyncio.gather(*appends, return_exceptions=True)]

    begun = time.monotonic()
    errors = asyncio.run(main())
    assert all(isinstance(error, AppendRefused | AppendUnknown) for error in errors), errors
    assert time.monotonic() - begun < seconds + 1 + 1  # one second is the promise, one the close


def test_the_polling_thread_ends_when_nobody_needs_it(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kchat.io.polling.IDLE_SECONDS_MAX", 0.05)
    topic = name()

    async def main(log: KafkaLog) -> Polling:
        await log.aappend(request(topic, "first"))
        await log.aappend(request(topic, "second"))
        assert log._clients._producer is not None
        polling = log._clients._producer.polling
        assert polling._running is not None
        return polling

    with KafkaLog({"bootstrap.servers": kafka}) as log:
        polling = asyncio.run(main(log))
        until = time.monotonic() + 5
        while polling._running is not None and time.monotonic() < until:
            time.sleep(0.01)
        assert polling._running is None
        assert isinstance(asyncio.run(log.aappend(request(topic, "third"))), Appended)


def test_what_is_rung_together_wakes_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> int:
        loop, called = asyncio.get_running_loop(), 0
        call = loop.call_soon_threadsafe

        def counted(*args: Any) -> Any:
            nonlocal called
            called += 1
            return call(*args)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        bell = Bell()
        sleepers = [Sleeper(bell) for _ in range(100)]
        tasks = [asyncio.create_task(sleeper.sleep(10)) for sleeper in sleepers]
        await asyncio.sleep(0)

        def ring() -> None:
            for sleeper in sleepers:
                sleeper.wake()

        ringing = threading.Thread(target=ring)
        ringing.start()
        ringing.join()  # the loop is busy so long
        async with asyncio.timeout(5):
            await asyncio.gather(*tasks)
        return called

    assert asyncio.run(main()) == 1


def test_who_is_woken_before_it_sleeps_does_not_sleep() -> None:
    async def main() -> None:
        sleeper = Sleeper(Bell())
        sleeper.wake()
        async with asyncio.timeout(5):
            await sleeper.sleep(60)

    asyncio.run(main())


def test_an_append_after_the_close_is_refused(kafka: str) -> None:
    log = KafkaLog({"bootstrap.servers": kafka})
    log.close()
    with pytest.raises(KchatError):
        asyncio.run(log.aappend(request(name(), "late")))


class _Flushed:
    """A client whose flush ends at once, or when it is told to."""

    def __init__(self) -> None:
        self.flushed = threading.Semaphore(0)

    def flush(self, seconds: float) -> int:
        del seconds
        self.flushed.release()
        time.sleep(0.001)
        return 0


def test_a_polling_thread_that_sleeps_is_woken_by_who_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kchat.io.polling.IDLE_SECONDS_MAX", 3600.0)  # it wakes in no other way
    client = _Flushed()
    polling = Polling(cast(Producer, client))

    def died(error: KafkaError) -> None:
        del error

    polling.join(died)
    assert client.flushed.acquire(timeout=10)
    polling.leave(died)
    until = time.monotonic() + 10
    while not polling._asleep and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)  # it is in its sleep by now
    while client.flushed.acquire(blocking=False):
        pass
    polling.join(died)
    try:
        assert client.flushed.acquire(timeout=10), "it slept on"
    finally:
        polling.leave(died)
        polling.close()


def test_where_no_thread_can_be_started_nobody_is_left_to_be_served(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr("kchat.io.polling.start_new_thread", refused)
    polling = Polling(cast(Producer, _Flushed()))
    with pytest.raises(RuntimeError):
        polling.join(lambda _: None)
    assert not polling._awaiting
    assert polling._running is None


def test_a_full_queue_is_left_at_once_and_tried_again(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the event loop would spin on it: no record is counted as sent that the client did not take."""
    topic, texts = name(), [str(number) for number in range(100)]
    left: list[int] = []
    hand_over = Appends._hand_over

    def seen(appends: Appends, producer: SharedProducer, command: Produce, end: float) -> bool:
        before = appends._sent
        goes_on = hand_over(appends, producer, command, end)
        if appends._sent == before:
            assert not goes_on, "it goes on with a queue that is full"
            left.append(before)
        return goes_on

    monkeypatch.setattr(Appends, "_hand_over", seen)

    async def main(log: KafkaLog) -> object:
        await log.aappend(request(topic, "first"))
        return await log.aappend(request(topic, *texts))

    with KafkaLog({"bootstrap.servers": kafka, "queue.buffering.max.messages": 20}) as log:
        assert isinstance(asyncio.run(main(log)), Appended)
        assert texts_of(log, topic) == ["first", *texts]
    assert left, "the queue was never full"


def test_a_cancelled_append_sends_nothing_behind_what_is_on_its_way(kafka: str) -> None:
    """The first record goes alone: when it arrives after the cancellation, the second one stays."""
    topic = name()

    async def main(log: KafkaLog) -> None:
        await log.aappend(request(topic, "first"))
        producer = log._clients._producer
        assert producer is not None
        producer.proofs.drop(topic)
        doomed = asyncio.create_task(log.aappend(request(topic, "one", "two")))
        await asyncio.sleep(0)
        assert producer.users == 1, "nothing is on its way"
        doomed.cancel()
        await asyncio.wait([doomed])
        await log.aappend(request(topic, "last"))

    with KafkaLog({"bootstrap.servers": kafka}) as log:
        asyncio.run(main(log))
        assert "two" not in texts_of(log, topic)
        assert texts_of(log, topic)[-1] == "last"
