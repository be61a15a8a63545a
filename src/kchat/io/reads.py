"""Performs the commands of a read on consumers."""

import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from kchat.core import (
    BrokerError,
    CommitOffsets,
    CommittedOffset,
    DescribeTopic,
    ErrorKind,
    Fetch,
    FetchCommitted,
    ListOffsets,
    Position,
    Record,
    Watermarks,
)
from kchat.io.clients import Client, Clients
from kchat.io.failing import FailedError
from kchat.io.translate import broker_error

COMMIT_POLL_SECONDS = 0.0005
"""A commit takes 0.5 ms; poll() returns only at its time limit when there is no message."""

NO_OFFSET_BELOW = 0
"""Negative offsets are the client's marks: -1001 is "none committed"."""


class Reads:
    """One call's consumers: leased when first needed, given back when the call is over."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._reader: Client[Consumer] | None = None
        self._tail: Client[Consumer] | None = None
        self._cursors: dict[str, Client[Consumer]] = {}
        # Where each assigned consumer stands: a fetch that goes on there needs no new assignment.
        self._standing: dict[int, dict[int, int]] = {}
        self._late: list[BrokerError] = []

    def close(self) -> None:
        """Give the consumers back, without an assignment: one at wait 0 costs the broker 80 % of a core."""
        if self._reader is not None:
            self._unassign(self._reader)
            self._clients.readers.give_back("", self._reader)
            self._reader = None
        if self._tail is not None:
            self._unassign(self._tail)
            self._clients.tails.give_back("", self._tail)
            self._tail = None
        for group, cursor in self._cursors.items():
            self._clients.cursors.give_back(group, cursor)
        self._cursors.clear()

    def client_of(self, command: object) -> Client[Consumer] | None:
        """The client that performs this kind of command, if it is leased by now: to ask it what is wrong."""
        match command:
            case FetchCommitted(group=group) | CommitOffsets(group=group):
                return self._cursors.get(group)
            case Fetch(wait=True):
                return self._tail
            case _:
                return self._reader

    def reader(self, timeout_seconds: float) -> Client[Consumer]:
        """The consumer for reads that end."""
        if self._reader is None:
            self._reader = self._clients.readers.lease("", timeout_seconds)
        if self._reader is None:
            raise FailedError(BrokerError(ErrorKind.TRANSIENT, "POOL_EXHAUSTED", "all readers are in use"))
        return self._reader

    def tail(self, timeout_seconds: float) -> Client[Consumer]:
        """The consumer for reads that wait. A reader cannot: it would ask the broker without a pause."""
        if self._tail is None:
            self._tail = self._clients.tails.lease("", timeout_seconds)
        if self._tail is None:
            raise FailedError(BrokerError(ErrorKind.TRANSIENT, "POOL_EXHAUSTED", "all tails are in use"))
        return self._tail

    def cursor(self, group: str, timeout_seconds: float) -> Client[Consumer]:
        """The consumer of a group, for committed offsets. It never joins, so it never rebalances."""
        if group not in self._cursors:
            leased = self._clients.cursors.lease(group, timeout_seconds)
            if leased is None:
                raise FailedError(
                    BrokerError(ErrorKind.TRANSIENT, "POOL_EXHAUSTED", "all cursors are in use")
                )
            self._cursors[group] = leased
        return self._cursors[group]

    def describe(self, command: DescribeTopic) -> tuple[int, ...]:
        """The topic's partitions, from this very consumer's metadata, which warms it for the read."""
        seconds = command.timeout_ms / 1000
        return described(self.reader(seconds).handle.list_topics(command.topic, seconds), command.topic)

    def list_offsets(self, command: ListOffsets) -> tuple[Watermarks, ...]:
        """Both watermarks of each partition; the high one is the last stable offset, for read_committed."""
        end = time.monotonic() + command.timeout_ms / 1000
        handle = self.reader(command.timeout_ms / 1000).handle

        def left() -> float:
            return max(0.001, end - time.monotonic())

        def listed(partition: int) -> Watermarks:
            asked = TopicPartition(command.topic, partition)
            return Watermarks(partition, *handle.get_watermark_offsets(asked, timeout=left()))

        try:
            return tuple(listed(partition) for partition in command.partitions)
        except KafkaException as error:
            if broker_error(error.args[0]).kind is not ErrorKind.UNKNOWN_TOPIC:
                raise
            # A topic that was created again: this consumer remembers that it was gone until it is told.
            handle.list_topics(command.topic, left())
            return tuple(listed(partition) for partition in command.partitions)

    def fetch(self, command: Fetch) -> tuple[tuple[Record, ...], tuple[Position, ...]]:
        """What is there from the positions on, at most `records_max`; with `wait`, what comes."""
        seconds = command.timeout_ms / 1000
        client = self.tail(seconds) if command.wait else self.reader(seconds)
        if self._late:
            raise FailedError(self._late.pop())
        self._stand(client, command)
        # poll, then consume what is there: consume alone waits for all that it was asked for (measured).
        first = client.handle.poll(seconds)
        if first is None:
            return (), ()
        more = client.handle.consume(command.records_max - 1, 0) if command.records_max > 1 else []
        return self._sorted([first, *more], self._standing[id(client)])

    def committed(self, command: FetchCommitted) -> tuple[CommittedOffset, ...]:
        """What the group has committed."""
        seconds = command.timeout_ms / 1000
        asked = [TopicPartition(command.topic, partition) for partition in command.partitions]
        answered = self.cursor(command.group, seconds).handle.committed(asked, timeout=seconds)
        for entry in answered:
            if entry.error is not None:
                raise KafkaException(entry.error)
        return tuple(
            CommittedOffset(entry.partition, entry.offset, entry.metadata or "")
            for entry in answered
            if entry.offset >= NO_OFFSET_BELOW
        )

    def commit(self, command: CommitOffsets) -> None:
        """Commit without membership.

        Not with asynchronous=False, which blocks for 45 s when the group is denied, and not through the
        admin client, which aborts the process when the broker restarts (librdkafka PR 5397).
        """
        end = time.monotonic() + command.timeout_ms / 1000
        client = self.cursor(command.group, command.timeout_ms / 1000)
        client.committed.clear()
        offsets = [
            TopicPartition(command.topic, position.partition, position.offset, metadata=command.metadata)
            for position in command.positions
        ]
        client.handle.commit(offsets=offsets, asynchronous=True)
        while not client.committed and time.monotonic() < end:
            client.handle.poll(COMMIT_POLL_SECONDS)
        if not client.committed:
            raise FailedError(BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "the commit was not answered"))
        told = client.committed.pop()
        if isinstance(told, KafkaError):
            raise KafkaException(told)
        for entry in told:
            if entry.error is not None:
                raise KafkaException(entry.error)

    def _stand(self, client: Client[Consumer], command: Fetch) -> None:
        """Assign, unless the consumer already stands at these positions.

        Numeric offsets only: the symbolic ones cost 500 ms on a new consumer (measured).
        """
        standing = self._standing.get(id(client), {})
        wanted = {position.partition: position.offset for position in command.positions}
        if all(standing.get(partition) == offset for partition, offset in wanted.items()):
            return
        client.handle.assign([TopicPartition(command.topic, p, offset) for p, offset in wanted.items()])
        self._standing[id(client)] = wanted

    def _sorted(
        self, messages: list[Message], standing: dict[int, int]
    ) -> tuple[tuple[Record, ...], tuple[Position, ...]]:
        records: list[Record] = []
        for message in messages:
            error, partition = message.error(), message.partition()
            if error is None:
                record = record_of(message)
                records.append(record)
                standing[record.partition] = record.offset + 1
            elif error.code() == KafkaError._PARTITION_EOF and partition is not None:
                # Its offset, not position(), which is -1001 when a read began at the end (measured).
                standing[partition] = message.offset() or 0
            elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                # That one comes although nothing of the group is used, and the records still follow.
                self._late.append(attributed(broker_error(error), partition))
        if self._late:
            standing.clear()
            if not records:
                raise FailedError(self._late.pop())
        return tuple(records), tuple(Position(p, offset) for p, offset in sorted(standing.items()))

    def _unassign(self, client: Client[Consumer]) -> None:
        if self._standing.pop(id(client), None) is not None:
            client.handle.unassign()


def attributed(error: BrokerError, partition: int | None) -> BrokerError:
    """The error with its partition."""
    return BrokerError(error.kind, error.code, error.reason, partition)


def described(metadata: object, topic: str) -> tuple[int, ...]:
    """The partitions in an answer of `list_topics`; its error for this topic is raised."""
    found = metadata.topics[topic]  # type: ignore[attr-defined]  # the client types it as Any or Object
    if found.error is not None:
        raise KafkaException(found.error)
    return tuple(sorted(found.partitions))


def record_of(message: Message) -> Record:
    """A consumed message as the core's record."""
    headers = message.headers() or []
    return Record(
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=tuple(
            (name, value.encode() if isinstance(value, str) else value)
            for name, value in (headers.items() if isinstance(headers, dict) else headers)
        ),
    )
