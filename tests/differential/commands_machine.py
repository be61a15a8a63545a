"""Sequences of commands for a pair of brokers: Hypothesis draws them, and makes a failing one short."""

from attrs import frozen
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from kchat.core import (
    AwaitReports,
    CommitOffsets,
    CommittedOffset,
    CreateTopic,
    DeleteTopic,
    DescribeTopic,
    Fetch,
    FetchCommitted,
    ListOffsets,
    NewRecord,
    Position,
    Produce,
    TopicSettings,
    Withdraw,
)
from kchat.testing import FakePartition
from kchat.testing.sizes import CLIENT_BYTES_MAX, CLIENT_OVERHEAD_BYTES
from tests.differential.pair import TIMEOUT_MS, Pair

TOPICS = st.sampled_from(["plain", "plain", "with.dot", "with_dot"])
"""The last two collide: Kafka takes a dot for an underscore in the names of its metrics."""

GROUPS = st.sampled_from(["differential-a", "differential-b"])
PARTITIONS = st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True).map(tuple)
COUNTS = st.sampled_from([1, 2, 5, 500])
KEYS = st.sampled_from([b"", b"k", b"session", "s\u00e9ance".encode()])
VALUES = st.sampled_from([b"", b"x", b'{"type": "human", "data": {"content": "x"}}'])
HEADERS = st.sampled_from([(), (("kchat-id", b"1"),), (("a", None), ("a", b""), ("b", b"\xff"))])
METADATA = st.sampled_from(["", "", "note", "x" * 4_095, "\u00e9" * 4_095, "x" * 4_096])
SELDOM = st.sampled_from([False] * 15 + [True])
FOR_EVER = -1


@frozen
class Place:
    """An offset as a distance: what is drawn must not depend on what the client chooses."""

    records: int
    from_the_end: bool

    def offset(self, partition: FakePartition) -> int:
        """In this partition; not below 0, and at most one beyond the end."""
        offset = partition.high - self.records if self.from_the_end else partition.low + self.records
        return max(0, min(offset, partition.high + 1))


PLACES = st.builds(Place, st.integers(-1, 5), st.booleans())


@st.composite
def appends(draw: st.DrawFn) -> tuple[tuple[NewRecord, ...], int | None]:
    """The records of one call, and the partition if not the key chooses it. One alone may have neither."""
    partition = draw(st.sampled_from([None, None, 0, 1, 3]))
    key = draw(st.none() | KEYS)
    count = 1 if key is None and partition is None else draw(st.integers(1, 4))
    records = st.builds(NewRecord, key=st.just(key), value=VALUES, headers=HEADERS)
    return tuple(draw(st.lists(records, min_size=count, max_size=count))), partition


class CommandsMachine(RuleBasedStateMachine):
    """The rules are the commands, and retention. One command, or what belongs to one call, is one rule."""

    def __init__(self, pair: Pair) -> None:
        super().__init__()
        self.pair = pair

    @initialize(partitions=st.integers(1, 3))
    def begin(self, partitions: int) -> None:
        self.create("plain", partitions, 1)

    @rule(topic=TOPICS, partitions=st.integers(1, 3), replicas=st.sampled_from([1, 1, 1, 99]))
    def create(self, topic: str, partitions: int, replicas: int) -> None:
        settings = TopicSettings(partitions=partitions, replication_factor=replicas, ttl_ms=FOR_EVER)
        self.pair.create(CreateTopic(topic=topic, settings=settings, timeout_ms=TIMEOUT_MS))

    @rule(topic=TOPICS)
    def delete(self, topic: str) -> None:
        self.pair.delete(DeleteTopic(topic=topic, timeout_ms=TIMEOUT_MS))

    @rule(topic=TOPICS, with_id=st.booleans(), appending=st.booleans())
    def describe(self, topic: str, with_id: bool, appending: bool) -> None:
        command = DescribeTopic(topic=topic, with_id=with_id, timeout_ms=TIMEOUT_MS)
        self.pair.ask(command, appending=appending)

    @rule(data=st.data(), append=appends(), withdraw=SELDOM)
    def produce(
        self, data: st.DataObject, append: tuple[tuple[NewRecord, ...], int | None], withdraw: bool
    ) -> None:
        records, partition = append
        topic = self._usual_topic(data)
        produce = Produce(topic=topic, records=records, partition=partition, timeout_ms=TIMEOUT_MS)
        later = (AwaitReports(timeout_ms=1), Withdraw(timeout_ms=500)) if withdraw else ()
        self.pair.produce(produce, *later)

    @precondition(lambda self: "plain" in self.pair.fake.cluster.topics)
    @rule(excess_bytes=st.sampled_from([0, 1]), place=st.integers(0, 2))
    def produce_a_large_one(self, excess_bytes: int, place: int) -> None:
        small = NewRecord(key=b"k", value=b"x")
        size = CLIENT_BYTES_MAX - CLIENT_OVERHEAD_BYTES - 1 + excess_bytes
        records = [small, small]
        records.insert(place, NewRecord(key=b"k", value=b"x" * size))
        self.pair.produce(
            Produce(topic="plain", records=tuple(records), partition=None, timeout_ms=TIMEOUT_MS)
        )

    @precondition(lambda self: self.pair.fake.cluster.topics)
    @rule(data=st.data(), records=st.integers(1, 5))
    def retain_less(self, data: st.DataObject, records: int) -> None:
        topic, partitions = self._some(data)
        for partition in partitions:
            self.pair.remove_before(topic, partition.number, min(partition.low + records, partition.high))

    @rule(topic=TOPICS, partitions=PARTITIONS)
    def list_offsets(self, topic: str, partitions: tuple[int, ...]) -> None:
        self.pair.ask(ListOffsets(topic=topic, partitions=partitions, timeout_ms=TIMEOUT_MS))

    @precondition(lambda self: self.pair.fake.cluster.topics)
    @rule(data=st.data(), records_max=COUNTS, wait=st.sampled_from([False, False, True]))
    def fetch(self, data: st.DataObject, records_max: int, wait: bool) -> None:
        topic, partitions = self._some(data)
        command = self._fetch(data, topic, partitions, records_max, wait=wait)
        self.pair.fetch(command, *self._first_questions(topic, partitions))

    @precondition(lambda self: self.pair.fake.cluster.topics)
    @rule(data=st.data(), change=st.sampled_from(["delete", "create again", "append", "retain less"]))
    def fetch_after_a_change(self, data: st.DataObject, change: str) -> None:
        topic, partitions = self._some(data)
        numbers = [partition.number for partition in partitions]
        count = len(self.pair.fake.cluster.topics[topic].partitions)

        def happen() -> None:
            match change:
                case "append":
                    late = (NewRecord(key=None, value=b"late"),)
                    self.pair.produce(
                        Produce(topic=topic, records=late, partition=numbers[0], timeout_ms=TIMEOUT_MS)
                    )
                case "retain less":
                    self.pair.remove_before(topic, numbers[0], partitions[0].high)
                case _:
                    self.delete(topic)
                    if change == "create again":
                        self.create(topic, count, 1)

        command = self._fetch(data, topic, partitions, 500, wait=False)
        self.pair.fetch(command, *self._first_questions(topic, partitions), meanwhile=happen)

    @rule(group=GROUPS, topic=TOPICS, partitions=PARTITIONS)
    def fetch_committed(self, group: str, topic: str, partitions: tuple[int, ...]) -> None:
        self.pair.ask(FetchCommitted(group=group, topic=topic, partitions=partitions, timeout_ms=TIMEOUT_MS))

    @rule(data=st.data(), group=GROUPS, partitions=PARTITIONS, offset=st.integers(0, 9), metadata=METADATA)
    def commit(
        self, data: st.DataObject, group: str, partitions: tuple[int, ...], offset: int, metadata: str
    ) -> None:
        topic = self._usual_topic(data)
        # The metadata of the last one alone: a good offset and a bad one may stand side by side.
        texts = [""] * (len(partitions) - 1) + [metadata]
        offsets = tuple(CommittedOffset(p, offset, text) for p, text in zip(partitions, texts, strict=True))
        commit = CommitOffsets(group=group, topic=topic, offsets=offsets, before=(), timeout_ms=TIMEOUT_MS)
        fetch = FetchCommitted(group=group, topic=topic, partitions=(0, 1, 2, 3), timeout_ms=TIMEOUT_MS)
        self.pair.ask(commit, fetch)

    def teardown(self) -> None:
        self.pair.close()

    def _usual_topic(self, data: st.DataObject) -> str:
        """A topic that is there, or seldom a missing one: a client looks for that for half a second."""
        there = sorted(self.pair.fake.cluster.topics)
        missing = not there or data.draw(SELDOM, label="a missing topic")
        return data.draw(TOPICS if missing else st.sampled_from(there), label="topic")

    def _some(self, data: st.DataObject) -> tuple[str, list[FakePartition]]:
        """A topic that is there, and some of its partitions."""
        topic = data.draw(st.sampled_from(sorted(self.pair.fake.cluster.topics)), label="topic")
        partitions = self.pair.fake.cluster.topics[topic].partitions
        numbers = st.sets(st.integers(0, len(partitions) - 1), min_size=1)
        return topic, [partitions[number] for number in sorted(data.draw(numbers, label="partitions"))]

    def _fetch(
        self,
        data: st.DataObject,
        topic: str,
        partitions: list[FakePartition],
        records_max: int,
        *,
        wait: bool,
    ) -> Fetch:
        """From anywhere in these partitions, and from one record before or behind them."""
        positions = tuple(Position(p.number, data.draw(PLACES, label="place").offset(p)) for p in partitions)
        return Fetch(topic=topic, positions=positions, records_max=records_max, wait=wait, timeout_ms=200)

    def _first_questions(
        self, topic: str, partitions: list[FakePartition]
    ) -> tuple[DescribeTopic, ListOffsets]:
        """What a read asks before it fetches."""
        numbers = tuple(partition.number for partition in partitions)
        return (
            DescribeTopic(topic=topic, with_id=False, timeout_ms=TIMEOUT_MS),
            ListOffsets(topic=topic, partitions=numbers, timeout_ms=TIMEOUT_MS),
        )
