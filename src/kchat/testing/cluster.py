"""The cluster behind a `FakeBroker`: topics, groups, a virtual clock, and Kafka's answers to commands."""

import itertools
from collections.abc import Callable
from typing import assert_never

from kchat.core import (
    METADATA_BYTES_MAX,
    Acknowledged,
    AwaitReports,
    BrokerError,
    Command,
    CommitOffsets,
    CommittedFetched,
    CommittedOffset,
    CreateTopic,
    DeleteGroup,
    DeleteRecords,
    DeleteTopic,
    DescribeTopic,
    ErrorKind,
    Event,
    Fetch,
    FetchCommitted,
    Fetched,
    FindOffsets,
    GroupDeleted,
    GroupsListed,
    Headers,
    ListGroups,
    ListOffsets,
    NewRecord,
    OffsetsCommitted,
    OffsetsFound,
    OffsetsListed,
    Position,
    Produce,
    Produced,
    Record,
    RecordsDeleted,
    Report,
    RequestFailed,
    TopicCreated,
    TopicDeleted,
    TopicDescribed,
    TopicSettings,
    WatchRequest,
    Withdraw,
    is_legal_topic,
)
from kchat.testing.partition import FakePartition, FakeTopic
from kchat.testing.sizes import CLIENT_BYTES_MAX, batch_bytes, batches, client_bytes

EPOCH_MS = 1_700_000_000_000
"""The record timestamp at which the virtual clock starts: 2023-11-14 22:13:20 UTC."""

TIMEOUT_MS_MAX = 800
"""No command may take longer, or Ctrl-C would not be heard within a second; more is a defect of a machine."""


class FakeCluster:
    """One broker's worth of Kafka. `now_ms` is the virtual clock; nothing here knows the real one."""

    def __init__(self, *, max_message_bytes: int = 1_048_588, brokers: int = 1) -> None:
        self.max_message_bytes = max_message_bytes
        self.brokers = brokers
        self.now_ms: int = 0
        self.topics: dict[str, FakeTopic] = {}
        self.committed: dict[tuple[str, str], dict[int, CommittedOffset]] = {}
        self.live_groups: set[str] = set()
        self.reports: tuple[Report | None, ...] = ()
        self._scheduled: list[tuple[int, Callable[[], object]]] = []
        self._ids = itertools.count(1)

    def create(self, topic: str, *, partitions: int = 1, ttl_ms: int = -1) -> FakeTopic:
        """Create a topic, as another program would."""
        settings = TopicSettings(partitions=partitions, ttl_ms=ttl_ms)
        self.topics[topic] = FakeTopic.create(f"topic-{next(self._ids)}", settings)
        return self.topics[topic]

    def delete(self, topic: str) -> None:
        """Delete a topic and what groups have committed for it, as another program would."""
        del self.topics[topic]
        for group, name in list(self.committed):
            if name == topic:
                del self.committed[group, name]

    def inject(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        partition: int | None = None,
        timestamp_ms: int | None = None,
    ) -> Record:
        """Append one record, as another program would: any bytes, any partition, any time."""
        target = self.topics[topic]
        chosen = target.partition_of(key) if partition is None else target.partitions[partition]
        written_ms = self.timestamp_ms if timestamp_ms is None else timestamp_ms
        return chosen.append(key, value, headers, written_ms)

    def at(self, at_ms: int, action: Callable[[], object]) -> None:
        """Do something when the virtual clock reaches `at_ms`: while a read waits, say."""
        self._scheduled.append((at_ms, action))
        self._scheduled.sort(key=lambda due: due[0])

    def sleep(self, duration_ms: int) -> None:
        """Let virtual time pass: what is scheduled happens, retention drops what is too old."""
        end_ms = self.now_ms + duration_ms
        while self._scheduled and self._scheduled[0][0] <= end_ms:
            at_ms, action = self._scheduled.pop(0)
            self.now_ms = max(self.now_ms, at_ms)
            action()
        self.now_ms = end_ms
        for topic in self.topics.values():
            if topic.settings.ttl_ms >= 0:
                for partition in topic.partitions:
                    partition.expire(self.timestamp_ms - topic.settings.ttl_ms)

    def sleep_until_something_is_due(self, end_ms: int) -> None:
        """Let virtual time pass up to what is scheduled next, but not beyond `end_ms`."""
        due_ms = self._scheduled[0][0] if self._scheduled else end_ms
        self.sleep(max(1, min(due_ms, end_ms) - self.now_ms))

    @property
    def timestamp_ms(self) -> int:
        """The time that a record written now carries."""
        return EPOCH_MS + self.now_ms

    def has_news(self, request: WatchRequest) -> bool:
        """Whether a watcher would be woken: by a record it has not read, or since its topic is another."""
        topic = self.topics.get(request.topic)
        if topic is None or not request.positions:
            return topic is not None or bool(request.positions)
        highs = {partition.number: partition.high for partition in topic.partitions}
        return any(highs.get(p.partition, p.offset + 1) > p.offset for p in request.positions)

    def perform(self, command: Command) -> Event:
        """Kafka's answer to a command. A command that no client could send is an AssertionError."""
        if not 0 < command.timeout_ms <= TIMEOUT_MS_MAX or command.backoff_ms < 0:
            raise AssertionError(f"times out of bounds: {command}")
        match command:
            case DescribeTopic():
                return self._describe(command)
            case CreateTopic():
                return self._create(command)
            case DeleteTopic():
                return self._delete(command)
            case DeleteRecords():
                return self._delete_records(command)
            case ListGroups():
                groups = {group for group, _ in self.committed if group.startswith(command.prefix)}
                return GroupsListed(at_ms=self.now_ms, groups=tuple(groups))
            case DeleteGroup():
                return self._delete_group(command)
            case ListOffsets():
                return self._list_offsets(command)
            case FindOffsets():
                return self._find_offsets(command)
            case FetchCommitted():
                return self._fetch_committed(command)
            case Fetch():
                return self._fetch(command)
            case CommitOffsets():
                return self._commit(command)
            case Produce():
                return self._produce(command)
            case AwaitReports():
                self.sleep(command.timeout_ms)
                return Produced(at_ms=self.now_ms, reports=self.reports)
            case Withdraw():
                self.reports = tuple(
                    BrokerError(ErrorKind.WITHDRAWN, "_PURGE_INFLIGHT") if report is None else report
                    for report in self.reports
                )
                return Produced(at_ms=self.now_ms, reports=self.reports)
            case _:
                assert_never(command)

    def _failed(self, kind: ErrorKind, code: str, reason: str = "", partition: int | None = None) -> Event:
        return RequestFailed(at_ms=self.now_ms, error=BrokerError(kind, code, reason, partition))

    def _unknown_topic(self) -> Event:
        return self._failed(ErrorKind.UNKNOWN_TOPIC, "UNKNOWN_TOPIC_OR_PART", "no such topic or partition")

    def _partition(self, topic: str, number: int) -> FakePartition | None:
        found = self.topics.get(topic)
        return found.partitions[number] if found and number < len(found.partitions) else None

    def _describe(self, command: DescribeTopic) -> Event:
        topic = self.topics.get(command.topic)
        if topic is None:
            return self._unknown_topic()
        return TopicDescribed(
            at_ms=self.now_ms,
            partitions=tuple(partition.number for partition in topic.partitions),
            topic_id=topic.topic_id if command.with_id else None,
        )

    def _create(self, command: CreateTopic) -> Event:
        name, settings = command.topic, command.settings
        if name in self.topics:
            return self._failed(ErrorKind.TOPIC_EXISTS, "TOPIC_ALREADY_EXISTS", f"topic {name} exists")
        # Kafka makes metric names of topic names, where "." and "_" are the same (Topic.hasCollision).
        collides = any(name.replace(".", "_") == other.replace(".", "_") for other in self.topics)
        if not is_legal_topic(name) or collides:
            fault = (
                f"topic {name} collides with an existing one" if collides else f"illegal topic name {name}"
            )
            return self._failed(ErrorKind.REJECTED, "TOPIC_EXCEPTION", fault)
        if settings.replication_factor > self.brokers:
            return self._failed(
                ErrorKind.REJECTED, "INVALID_REPLICATION_FACTOR", f"there are {self.brokers} brokers"
            )
        self.topics[name] = FakeTopic.create(f"topic-{next(self._ids)}", settings)
        return TopicCreated(at_ms=self.now_ms)

    def _delete(self, command: DeleteTopic) -> Event:
        if command.topic not in self.topics:
            return self._unknown_topic()
        self.delete(command.topic)
        return TopicDeleted(at_ms=self.now_ms)

    def _list_offsets(self, command: ListOffsets) -> Event:
        found = [self._partition(command.topic, number) for number in command.partitions]
        watermarks = tuple(partition.watermarks for partition in found if partition is not None)
        if len(watermarks) < len(found):
            return self._unknown_topic()
        return OffsetsListed(at_ms=self.now_ms, watermarks=watermarks)

    def _delete_records(self, command: DeleteRecords) -> Event:
        for position in command.before:
            partition = self._partition(command.topic, position.partition)
            if partition is None:
                return self._unknown_topic()
            if position.offset > partition.high:
                return self._failed(ErrorKind.OFFSET_OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE")
            partition.remove_before(position.offset)
        return RecordsDeleted(at_ms=self.now_ms)

    def _delete_group(self, command: DeleteGroup) -> Event:
        if command.group in self.live_groups:
            return self._failed(ErrorKind.GROUP_IN_USE, "NON_EMPTY_GROUP", "the group has a live member")
        stored = [key for key in self.committed if key[0] == command.group]
        for key in stored:
            del self.committed[key]
        return GroupDeleted(at_ms=self.now_ms, deleted=bool(stored))

    def _find_offsets(self, command: FindOffsets) -> Event:
        found = [self._partition(command.topic, number) for number in command.partitions]
        if None in found:
            return self._unknown_topic()
        positions = tuple(
            Position(partition.number, offset)
            for partition in found
            if partition is not None and (offset := partition.first_since(command.time_ms)) is not None
        )
        return OffsetsFound(at_ms=self.now_ms, positions=positions)

    def _fetch(self, command: Fetch) -> Event:
        if command.records_max < 1 or not command.positions:
            raise AssertionError(f"nothing to fetch: {command}")
        waited_ms = 0
        while True:
            event = self._fetch_now(command)
            silent = (
                isinstance(event, Fetched) and not event.records and (command.wait or not event.positions)
            )
            if not silent or waited_ms >= command.timeout_ms:
                return event
            self.sleep(1)
            waited_ms += 1

    def _fetch_now(self, command: Fetch) -> Event:
        records: list[Record] = []
        positions: list[Position] = []
        for position in command.positions:
            partition = self._partition(command.topic, position.partition)
            if partition is None:
                continue  # a consumer says nothing of a partition that is gone: it goes on looking for it
            if not partition.low <= position.offset <= partition.high:
                return self._failed(
                    ErrorKind.OFFSET_OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", "", position.partition
                )
            room = command.records_max - len(records)
            found = partition.read(position.offset, room)
            records += found
            if len(found) < room:
                positions.append(Position(position.partition, partition.high))
            elif found:
                positions.append(Position(position.partition, found[-1].offset + 1))
        return Fetched(at_ms=self.now_ms, records=tuple(records), positions=tuple(positions))

    def _fetch_committed(self, command: FetchCommitted) -> Event:
        stored = self.committed.get((command.group, command.topic), {})
        committed = tuple(stored[number] for number in command.partitions if number in stored)
        return CommittedFetched(at_ms=self.now_ms, committed=committed)

    def _commit(self, command: CommitOffsets) -> Event:
        if command.group in self.live_groups:
            return self._failed(ErrorKind.GROUP_IN_USE, "UNKNOWN_MEMBER_ID", "the group has a live member")
        # Each partition by itself, as in Kafka: the good ones are stored. Of two errors the client tells the
        # last, and a broker answers for unknown partitions first.
        unknown = [o for o in command.offsets if self._partition(command.topic, o.partition) is None]
        too_large = [o for o in command.offsets if len(o.metadata) > METADATA_BYTES_MAX and o not in unknown]
        for offset in command.offsets:
            if offset not in unknown and offset not in too_large:
                stored = self.committed.setdefault((command.group, command.topic), {})
                stored[offset.partition] = offset
        if too_large:
            return self._failed(ErrorKind.REJECTED, "OFFSET_METADATA_TOO_LARGE")
        return self._unknown_topic() if unknown else OffsetsCommitted(at_ms=self.now_ms)

    def _produce(self, command: Produce) -> Event:
        if not command.records:
            raise AssertionError(f"nothing to produce: {command}")
        taken, refusal = self._taken(command)
        self.reports = (*self._stored(command, taken), *(refusal,) * (len(command.records) - len(taken)))
        return Produced(at_ms=self.now_ms, reports=self.reports)

    def _taken(self, command: Produce) -> tuple[tuple[NewRecord, ...], BrokerError | None]:
        """The records that the client takes: those before the first one that it refuses, and why it does."""
        topic = self.topics.get(command.topic)
        if topic is None:
            return (), BrokerError(ErrorKind.UNKNOWN_TOPIC, "UNKNOWN_TOPIC_OR_PART", "no such topic")
        if command.partition is not None and command.partition >= len(topic.partitions):
            return (), BrokerError(ErrorKind.UNKNOWN_TOPIC, "_UNKNOWN_PARTITION", "no such partition")
        for index, record in enumerate(command.records):
            if client_bytes(record) > CLIENT_BYTES_MAX:
                too_large = BrokerError(
                    ErrorKind.REJECTED, "MSG_SIZE_TOO_LARGE", "larger than the client takes"
                )
                return command.records[:index], too_large
        return command.records, None

    def _stored(self, command: Produce, records: tuple[NewRecord, ...]) -> tuple[Report, ...]:
        """Store them, partition by partition. A batch is stored as a whole, or refused as a whole."""
        reports: dict[int, Report] = {}
        for number, indices in self._by_partition(command, records).items():
            for batch in batches([records[index] for index in indices]):
                taken, indices = indices[: len(batch)], indices[len(batch) :]
                for index in taken:
                    reports[index] = self._store(command.topic, number, records[index], batch_bytes(batch))
        return tuple(reports[index] for index in range(len(records)))

    def _by_partition(self, command: Produce, records: tuple[NewRecord, ...]) -> dict[int, list[int]]:
        """Which records go where. Those without a key stay together, as the client's do."""
        found: dict[int, list[int]] = {}
        for index, record in enumerate(records):
            number = command.partition
            if number is None:
                number = self.topics[command.topic].partition_of(record.key).number
            found.setdefault(number, []).append(index)
        return found

    def _store(self, topic: str, partition: int, new: NewRecord, in_a_batch_of_bytes: int) -> Report:
        if in_a_batch_of_bytes > self.max_message_bytes:
            return BrokerError(ErrorKind.REJECTED, "MSG_SIZE_TOO_LARGE", "larger than max.message.bytes")
        record = self.inject(topic, new.value, key=new.key, headers=new.headers, partition=partition)
        return Acknowledged(record.partition, record.offset)
