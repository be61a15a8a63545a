"""A conversation read in batches is the conversation, and no more of it than a batch is asked for at once."""

import asyncio
import uuid
from collections.abc import Callable

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import (
    HEADER_ID,
    HEADER_RESENT,
    Complete,
    CorruptRecord,
    Fetch,
    Limit,
    Partial,
    Progress,
    ReadFailed,
    ReadRequest,
    continued,
    settling,
)
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker

SESSION = "long"
Streamed = Callable[[KafkaChatMessageHistory, int], list[str]]


def sync(history: KafkaChatMessageHistory, batch_max: int) -> list[str]:
    return [str(message.content) for message in history.stream_messages(batch_max)]


def in_event_loop(history: KafkaChatMessageHistory, batch_max: int) -> list[str]:
    async def read() -> list[str]:
        return [str(message.content) async for message in history.astream_messages(batch_max)]

    return asyncio.run(read())


both = pytest.mark.parametrize("streamed", [sync, in_event_loop])


def history_on(broker: FakeBroker, count: int, **more: object) -> KafkaChatMessageHistory:
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker, **more)  # type: ignore[arg-type]
    if count:
        history.add_messages([HumanMessage(str(number)) for number in range(count)])
    return history


@both
@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 35])
def test_the_batches_are_the_conversation(
    streamed: Streamed, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "SCAN_MIN", 1)
    broker = FakeBroker()
    history = history_on(broker, count)
    assert streamed(history, 10) == [str(number) for number in range(count)]
    assert all(c.records_max <= 10 for c in broker.commands if isinstance(c, Fetch) and len(c.positions) == 1)


def note_all(history: KafkaChatMessageHistory, seen: list[str]) -> None:
    for message in history.stream_messages(5):
        seen.append(str(message.content))  # noqa: PERF401 - what came before an error counts


@both
def test_what_lies_before_a_corrupt_record_comes_before_the_error(streamed: Streamed) -> None:
    broker = FakeBroker()
    history = history_on(broker, 12)
    broker.cluster.inject(SESSION, b"no message", key=SESSION.encode(), partition=0)
    history.add_message(HumanMessage("behind"))
    seen: list[str] = []
    with pytest.raises(CorruptRecord):
        note_all(history, seen)
    assert seen == [str(number) for number in range(12)]
    assert streamed(history_on(broker, 0, on_corrupt="skip"), 5) == [*map(str, range(12)), "behind"]


def test_the_place_is_left_alone() -> None:
    history = history_on(FakeBroker(), 12)
    assert len(history.messages_from_last_consumed(2)) == 2
    assert len(sync(history, 5)) == 12
    assert [m.content for m in history.messages_from_last_consumed(1)] == ["2"]


def test_what_comes_meanwhile_is_read_too() -> None:
    history = history_on(FakeBroker(), 10)
    stream = history.stream_messages(4)
    first = next(stream)
    history.add_message(HumanMessage("news"))
    assert [first.content, *(m.content for m in stream)] == [*map(str, range(10)), "news"]


@pytest.mark.parametrize("after", [0, 30], ids=["deleted", "created again, longer"])
def test_a_stream_does_not_go_on_in_another_conversation(after: int) -> None:
    history = history_on(FakeBroker(), 10)
    stream = history.stream_messages(4)
    seen = [next(stream).content for _ in range(4)]
    history.clear()
    if after:
        history.add_messages([HumanMessage("new")] * after)
    with pytest.raises(ReadFailed, match="another one"):
        seen.extend(message.content for message in stream)
    assert seen == ["0", "1", "2", "3"]


def test_a_late_second_copy_is_dropped_in_a_later_batch() -> None:
    broker = FakeBroker()
    history = history_on(broker, 1)
    topic = broker.cluster.topics[SESSION]
    for number, resent in ((1, True), (2, False), (1, False), (3, False)):
        value = topic.partitions[0].records[0].value or b""
        broker.cluster.inject(
            SESSION,
            value.replace(b'"0"', f'"{number}"'.encode()),
            key=SESSION.encode(),
            headers=((HEADER_ID, f"id-{number}".encode()), *([(HEADER_RESENT, b"1")] if resent else [])),
            partition=0,
        )
    for batch_max in (1, 2, 3, 9):
        assert sync(history, batch_max) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("batch_max", [0, -1, None, 1.5])
def test_a_batch_is_a_number_of_messages(batch_max: int) -> None:
    with pytest.raises(ValueError, match="batch_max"):
        history_on(FakeBroker(), 0).stream_messages(batch_max)


def test_only_a_read_that_its_count_ended_goes_on() -> None:
    request: ReadRequest[BaseMessage] = history_on(FakeBroker(), 0)._ask.batch(1)
    assert continued(request, Complete(Progress())) is None
    assert continued(request, Partial(Progress(), Limit.TIME)) is None
    assert continued(request, Partial(Progress(), Limit.COUNT)) is None


@both
def test_on_a_real_broker(kafka: str, kafka_log: KafkaLog, streamed: Streamed) -> None:
    with KafkaChatMessageHistory(f"stream-{uuid.uuid4().hex}", kafka, log=kafka_log) as history:
        history.add_messages([HumanMessage(str(number)) for number in range(2_500)], 20)
        assert streamed(history, 400) == [str(number) for number in range(2_500)]
        history.clear()
