"""A fetch that ends in an error has handed over nothing: the next one asks for all of it again."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from attrs import define, field
from confluent_kafka import KafkaError, KafkaException, TopicPartition

from kchat.core import DescribeTopic, Fetch, ListOffsets, Position, Watermarks
from kchat.io import reads as reads_module
from kchat.io.reads import Reads

FETCH = Fetch(topic="t", positions=(Position(0, 3),), records_max=10, wait=False, timeout_ms=100)


@define
class StubMessage:
    """What a consumer gives for a record."""

    at: int

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return "t"

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 1, 7

    def key(self) -> bytes:
        return b"k"

    def value(self) -> bytes:
        return b"v"

    def headers(self) -> None:
        return None


@define
class StubConsumer:
    """Gives records from where it was assigned on, and fails when told to."""

    assigned: list[int] = field(factory=list)
    next: int = 0
    failing: bool = False

    def assign(self, places: list[Any]) -> None:
        self.next = places[0].offset
        self.assigned.append(self.next)

    def poll(self, _: float) -> StubMessage:
        self.next += 1
        return StubMessage(self.next - 1)

    def consume(self, _: int, __: float) -> list[StubMessage]:
        if self.failing:
            raise KafkaException(KafkaError(KafkaError._FAIL))
        self.next += 1
        return [StubMessage(self.next - 1)]


@define(eq=False)
class StubClient:
    handle: StubConsumer = field(factory=StubConsumer)
    silent: tuple[float, float] | None = None


@define(eq=False)
class StubClients:
    """A pool of one."""

    client: StubClient = field(factory=StubClient)

    @property
    def readers(self) -> "StubClients":
        return self

    def lease(self, _: str, __: float) -> StubClient:
        return self.client


def test_a_fetch_that_goes_on_does_not_assign_again() -> None:
    clients = StubClients()
    reads = Reads(clients)  # type: ignore[arg-type]
    records, positions = reads.fetch(FETCH)
    assert ([r.offset for r in records], positions) == ([3, 4], (Position(0, 5),))
    reads.fetch(Fetch(topic="t", positions=positions, records_max=10, wait=False, timeout_ms=100))
    assert clients.client.handle.assigned == [3]


def test_what_a_failed_fetch_had_taken_is_fetched_again() -> None:
    clients = StubClients()
    reads = Reads(clients)  # type: ignore[arg-type]
    clients.client.handle.failing = True
    with pytest.raises(KafkaException):
        reads.fetch(FETCH)
    clients.client.handle.failing = False
    records, _ = reads.fetch(FETCH)
    assert [r.offset for r in records] == [3, 4]
    assert clients.client.handle.assigned == [3, 3]


def test_what_was_listed_ahead_is_believed_once_and_for_the_same_partitions() -> None:
    ahead = DescribeTopic(topic="t", with_id=True, listed_next=(0, 1), timeout_ms=100)
    highs = {0: 9, 1: 4}

    class Listing(StubConsumer):
        def offsets_for_times(self, places: list[Any], **_: float) -> list[Any]:
            for place in places:
                place.offset = highs[place.partition] if place.offset == -1 else 2
            return places

    reads = Reads(StubClients(StubClient(Listing())))  # type: ignore[arg-type]
    asked = ListOffsets(topic="t", partitions=(0, 1), timeout_ms=100)
    reads.list_ends(ahead, 0.1)
    reads.take_lows({0: 0, 1: 5})  # retention has moved the second one since
    assert reads.list_offsets(asked) == (Watermarks(0, 0, 9), Watermarks(1, 4, 4))
    assert reads.list_offsets(asked) == (Watermarks(0, 2, 9), Watermarks(1, 2, 4))
    reads.list_ends(ahead, 0.1)
    reads.take_lows({0: 0, 1: 0})
    narrower = ListOffsets(topic="t", partitions=(0,), timeout_ms=100)
    assert reads.list_offsets(narrower) == (Watermarks(0, 2, 9),)


@pytest.mark.parametrize(
    ("answers", "seconds", "idle", "kept"),
    [
        ((False,), reads_module.SILENT_SECONDS_MAX + 1, 0.0, False),
        ((False,), reads_module.SILENT_SECONDS_MAX - 1, 0.0, True),
        ((False, False), reads_module.SILENT_SECONDS_MAX - 1, 0.0, False),
        ((False, True, False), reads_module.SILENT_SECONDS_MAX - 1, 0.0, True),
        ((False,), 0.1, reads_module.SILENT_SECONDS_MAX + 1, True),
        ((True,), reads_module.SILENT_SECONDS_MAX + 1, 0.0, True),
    ],
)
def test_a_consumer_that_has_answered_nothing_for_long_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[bool, ...], seconds: float, idle: float, kept: bool
) -> None:
    now = [100.0]
    monkeypatch.setattr(reads_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(reads_module, "serve", lambda _: None)

    class Listing(StubConsumer):
        def offsets_for_times(self, places: list[Any], **_: float) -> list[Any]:
            now[0] += seconds
            if self.failing:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
            return [TopicPartition(place.topic, place.partition, 2) for place in places]

    @define(eq=False)
    class Pooled(StubClients):
        kept: list[bool] = field(factory=list)

        def give_back(self, _: str, __: StubClient) -> None:
            self.kept.append(True)

        def discard(self, _: StubClient) -> None:
            self.kept.append(False)

    clients = Pooled(StubClient(Listing()))
    for answered in answers:  # each a call of its own: what is known of the consumer stays
        reads = Reads(clients)  # type: ignore[arg-type]
        clients.client.handle.failing = not answered
        with nullcontext() if answered else pytest.raises(KafkaException):
            reads.list_offsets(ListOffsets(topic="t", partitions=(0,), timeout_ms=100))
        now[0] += idle
        reads.close()
    assert clients.kept[-1] is kept
