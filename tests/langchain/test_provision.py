"""`provision=False`: topics that an administrator creates, on the fake broker and on a real one."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import frozen
from langchain_core.messages import HumanMessage

from kchat.core import (
    AppendRefused,
    Command,
    CreateTopic,
    DeleteTopic,
    EnsureTopic,
    Event,
    Log,
    ReadFailed,
    TopicNotChanged,
    TopicReady,
    TopicSettings,
)
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker
from tests.io.conftest import Call, call

__all__ = ["call"]

READS: list[tuple[str, tuple[Any, ...]]] = [
    ("messages", ()),
    ("messages_from_beginning", ()),
    ("messages_from_last_consumed", (None, None)),
    ("messages_from_latest", (1, 1.5)),
]


@frozen
class Place:
    """A session whose topic is somebody else's."""

    log: Log
    session_id: str

    def history(self, **options: Any) -> KafkaChatMessageHistory:
        return KafkaChatMessageHistory(
            self.session_id, "unused:9092", log=self.log, provision=False, **options
        )

    def create(self) -> None:
        made = self.log.provision(EnsureTopic(topic=self.session_id, settings=TopicSettings(partitions=1)))
        assert isinstance(made, TopicReady)


@pytest.fixture(params=["fake", pytest.param("kafka", marks=pytest.mark.kafka)])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    session_id = f"provided-{uuid.uuid4().hex}"
    log: Log = FakeBroker() if request.param == "fake" else request.getfixturevalue("kafka_log")
    yield Place(log, session_id)
    KafkaChatMessageHistory(session_id, "unused:9092", log=log).clear()


def test_a_topic_that_is_there_is_written_and_read(place: Place, call: Call) -> None:
    place.create()
    history = place.history()
    assert call(history, "messages") == []
    call(history, "add_messages", [HumanMessage("a"), HumanMessage("b")])
    assert [message.content for message in call(history, "messages")] == ["a", "b"]
    assert call(history, "messages") == []


def test_an_append_to_a_missing_topic_is_refused_and_creates_none(place: Place, call: Call) -> None:
    history = place.history()
    for _ in range(2):
        with pytest.raises(AppendRefused, match="create the topic") as refused:
            call(history, "add_messages", [HumanMessage("a")])
        assert refused.value.topic == place.session_id
        assert refused.value.session == place.session_id
    place.create()
    call(history, "add_messages", [HumanMessage("a")])
    assert [message.content for message in call(history, "messages")] == ["a"]


@pytest.mark.parametrize("replay", [True, False])
@pytest.mark.parametrize(("member", "arguments"), READS)
def test_a_missing_topic_is_no_empty_conversation(
    place: Place, call: Call, member: str, arguments: tuple[Any, ...], replay: bool
) -> None:
    history = place.history(replay=replay)
    with pytest.raises(ReadFailed, match="no such topic") as failed:
        call(history, member, *arguments)
    assert failed.value.topic == place.session_id
    assert "have it created" in failed.value.next_step


def test_a_read_of_nothing_asks_nothing(place: Place, call: Call) -> None:
    assert call(place.history(), "messages_from_beginning", 0) == []


def test_the_topic_is_not_this_historys_to_delete(place: Place, call: Call) -> None:
    place.create()
    history = place.history(replay=True)
    call(history, "add_messages", [HumanMessage("a")])
    with pytest.raises(TopicNotChanged, match="provision=False") as refused:
        call(history, "clear")
    assert refused.value.topic == place.session_id
    assert [message.content for message in call(history, "messages")] == ["a"]


class WatchedBroker(FakeBroker):
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Command] = []

    def perform(self, command: Command) -> Event:
        self.asked.append(command)
        return super().perform(command)


def test_neither_creation_nor_deletion_is_ever_asked_for(call: Call) -> None:
    broker = WatchedBroker()
    history = KafkaChatMessageHistory("s", "unused:9092", log=broker, provision=False)
    for member, arguments in [*READS, ("add_messages", ([HumanMessage("a")],)), ("clear", ())]:
        with pytest.raises((ReadFailed, AppendRefused, TopicNotChanged)):
            call(history, member, *arguments)
    assert broker.asked
    assert not any(isinstance(command, CreateTopic | DeleteTopic) for command in broker.asked)


@pytest.mark.parametrize("wrong", [None, 0, "no"])
def test_it_is_a_switch(wrong: Any) -> None:
    with pytest.raises(ValueError, match="provision must be True or False"):
        KafkaChatMessageHistory("s", "unused:9092", log=FakeBroker(), provision=wrong)
