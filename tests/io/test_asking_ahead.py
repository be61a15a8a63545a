"""A read asks for what it will need next while it waits for the topic's description: in the right order."""

from concurrent.futures import Future
from typing import Any

import pytest
from attrs import define, field, frozen
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from kchat.core import (
    CommittedFetched,
    CommittedOffset,
    DescribeTopic,
    FetchCommitted,
    ListOffsets,
    OffsetsListed,
    RequestFailed,
    TopicDescribed,
    Watermarks,
)
from kchat.io.capabilities import APACHE_KAFKA
from kchat.io.performing import Call
from kchat.io.translate import Complaints

LOW, COMMITTED, HIGH = 2, 5, 9
DESCRIBE = DescribeTopic(topic="t", with_id=True, listed_next=(0,), committed_next="g", timeout_ms=200)
FETCH_COMMITTED = FetchCommitted(group="g", topic="t", partitions=(0,), timeout_ms=200)
LIST = ListOffsets(topic="t", partitions=(0,), timeout_ms=200)


@frozen
class Described:
    """What the admin client tells of a topic, or of one offset."""

    id: int = 0
    topic_id: str = "A"
    offset: int = LOW

    @property
    def partitions(self) -> list["Described"]:
        return [self]


@define(eq=False)
class StubHandle:
    """An admin client and a consumer in one, which notes what it is asked for."""

    asked: list[str] = field(factory=list)
    failing: bool = False
    undescribed: bool = False

    def describe_topics(self, _: object, **__: float) -> dict[str, "Future[Described]"]:
        if self.undescribed:
            self.undescribed = False
            raise KafkaException(KafkaError(KafkaError._TRANSPORT))
        return {"t": _done(Described())}

    def list_offsets(self, asked: dict[Any, object], **_: float) -> dict[Any, "Future[Described]"]:
        return {place: _done(Described()) for place in asked}

    def committed(self, asked: list[TopicPartition], **_: float) -> list[TopicPartition]:
        self.asked.append("committed")
        if self.failing:
            self.failing = False
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return [TopicPartition(place.topic, place.partition, COMMITTED) for place in asked]

    def offsets_for_times(self, asked: list[TopicPartition], **_: float) -> list[TopicPartition]:
        self.asked.append("lows" if asked[0].offset == -2 else "highs")
        found = LOW if asked[0].offset == -2 else HIGH
        return [TopicPartition(place.topic, place.partition, found) for place in asked]

    def poll(self, _: float) -> None:
        return None


def _done(answer: Described) -> "Future[Described]":
    future: Future[Described] = Future()
    future.set_result(answer)
    return future


@define(eq=False)
class StubClients:
    """All clients and all pools are one."""

    handle: StubHandle = field(factory=StubHandle)
    silent: tuple[float, float] | None = None
    complaints: Complaints = field(factory=lambda: Complaints("broker:9092"))
    config: object = None
    commits: tuple[()] = ()

    @property
    def readers(self) -> "StubClients":
        return self

    @property
    def cursors(self) -> "StubClients":
        return self

    def admin(self) -> "StubClients":
        return self

    def lease(self, _: str, __: float) -> "StubClients":
        return self


@pytest.fixture
def clients() -> StubClients:
    return StubClients()


@pytest.fixture
def call(clients: StubClients) -> Call:
    return Call(clients, APACHE_KAFKA, appending=False)  # type: ignore[arg-type]


def test_the_cursor_is_asked_for_before_the_ends_and_nothing_twice(clients: StubClients, call: Call) -> None:
    """Another reader may move the cursor meanwhile, beyond ends that were listed before."""
    described = call.perform(DESCRIBE)
    assert isinstance(described, TopicDescribed)
    assert clients.handle.asked == ["committed", "highs"]
    committed = call.perform(FETCH_COMMITTED)
    assert isinstance(committed, CommittedFetched)
    assert committed.committed == (CommittedOffset(0, COMMITTED),)
    listed = call.perform(LIST)
    assert isinstance(listed, OffsetsListed)
    assert listed.watermarks == (Watermarks(0, LOW, HIGH),)
    assert clients.handle.asked == ["committed", "highs"]


def test_what_was_asked_ahead_is_believed_once(clients: StubClients, call: Call) -> None:
    call.perform(DESCRIBE)
    for _ in range(2):
        call.perform(FETCH_COMMITTED)
        call.perform(LIST)
    assert clients.handle.asked == ["committed", "highs", "committed", "lows", "highs"]


def test_another_group_or_partition_is_asked_for_itself(clients: StubClients, call: Call) -> None:
    for other in (
        FetchCommitted(group="other", topic="t", partitions=(0,), timeout_ms=200),
        FetchCommitted(group="g", topic="t", partitions=(0, 1), timeout_ms=200),
    ):
        call.perform(DESCRIBE)
        call.perform(other)
    assert clients.handle.asked == ["committed", "highs", "committed"] * 2


def test_where_the_cursor_does_not_answer_the_ends_are_asked_for_after_it(
    clients: StubClients, call: Call
) -> None:
    clients.handle.failing = True
    assert isinstance(call.perform(DESCRIBE), TopicDescribed)
    call.perform(FETCH_COMMITTED)
    call.perform(LIST)
    assert clients.handle.asked == ["committed", "committed", "lows", "highs"]


def test_an_answer_that_did_not_come_ahead_may_fail_when_it_is_asked_for(
    clients: StubClients, call: Call
) -> None:
    call.perform(DESCRIBE)
    call.perform(FETCH_COMMITTED)
    clients.handle.failing = True
    assert isinstance(call.perform(FETCH_COMMITTED), RequestFailed)


def test_ends_of_an_earlier_try_are_not_believed(clients: StubClients, call: Call) -> None:
    clients.handle.undescribed = True
    assert isinstance(call.perform(DESCRIBE), RequestFailed)
    clients.handle.failing = True
    assert isinstance(call.perform(DESCRIBE), TopicDescribed)
    call.perform(FETCH_COMMITTED)
    call.perform(LIST)
    assert clients.handle.asked == ["committed", "highs", "committed", "committed", "lows", "highs"]
