"""The edges of `KafkaChatMessageHistory`, on the fake broker: arguments, bad input, poison, ending."""

import copy
import inspect
import logging
from collections.abc import Callable
from typing import Any

import pytest
from langchain_community.chat_message_histories import KafkaChatMessageHistory as OldHistory
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from kchat.core import (
    AppendRefused,
    AppendUnknown,
    Closed,
    Complete,
    CorruptRecord,
    InvalidConfig,
    InvalidMessage,
    InvalidSessionId,
    Limit,
    Partial,
    ReadFailed,
    Replayed,
    TopicNotChanged,
    place,
)
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker, LostAnswer, NoAnswer, PartlyStored, Remove

SESSION = "s"


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def history(broker: FakeBroker) -> KafkaChatMessageHistory:
    return KafkaChatMessageHistory(SESSION, "unused:9092", log=broker)


def contents(messages: list[Any]) -> list[str]:
    return [message.content for message in messages]


def test_the_signature_is_the_old_classs_and_more() -> None:
    old = inspect.signature(OldHistory.__init__).parameters
    new = inspect.signature(KafkaChatMessageHistory.__init__).parameters
    assert list(new)[: len(old)] == list(old)
    for name, parameter in old.items():
        assert (new[name].default, new[name].kind) == (parameter.default, parameter.kind)
    assert all(new[name].kind is inspect.Parameter.KEYWORD_ONLY for name in list(new)[len(old) :])


def test_every_public_member_of_the_old_class_is_here_with_its_defaults() -> None:
    for name, member in vars(OldHistory).items():
        if name.startswith("_"):
            continue
        assert hasattr(KafkaChatMessageHistory, name)
        if inspect.isfunction(member):
            new = inspect.signature(getattr(KafkaChatMessageHistory, name))
            old = inspect.signature(member)
            assert {n: p.default for n, p in new.parameters.items() if p.kind is not p.KEYWORD_ONLY} == {
                n: p.default for n, p in old.parameters.items()
            }


def test_every_member_has_an_async_twin_with_the_same_arguments() -> None:
    twins = {
        "messages": "aget_messages",
        "messages_from_beginning": "amessages_from_beginning",
        "messages_from_last_consumed": "amessages_from_last_consumed",
        "messages_from_latest": "amessages_from_latest",
        "add_messages": "aadd_messages",
        "add_message": "aadd_message",
        "add_user_message": "aadd_user_message",
        "add_ai_message": "aadd_ai_message",
        "resend": "aresend",
        "clear": "aclear",
        "close": "aclose",
    }
    for name, twin in twins.items():
        assert inspect.iscoroutinefunction(getattr(KafkaChatMessageHistory, twin))
        member = getattr(KafkaChatMessageHistory, name)
        if not isinstance(member, property):
            ours, theirs = (
                inspect.signature(member),
                inspect.signature(getattr(KafkaChatMessageHistory, twin)),
            )
            assert list(ours.parameters) == list(theirs.parameters)


@pytest.mark.parametrize("session_id", ["", "\ud800", "x" * 250, "é" * 200, None, 5, b"bytes"])
def test_an_id_that_cannot_be_a_topic_is_refused_at_construction(session_id: Any) -> None:
    with pytest.raises(InvalidSessionId):
        KafkaChatMessageHistory(session_id, "127.0.0.1:1")
    with pytest.raises(ValueError, match="session id"):
        KafkaChatMessageHistory(session_id, "127.0.0.1:1")


@pytest.mark.parametrize(
    "arguments",
    [
        {"partition": 0},
        {"partition": -1},
        {"partition": "3"},
        {"partition": True},
        {"partition": 1.0},
        {"replication_factor": 0},
        {"ttl_ms": -2},
        {"ttl_ms": 2**63},
        {"on_corrupt": "ignore"},
        {"config": {"acks": "1"}},
        {"config": "acks=1"},
        {"replay": "no"},
        {"log": 3},
        {"config": {"bootstrap.servers": "elsewhere:9092"}},
        {"bootstrap_servers": ""},
        {"bootstrap_servers": None},
    ],
)
def test_an_argument_that_makes_no_sense_is_a_value_error_at_construction(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        KafkaChatMessageHistory(**{"session_id": "s", "bootstrap_servers": "127.0.0.1:1", **arguments})


@pytest.mark.parametrize("count", [-1, 1.5, "5", True])
@pytest.mark.parametrize(
    "member", ["messages_from_beginning", "messages_from_last_consumed", "messages_from_latest"]
)
def test_a_count_that_makes_no_sense_is_named(
    history: KafkaChatMessageHistory, member: str, count: Any
) -> None:
    with pytest.raises(ValueError, match="max_message_count"):
        getattr(history, member)(count, 1.0)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "5", True, 10**9])
def test_a_time_that_makes_no_sense_is_named(history: KafkaChatMessageHistory, seconds: Any) -> None:
    with pytest.raises(ValueError, match="max_time_sec"):
        history.messages_from_beginning(5, seconds)
    with pytest.raises(ValueError, match="flush_timeout_seconds"):
        history.add_messages([HumanMessage("x")], seconds)


def test_a_wait_without_any_limit_is_refused(history: KafkaChatMessageHistory) -> None:
    with pytest.raises(ValueError, match="never end"):
        history.messages_from_latest(None, None)


@pytest.mark.parametrize("thing", [HumanMessage("x"), "x", b"x", {"type": "human"}, None, 5])
def test_something_else_than_a_list_of_messages_is_refused(
    history: KafkaChatMessageHistory, thing: Any, broker: FakeBroker
) -> None:
    with pytest.raises(InvalidMessage):
        history.add_messages(thing)
    assert broker.commands == []


def test_any_iterable_of_messages_will_do_and_an_empty_one_does_nothing(
    history: KafkaChatMessageHistory, broker: FakeBroker
) -> None:
    history.add_messages([])
    assert broker.commands == []
    history.add_messages(HumanMessage(text) for text in "ab")  # type: ignore[arg-type]
    assert contents(history.messages) == ["a", "b"]


@pytest.mark.parametrize(
    "bad",
    [
        HumanMessage("x", additional_kwargs={"score": float("nan")}),
        HumanMessage("x" * 1_000_000),
        "not a message",
    ],
    ids=["NaN", "too large", "no message"],
)
@pytest.mark.parametrize("index", [0, 5, 9])
def test_one_bad_message_of_ten_sends_nothing(
    history: KafkaChatMessageHistory, broker: FakeBroker, bad: Any, index: int
) -> None:
    messages: list[Any] = [HumanMessage(str(number)) for number in range(10)]
    messages[index] = bad
    with pytest.raises(InvalidMessage) as refused:
        history.add_messages(messages)
    assert refused.value.index == index
    assert isinstance(refused.value, AppendRefused)
    assert isinstance(refused.value, ValueError)
    assert refused.value.session == SESSION
    assert broker.commands == []


def test_reading_twice_with_replay_gives_the_same_and_moves_no_cursor(broker: FakeBroker) -> None:
    replaying = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker, replay=True)
    replaying.add_messages([HumanMessage(str(number)) for number in range(12)])
    assert contents(replaying.messages) == contents(replaying.messages) == [str(n) for n in range(12)]
    assert broker.cluster.committed == {}


def test_the_outcome_says_why_a_read_ended(history: KafkaChatMessageHistory) -> None:
    history.add_messages([HumanMessage(str(number)) for number in range(7)])
    reads: list[Callable[[], list[BaseMessage]]] = [
        lambda: history.messages,
        lambda: history.messages,
        lambda: history.messages_from_latest(5, 0.5),
    ]
    endings = []
    for read in reads:
        count = len(read())
        outcome = history.last_outcome
        endings.append((count, type(outcome), outcome.limit if isinstance(outcome, Partial) else None))
    assert endings == [(5, Partial, Limit.COUNT), (2, Complete, None), (0, Partial, Limit.TIME)]


@pytest.fixture
def poisoned(broker: FakeBroker) -> FakeBroker:
    broker.cluster.create(SESSION)
    good = b'{"type": "human", "data": {"content": "%d"}}'
    for value in (b"canary {", good % 1, None, good % 2, b'{"type": "x", "data": {}}', good % 3, good % 4):
        broker.cluster.inject(SESSION, value)
    return broker


def test_poison_ends_a_read_with_its_place_and_leaves_the_cursor(poisoned: FakeBroker) -> None:
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=poisoned)
    for _ in range(2):
        with pytest.raises(CorruptRecord) as corrupt:
            _ = history.messages
        assert corrupt.value.where == {"session": SESSION, "topic": SESSION, "partition": 0, "offset": 0}
        assert "canary" not in str(corrupt.value)
    assert poisoned.cluster.committed == {}


def test_poison_can_be_skipped_and_is_reported_and_does_not_count(
    poisoned: FakeBroker, caplog: pytest.LogCaptureFixture
) -> None:
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=poisoned, on_corrupt="skip")
    with caplog.at_level(logging.WARNING, logger="kchat"):
        assert contents(history.messages_from_last_consumed(3)) == ["1", "2", "3"]
    assert [error.offset for error in history.skipped] == [0, 2, 4]
    assert history.skipped_total == 3
    assert len(caplog.records) == 3
    assert "canary" not in caplog.text
    assert "offset 4" in caplog.text
    assert contents(history.messages) == ["4"]
    assert (history.skipped, history.skipped_total) == ((), 3)


def test_the_session_may_be_any_text(broker: FakeBroker) -> None:
    for session_id in ("alice@example.com", "a/b c", "Zoë 😀", "..", "__consumer_offsets"):
        history = KafkaChatMessageHistory(session_id, "unused:9092", log=broker)
        history.add_user_message(session_id)
        assert contents(history.messages) == [session_id]
        assert place(session_id).topic in broker.cluster.topics


def test_an_append_without_an_acknowledgement_is_unknown_and_can_be_resent(broker: FakeBroker) -> None:
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker, replay=True)
    history.add_user_message("before")
    for fault in (LostAnswer(), PartlyStored(1)):
        # The fake remembers no topics: the first command of an append looks for it, the second one sends.
        broker.plan += [None, fault]
        with pytest.raises(AppendUnknown) as unknown:
            history.add_messages([HumanMessage(f"{fault} 1"), HumanMessage(f"{fault} 2")], 1.0)
        assert "canary" not in repr(unknown.value.records)
        history.resend(copy.copy(unknown.value))
    assert contents(history.messages) == [
        "before",
        *(f"{fault} {number}" for fault in (LostAnswer(), PartlyStored(1)) for number in (1, 2)),
    ]


@pytest.mark.parametrize(
    "error", [None, ValueError("x"), AppendUnknown("x", records=(), topic="another", session="another")]
)
def test_only_an_unknown_append_of_this_session_is_resent(
    history: KafkaChatMessageHistory, error: Any
) -> None:
    with pytest.raises(ValueError, match="resend takes an AppendUnknown of session 's'"):
        history.resend(error)


def test_a_request_that_never_arrives_is_refused_for_sure(
    history: KafkaChatMessageHistory, broker: FakeBroker
) -> None:
    broker.plan += [NoAnswer()] * 20
    with pytest.raises(AppendRefused):
        history.add_messages([HumanMessage("x")], 1.0)
    broker.plan.clear()
    assert history.messages == []


def test_a_topic_that_goes_away_under_a_read_is_an_error(
    history: KafkaChatMessageHistory, broker: FakeBroker
) -> None:
    history.add_user_message("x")
    # Describe, committed offsets, watermarks, and then the topic goes.
    broker.plan += [None, None, None, Remove()]
    with pytest.raises(ReadFailed) as failed:
        _ = history.messages
    assert failed.value.code == "_TIMED_OUT"  # a consumer says nothing of a topic that is gone


def test_a_session_that_was_never_written_is_an_empty_conversation(history: KafkaChatMessageHistory) -> None:
    assert history.messages == history.messages_from_beginning() == history.messages_from_latest(1, 0.2) == []
    history.clear()


def test_clear_deletes_and_the_next_append_creates_with_the_same_settings(broker: FakeBroker) -> None:
    history = KafkaChatMessageHistory(SESSION, "unused:9092", 60_000, 1, 4, log=broker)
    for _ in range(3):
        history.add_user_message("x")
        settings = broker.cluster.topics[SESSION].settings
        assert (settings.ttl_ms, settings.replication_factor, settings.partitions) == (60_000, 1, 4)
        assert contents(history.messages) == ["x"]
        history.clear()
        assert SESSION not in broker.cluster.topics


def test_a_clear_that_is_not_answered_says_so(history: KafkaChatMessageHistory, broker: FakeBroker) -> None:
    history.add_user_message("x")
    broker.plan = [NoAnswer()] * 100
    with pytest.raises(TopicNotChanged):
        history.clear()


def test_a_history_prints_without_reading(history: KafkaChatMessageHistory, broker: FakeBroker) -> None:
    history.add_user_message("canary")
    commands = len(broker.commands)
    assert "canary" not in f"{history} {history!r}"
    assert len(broker.commands) == commands


def test_a_closed_history_refuses_at_once_and_leaves_the_given_log_open(
    history: KafkaChatMessageHistory, broker: FakeBroker
) -> None:
    history.close()
    history.close()
    for call in (
        lambda: history.messages,
        lambda: history.add_user_message("x"),
        history.clear,
        history.messages_from_latest,
    ):
        with pytest.raises(Closed):
            call()
    KafkaChatMessageHistory(SESSION, "unused:9092", log=broker).add_user_message("x")


def test_convenience_members_append_one_message(history: KafkaChatMessageHistory) -> None:
    history.add_user_message("a")
    history.add_user_message(HumanMessage("b", name="bob"))
    history.add_ai_message("c")
    history.add_ai_message(AIMessage("d"))
    history.add_message(HumanMessage("e"))
    assert history.messages == [
        HumanMessage("a"),
        HumanMessage("b", name="bob"),
        AIMessage("c"),
        AIMessage("d"),
        HumanMessage("e"),
    ]


def test_settings_that_are_refused_name_the_reason() -> None:
    with pytest.raises(InvalidConfig, match="acknowledged by all"):
        KafkaChatMessageHistory("s", "127.0.0.1:1", config={"acks": 0})


def test_a_number_of_partitions_beyond_reason_costs_nothing(broker: FakeBroker) -> None:
    history = KafkaChatMessageHistory(
        SESSION, "unused:9092", log=broker, partition=(1 << 31) - 1, replay=True
    )
    assert history._ask.whole(Replayed()).partitions_expected == ()
