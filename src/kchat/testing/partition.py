"""A topic in memory: partitions with watermarks and gaps, as a read_committed reader sees them."""

from attrs import Factory, define

from kchat.core import Headers, Record, TopicSettings, Watermarks
from kchat.testing.murmur2 import murmur2


@define
class FakePartition:
    """One partition. `records` has no entry for an offset that is a gap."""

    number: int
    low: int = 0
    high: int = 0
    records: list[Record] = Factory(list)

    @property
    def watermarks(self) -> Watermarks:
        """What ListOffsets answers."""
        return Watermarks(self.number, self.low, self.high)

    def append(self, key: bytes | None, value: bytes | None, headers: Headers, timestamp_ms: int) -> Record:
        """Store one record at the end."""
        record = Record(self.number, self.high, timestamp_ms, key, value, headers)
        self.records.append(record)
        self.high += 1
        return record

    def skip(self, offsets: int) -> None:
        """Leave a gap at the end, as transaction markers and compaction do."""
        self.high += offsets

    def remove_before(self, offset: int) -> None:
        """Move the low watermark up: retention, or DeleteRecords."""
        self.low = max(self.low, min(offset, self.high))
        self.records = [record for record in self.records if record.offset >= self.low]

    def expire(self, before_ms: int) -> None:
        """Drop what is older, from the beginning on, up to the first record that is not."""
        young = (record.offset for record in self.records if record.timestamp_ms >= before_ms)
        self.remove_before(next(young, self.high))

    def first_since(self, time_ms: int) -> int | None:
        """The offset of the first record that is of this time or later."""
        return next((record.offset for record in self.records if record.timestamp_ms >= time_ms), None)

    def read(self, position: int, records_max: int) -> list[Record]:
        """The records from a position on."""
        return [record for record in self.records if record.offset >= position][:records_max]


@define
class FakeTopic:
    """One topic. A topic that is created again has another id."""

    topic_id: str
    settings: TopicSettings
    partitions: list[FakePartition]

    @classmethod
    def create(cls, topic_id: str, settings: TopicSettings) -> "FakeTopic":
        """An empty topic."""
        return cls(topic_id, settings, [FakePartition(n) for n in range(settings.partitions)])

    def partition_of(self, key: bytes | None) -> FakePartition:
        """The partition that a key chooses, as in Kafka; a record without a key goes to the shortest one."""
        if key is None:
            return min(self.partitions, key=lambda partition: (partition.high, partition.number))
        return self.partitions[(murmur2(key) & 0x7FFFFFFF) % len(self.partitions)]
