"""A fake broker and a real one that are asked the same things, and must answer the same."""

import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

from attrs import evolve, field, frozen
from confluent_kafka import KafkaException, TopicPartition

from kchat.core import (
    PASSING,
    Acknowledged,
    AwaitReports,
    BrokerError,
    Command,
    CreateTopic,
    DeleteGroup,
    DeleteTopic,
    DescribeTopic,
    ErrorKind,
    Event,
    Fetch,
    FetchCommitted,
    Fetched,
    ListGroups,
    Position,
    Produce,
    Produced,
    Record,
    RequestFailed,
    Withdraw,
)
from kchat.io.capabilities import APACHE_KAFKA
from kchat.io.clients import Clients
from kchat.io.performing import Call
from kchat.io.translate import broker_error
from kchat.testing import FakeBroker
from tests.differential.differences import Comparable

TIMEOUT_MS, PARTITIONS_MAX = 800, 3
PATIENCE_MS = 20_000
ATTEMPTS_MAX = 50
"""How often a passing error, or what is not visible yet, is asked again: 20 ms apart."""

APPENDS_MAX = 3
IDLE_FETCHES_MAX = 10
"""So many fetches in a row that bring nothing: it does not come to the end, and is told as it is."""


@frozen
class Drained:
    """What repeated fetches brought: the records in the order of each partition, and how it ended."""

    records: dict[int, tuple[Record, ...]] = field(factory=dict)
    standing: dict[int, int] = field(factory=dict)
    error: BrokerError | None = None


class Pair:
    """Both brokers. Topics have short names in a test; on the real broker they are new ones each time."""

    def __init__(self, clients: Clients, fake: FakeBroker) -> None:
        self.fake = fake
        self._clients = clients
        self._prefix = f"differential-{uuid.uuid4().hex}-"
        self._real_values, self._fake_values = Comparable(), Comparable()

    def ask(self, *commands: Command, appending: bool = False) -> None:
        """Perform commands of one call on both, and compare every answer."""
        with closing(self._call(appending=appending)) as call:
            for command in commands:
                self._same(command, self._real(call, command), self.fake.perform(command))

    def produce(self, command: Produce, *after: Command) -> None:
        """An append, and what follows it in the same call."""
        with closing(self._call(appending=True)) as call:
            real = self._reported(call, command)
            self._same(command, real, self.fake.perform(_placed(command, real)))
            for more in after:
                self._same(more, self._real(call, more), self.fake.perform(more))

    def fetch(self, command: Fetch, *before: Command, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Fetch to the end, after what a read asks before it; `meanwhile` happens just before the fetch."""
        with closing(self._call()) as call:
            for first in before:
                self._same(first, self._real(call, first), self.fake.perform(first))
            meanwhile()
            topic = self.fake.cluster.topics.get(command.topic)
            if topic is None:  # nothing comes, ever
                self._same(command, self._silent(call, command), self.fake.perform(command))
                return
            ends = {
                position.partition: topic.partitions[position.partition].high
                for position in command.positions
            }
            fake = _drained(self.fake.perform, command, ends)
            # A consumer may tell the "out of range" of each partition of the read before: a read looks again,
            # and goes on.
            stale_max = 0 if fake.error else PARTITIONS_MAX
            real = _drained(lambda fetch: self._real(call, fetch), command, ends, stale_max)
            self._same(command, real, fake)

    def create(self, command: CreateTopic) -> None:
        """Create a topic, and wait until it is visible."""
        self.ask(command)
        if command.topic in self.fake.cluster.topics:
            self._await(self._described(command.topic), lambda event: not isinstance(event, RequestFailed))

    def delete(self, command: DeleteTopic) -> None:
        """Delete a topic, and wait until it and what groups have committed for it are gone."""
        stored = [group for group, topic in self.fake.cluster.committed if topic == command.topic]
        self.ask(command)
        self._await(self._described(command.topic), lambda event: isinstance(event, RequestFailed))
        partitions = tuple(range(PARTITIONS_MAX))
        for group in stored:
            asked = FetchCommitted(
                group=group, topic=command.topic, partitions=partitions, timeout_ms=TIMEOUT_MS
            )
            self._await(asked, lambda event: getattr(event, "committed", None) == ())

    def remove_before(self, topic: str, partition: int, offset: int) -> None:
        """Retention, or DeleteRecords: what is before the offset goes."""
        place = TopicPartition(self._prefix + topic, partition, offset)
        for attempt in range(ATTEMPTS_MAX):
            try:
                self._clients.admin().handle.delete_records([place])[place].result(timeout=10)
                break
            except KafkaException as error:
                if attempt == ATTEMPTS_MAX - 1 or broker_error(error.args[0]).kind not in PASSING:
                    raise
                time.sleep(0.02)
        self.fake.cluster.topics[topic].partitions[partition].remove_before(offset)

    def close(self) -> None:
        """Delete the topics of the real broker; nobody waits for that."""
        topics = [self._prefix + topic for topic in self.fake.cluster.topics]
        if topics:
            self._clients.admin().handle.delete_topics(topics)

    def _call(self, *, appending: bool = False) -> Call:
        return Call(self._clients, APACHE_KAFKA, appending=appending)

    def _same(self, command: Command, real: Any, fake: Any) -> None:
        expected, answered = self._real_values(real), self._fake_values(fake)
        assert answered == expected, f"{command}\nthe broker: {expected}\nthe fake: {answered}"

    def _real(self, call: Call, command: Command) -> Event:
        """The real answer. A passing error is asked again."""
        if not isinstance(command, AwaitReports | Withdraw | ListGroups | DeleteGroup):
            command = evolve(command, topic=self._prefix + command.topic)
        if not isinstance(command, Fetch):  # which may be silent for all its time; nothing else is hurried
            command = evolve(command, timeout_ms=PATIENCE_MS)
        for _ in range(ATTEMPTS_MAX):
            event = call.perform(command)
            if not (isinstance(event, RequestFailed) and event.error.kind in PASSING):
                return event
            time.sleep(0.02)
        return event

    def _silent(self, call: Call, command: Fetch) -> Event:
        """The real answer to a fetch from a topic that is gone, after what is left of the read before."""
        event = self._real(call, command)
        for _ in range(PARTITIONS_MAX):
            if not (isinstance(event, RequestFailed) and event.error.kind is ErrorKind.OFFSET_OUT_OF_RANGE):
                break
            event = self._real(call, command)
        return event

    def _reported(self, call: Call, command: Produce) -> Event:
        """The real answer to an append when every record has its report.

        What an append sends again is sent again: records that the client gave up by itself, and those that
        it refused because it remembers a deletion.
        """
        again = {ErrorKind.WITHDRAWN}
        if _exists(self.fake, command):
            again.add(ErrorKind.UNKNOWN_TOPIC)
        event = self._with_reports(call, self._real(call, command))
        for _ in range(APPENDS_MAX):
            if not (isinstance(event, Produced) and all(_kind(report) in again for report in event.reports)):
                break
            event = self._with_reports(call, self._real(call, command))
        return event

    def _with_reports(self, call: Call, event: Event) -> Event:
        for _ in range(ATTEMPTS_MAX):
            if not (isinstance(event, Produced) and None in event.reports):
                break
            event = self._real(call, AwaitReports(timeout_ms=TIMEOUT_MS))
        return event

    def _described(self, topic: str) -> DescribeTopic:
        return DescribeTopic(topic=topic, with_id=True, timeout_ms=TIMEOUT_MS)

    def _await(self, command: Command, seen: Callable[[Event], bool]) -> None:
        with closing(self._call()) as call:
            for _ in range(ATTEMPTS_MAX):
                if seen(self._real(call, command)):
                    return
                time.sleep(0.02)
        raise TimeoutError(f"not seen: {command}")


def _drained(
    perform: Callable[[Command], Event],
    command: Fetch,
    ends: Mapping[int, int],
    stale_max: int = 0,
) -> Drained:
    """Fetch until every partition stands at its end, or an error is told that is not an old one."""
    standing = {position.partition: position.offset for position in command.positions}
    records: dict[int, tuple[Record, ...]] = dict.fromkeys(standing, ())
    idle = stale = 0
    while idle < IDLE_FETCHES_MAX:
        positions = tuple(Position(partition, offset) for partition, offset in standing.items())
        event = perform(evolve(command, positions=positions))
        if isinstance(event, RequestFailed):
            if event.error.kind is not ErrorKind.OFFSET_OUT_OF_RANGE or stale == stale_max:
                return Drained(error=event.error)
            stale += 1
            continue
        assert isinstance(event, Fetched)
        assert len(event.records) <= command.records_max
        before = dict(standing)
        for record in event.records:
            records[record.partition] += (record,)
            standing[record.partition] = record.offset + 1
        standing |= {position.partition: position.offset for position in event.positions}
        if standing == ends:
            break
        idle = idle + 1 if standing == before else 0
    return Drained(records, standing)


def _placed(command: Produce, real: Event) -> Produce:
    """The same append, in the partition that the client chose where nothing else chooses."""
    keyless = command.partition is None and all(record.key is None for record in command.records)
    if keyless and isinstance(real, Produced) and isinstance(real.reports[0], Acknowledged):
        return evolve(command, partition=real.reports[0].partition)
    return command


def _kind(report: object) -> ErrorKind | None:
    return report.kind if isinstance(report, BrokerError) else None


def _exists(fake: FakeBroker, command: Produce) -> bool:
    topic = fake.cluster.topics.get(command.topic)
    return topic is not None and (command.partition or 0) < len(topic.partitions)
