"""langchain_community's class and this one on the same topics, on a real Kafka: nothing is left behind."""

import json
import time
import uuid
from collections.abc import Iterator

import pytest
from confluent_kafka import Producer
from langchain_community.chat_message_histories import KafkaChatMessageHistory as OldHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage, message_to_dict

from kchat.core import CursorConflict, InvalidMessage
from kchat.langchain import KafkaChatMessageHistory

TURNS: list[BaseMessage] = [
    HumanMessage("What is 6 times 7?", id="h1"),
    AIMessage(
        "", tool_calls=[{"name": "multiply", "args": {"a": 6, "b": 7}, "id": "c1", "type": "tool_call"}]
    ),
    ToolMessage("42", tool_call_id="c1", artifact={"steps": [6, 7, 42]}),
    AIMessage("42.", usage_metadata={"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}),
    HumanMessage("Thanks — and in Greek? λ"),
    AIMessage("σαράντα δύο"),
]


@pytest.fixture
def session() -> str:
    return f"old-{uuid.uuid4().hex}"


@pytest.fixture
def new(kafka: str, session: str) -> Iterator[KafkaChatMessageHistory]:
    with KafkaChatMessageHistory(session, kafka) as history:
        yield history


def add_slowly(old: OldHistory, messages: list[BaseMessage]) -> None:
    """One call a message, a few milliseconds apart: without keys, their time is all that orders them."""
    for message in messages:
        old.add_messages([message])
        time.sleep(0.005)


def read_all(history: KafkaChatMessageHistory) -> list[BaseMessage]:
    return history.messages_from_beginning(None, None)


def test_its_topics_are_read_in_time_order(kafka: str, session: str, new: KafkaChatMessageHistory) -> None:
    old = OldHistory(session, kafka)
    assert old.num_partitions == 3
    add_slowly(old, TURNS)
    assert read_all(new) == TURNS


def test_the_order_holds_for_many_messages_in_all_partitions(
    kafka: str, session: str, new: KafkaChatMessageHistory
) -> None:
    old = OldHistory(session, kafka)
    add_slowly(old, [HumanMessage(str(number)) for number in range(60)])
    assert [message.content for message in read_all(new)] == [str(number) for number in range(60)]
    assert new.last_outcome is not None
    assert len({delivery.partition for delivery in new.last_outcome.progress.deliveries}) == 3
    batches = [new.messages_from_beginning(7, 5.0)]
    while batch := new.messages_from_last_consumed(7, 5.0):
        batches.append(batch)
    contents = [message.content for batch in batches for message in batch]
    assert contents == [str(number) for number in range(60)]


def test_the_cursor_that_it_left_carries_over(kafka: str, session: str, new: KafkaChatMessageHistory) -> None:
    old = OldHistory(session, kafka)
    add_slowly(old, TURNS)
    read_before = old.messages_from_beginning(max_message_count=4, max_time_sec=20)
    rest = new.messages_from_last_consumed(None, None)
    assert 1 <= len(read_before) <= 4
    # It consumes partition by partition: which it has read is its own affair, the others follow in order.
    assert rest == [message for message in TURNS if message not in read_before]


def test_it_reads_what_is_written_here(kafka: str, session: str, new: KafkaChatMessageHistory) -> None:
    new.add_messages(TURNS)
    old = OldHistory(session, kafka)
    assert old.messages_from_beginning(max_message_count=len(TURNS), max_time_sec=20) == TURNS


def test_both_may_write_to_one_session(kafka: str, session: str, new: KafkaChatMessageHistory) -> None:
    old = OldHistory(session, kafka)
    for number in range(0, 10, 2):
        old.add_messages([HumanMessage(str(number))])
        time.sleep(0.005)
        new.add_ai_message(str(number + 1))
        time.sleep(0.005)
    assert [message.content for message in read_all(new)] == [str(number) for number in range(10)]


def test_a_live_reader_of_the_old_class_keeps_the_cursor_and_is_named(
    kafka: str, session: str, new: KafkaChatMessageHistory
) -> None:
    from confluent_kafka import Consumer

    new.add_user_message("x")
    properties = {"bootstrap.servers": kafka, "group.id": session, "auto.offset.reset": "earliest"}
    member = Consumer({**properties, "enable.auto.commit": False})
    member.subscribe([session])
    try:
        assert member.poll(20) is not None
        with pytest.raises(CursorConflict, match="member of its group") as failed:
            _ = new.messages
        assert failed.value.code == "UNKNOWN_MEMBER_ID"
        assert "without the cursor" in failed.value.next_step
    finally:
        member.close()
    assert [message.content for message in new.messages] == ["x"], "the cursor is where it was"


def test_values_that_only_python_writes_as_json_stay_readable(
    kafka: str, session: str, new: KafkaChatMessageHistory
) -> None:
    """The old class wrote NaN as a bare word, which JSON does not know. It reads; it is not written again."""
    score = HumanMessage("scored", additional_kwargs={"score": float("nan")})
    OldHistory(session, kafka).add_messages([score])
    [read] = read_all(new)
    assert str(read.additional_kwargs["score"]) == "nan"
    with pytest.raises(InvalidMessage, match=r"\.additional_kwargs\.score"):
        new.add_message(read)


def test_a_foreign_value_among_its_messages_is_reported_and_its_neighbours_are_kept(
    kafka: str, session: str
) -> None:
    OldHistory(session, kafka)
    producer = Producer({"bootstrap.servers": kafka})
    for value in (json.dumps(message_to_dict(TURNS[0])), "not json", json.dumps(message_to_dict(TURNS[3]))):
        producer.produce(session, value=value, partition=1)
    producer.flush(20)
    with KafkaChatMessageHistory(session, kafka, on_corrupt="skip") as history:
        assert read_all(history) == [TURNS[0], TURNS[3]]
        assert [(record.partition, record.offset) for record in history.skipped] == [(1, 1)]
