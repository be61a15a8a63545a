"""Every member of LangChain's history class means on each broker what its documentation says."""

import time
import uuid
from itertools import count

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from kchat.core import (
    AppendUnknown,
    Closed,
    Complete,
    CorruptRecord,
    InvalidMessage,
    Limit,
    NewRecord,
    Partial,
    TopicNotChanged,
    place,
)
from kchat.langchain import KafkaChatMessageHistory
from kchat.langchain.messages import encoder
from tests.conformance.conftest import Broker, Caller, Open


def humans(number: int, start: int = 0) -> list[BaseMessage]:
    return [HumanMessage(f"message {n}") for n in range(start, start + number)]


def interrupted_append(history: KafkaChatMessageHistory, messages: list[BaseMessage]) -> AppendUnknown:
    """The error of an append whose records all were stored: only their acknowledgements were lost."""
    placement = place(history.session_id)
    encode = encoder(placement.key, lambda: uuid.uuid4().hex)
    records = tuple(r for r in map(encode, messages) if isinstance(r, NewRecord))
    return AppendUnknown("simulated", records=records, session=history.session_id, topic=placement.topic)


def test_messages_continues_after_the_last_one_read_five_at_a_time(open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_messages", humans(7))
    assert call(history, "messages") == humans(5)
    assert call(history, "messages") == humans(2, start=5)
    assert call(history, "messages") == []
    call(history, "add_messages", humans(1, start=7))
    assert call(history, "messages") == humans(1, start=7)


def test_a_session_that_was_never_written_is_empty_and_at_once(open_history: Open, call: Caller) -> None:
    began = time.monotonic()
    assert call(open_history(), "messages") == []
    assert call(open_history(replay=True), "messages") == []
    assert time.monotonic() - began < 3


def test_replay_gives_the_whole_conversation_every_time_and_leaves_the_place(
    open_history: Open, call: Caller
) -> None:
    history = open_history()
    call(history, "add_messages", humans(12))
    assert call(history, "messages_from_beginning", 2) == humans(2)
    replaying = open_history(replay=True)
    assert call(replaying, "messages") == humans(12)
    assert call(replaying, "messages") == humans(12)
    assert call(history, "messages") == humans(5, start=2)


def test_from_beginning_resets_and_the_next_read_continues_there(open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_messages", humans(8))
    assert call(history, "messages_from_beginning") == humans(5)
    assert call(history, "messages_from_beginning", max_message_count=3) == humans(3)
    assert call(history, "messages_from_last_consumed", max_message_count=2) == humans(2, start=3)
    assert call(history, "messages_from_beginning", None, None) == humans(8)
    assert call(history, "messages_from_last_consumed") == []


def test_from_last_consumed_is_shared_by_histories_of_one_session(open_history: Open, call: Caller) -> None:
    one, other = open_history(), open_history()
    call(one, "add_messages", humans(6))
    assert call(one, "messages_from_last_consumed", 2) == humans(2)
    assert call(other, "messages_from_last_consumed", 2) == humans(2, start=2)
    assert call(one, "messages_from_last_consumed", None) == humans(2, start=4)


def test_from_latest_passes_over_what_is_there(open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_messages", humans(3))
    assert call(history, "messages_from_latest", max_time_sec=0.1) == []
    assert isinstance(history.last_outcome, Partial)
    assert history.last_outcome.limit is Limit.TIME
    assert call(history, "messages") == []
    call(history, "add_messages", humans(1, start=3))
    assert call(history, "messages") == humans(1, start=3)


def test_from_latest_waits_for_new_messages(broker: Broker, open_history: Open, call: Caller) -> None:
    history, writer, numbers = open_history(), open_history(), count(1)
    call(history, "add_messages", humans(1))
    with broker.meanwhile(lambda: writer.add_messages(humans(1, start=next(numbers)))):
        new = call(history, "messages_from_latest", max_message_count=3, max_time_sec=20.0)
    whole = open_history(replay=True).messages
    first = whole.index(new[0])
    assert first > 0
    assert new == whole[first : first + 3]
    assert len(new) == 3
    assert call(history, "messages_from_last_consumed", None) == whole[first + 3 :]


def test_the_convenience_members_add_one_message(open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_message", HumanMessage("one"))
    call(history, "add_user_message", "two")
    call(history, "add_ai_message", "three")
    call(history, "add_user_message", HumanMessage("four"))
    call(history, "add_ai_message", AIMessage("five"))
    assert call(history, "messages") == [
        HumanMessage("one"),
        HumanMessage("two"),
        AIMessage("three"),
        HumanMessage("four"),
        AIMessage("five"),
    ]


def test_adding_nothing_does_nothing(open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_messages", [])
    assert call(history, "messages") == []


def test_one_bad_message_of_ten_sends_none(open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_messages", humans(1))
    bad = HumanMessage("bad", additional_kwargs={"score": float("nan")})
    with pytest.raises(InvalidMessage) as refused:
        call(history, "add_messages", [*humans(6), bad, *humans(3)])
    assert refused.value.index == 6
    assert refused.value.path == ".additional_kwargs.score"
    assert call(history, "messages") == humans(1)


def test_one_large_message_of_three_sends_none(open_history: Open, call: Caller) -> None:
    history = open_history()
    with pytest.raises(InvalidMessage):
        call(history, "add_messages", [*humans(1), HumanMessage("x" * 1_000_000), *humans(1)])
    assert call(history, "messages") == []


def test_resent_records_are_read_once(open_history: Open, call: Caller) -> None:
    history = open_history()
    unknown = interrupted_append(history, humans(3))
    call(history, "resend", unknown)
    call(history, "resend", unknown)
    assert call(open_history(replay=True), "messages") == humans(3)


def test_resent_records_are_read_once_by_reads_that_continue(open_history: Open, call: Caller) -> None:
    history = open_history()
    unknown = interrupted_append(history, humans(3))
    call(history, "resend", unknown)
    assert call(history, "messages") == humans(3)
    call(history, "resend", unknown)
    assert call(history, "messages") == []


def test_clear_deletes_and_the_next_add_begins_anew(broker: Broker, open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_messages", humans(3))
    assert call(history, "messages_from_beginning", 2) == humans(2)
    if not broker.deletes_topics:
        with pytest.raises(TopicNotChanged):
            call(history, "clear")
        assert call(history, "messages") == humans(1, start=2)
        return
    call(history, "clear")
    call(history, "clear")
    assert call(history, "messages") == []
    call(history, "add_messages", humans(5, start=10))
    assert call(history, "messages") == humans(5, start=10)


def test_a_foreign_record_that_is_no_message_is_an_error_or_is_skipped(
    broker: Broker, open_history: Open, call: Caller
) -> None:
    history = open_history()
    call(history, "add_messages", humans(1))
    assert call(history, "messages") == humans(1)
    assert isinstance(history.last_outcome, Complete)
    (delivery,) = history.last_outcome.progress.deliveries
    topic = history.session_id
    broker.foreign_write(topic, b"not a message", key=topic.encode(), partition=delivery.partition)
    call(history, "add_messages", humans(1, start=1))
    for _ in range(2):
        with pytest.raises(CorruptRecord) as corrupt:
            call(history, "messages")
        assert (corrupt.value.partition, corrupt.value.offset) == (delivery.partition, 1)
        assert corrupt.value.session == topic
    skipping = open_history(on_corrupt="skip")
    assert call(skipping, "messages") == humans(1, start=1)
    assert [error.offset for error in skipping.skipped] == [1]
    assert skipping.skipped_total == 1


def test_the_last_outcome_says_why_a_read_ended(open_history: Open, call: Caller) -> None:
    history = open_history()
    call(history, "add_messages", humans(3))
    call(history, "messages_from_beginning", 2)
    assert isinstance(history.last_outcome, Partial)
    assert history.last_outcome.limit is Limit.COUNT
    call(history, "messages")
    assert isinstance(history.last_outcome, Complete)


def test_close_ends_the_use_of_one_history_alone(open_history: Open, call: Caller) -> None:
    history, neighbour = open_history(), open_history()
    call(history, "add_messages", humans(1))
    call(history, "close")
    call(history, "close")
    for member, arguments in {"messages": [], "add_messages": [humans(1)], "clear": []}.items():
        with pytest.raises(Closed):
            call(history, member, *arguments)
    assert call(neighbour, "messages") == humans(1)


@pytest.mark.parametrize(
    "prefix", ["with space ", "a/b:c", "ünïcödé 🙂", "kchat--", "__", "a\x00b", "%s%n", "-"]
)
def test_hostile_session_ids_are_sessions_like_others(
    broker: Broker, open_history: Open, call: Caller, prefix: str
) -> None:
    session_id = prefix + uuid.uuid4().hex
    history, twin = open_history(session_id), open_history(prefix + uuid.uuid4().hex)
    call(history, "add_messages", humans(2))
    assert call(twin, "messages") == []
    assert call(open_history(session_id), "messages") == humans(2)
    if broker.deletes_topics:
        history.clear()
