"""The floor: the same bytes to and from the same topic with nothing but confluent-kafka."""

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from langchain_core.messages import BaseMessage, messages_from_dict

from bench.contenders.names import RAW, RAW_BATCHED, RAW_DECODED
from kchat.core import NewRecord, Unstorable, place
from kchat.langchain.messages import encoder

SECONDS_MAX = 30.0
RECORDS_AT_ONCE = 10_000
LOWEST, HIGHEST = -2, -1
"""In place of a time, in Kafka's ListOffsets request."""

READER = {
    "group.id": "bench-raw",
    "enable.partition.eof": True,
    "fetch.wait.max.ms": 0,
    "fetch.error.backoff.ms": 10,
    "enable.auto.commit": False,
    "auto.offset.reset": "error",
    "isolation.level": "read_committed",
    "allow.auto.create.topics": False,
}
PRODUCER = {"enable.idempotence": True, "acks": "all", "linger.ms": 5, "allow.auto.create.topics": False}


class RawClients:
    """One producer and one consumer, both warm, for all conversations."""

    def __init__(self, bootstrap: str) -> None:
        self.consumer = Consumer({"bootstrap.servers": bootstrap, **READER})
        self.producer = Producer({"bootstrap.servers": bootstrap, **PRODUCER})
        self._warm = False
        self._partitions: dict[str, tuple[int, ...]] = {}

    def partitions(self, topic: str) -> tuple[int, ...]:
        """Those that a topic has. Asked once, of the consumer, whose reads need to know them anyway."""
        if topic not in self._partitions:
            found = self.consumer.list_topics(topic, SECONDS_MAX).topics[topic]
            if found.error is not None:
                raise KafkaException(found.error)
            self._partitions[topic] = tuple(sorted(found.partitions))
        return self._partitions[topic]

    def warm_producer(self, topic: str) -> None:
        """Ask for the topic twice: a new producer else waits 505 ms for its id."""
        for _ in range(1 if self._warm else 2):
            self.producer.list_topics(topic, SECONDS_MAX)
        self._warm = True

    def close(self) -> None:
        """End both."""
        self.consumer.close()
        self.producer.close()


class RawConversation:
    """One topic. It must be there."""

    def __init__(self, clients: RawClients, session: str, *, decode: bool, batched: bool) -> None:
        self._clients = clients
        self._placement = place(session)
        self._decode = decode
        self._batched = batched

    def encoded(self, messages: Sequence[BaseMessage]) -> list[NewRecord]:
        """The records that kchat would make of them."""
        encode = encoder(self._placement.key, lambda: uuid.uuid4().hex)
        records = [encode(message) for message in messages]
        return [record for record in records if not isinstance(record, Unstorable)]

    def append(self, messages: Sequence[BaseMessage]) -> None:
        """Encode and `produce`."""
        self.produce(self.encoded(messages))

    def warm(self) -> None:
        """Do now what only the first append and the first read of a topic have to do."""
        self._clients.warm_producer(self._placement.topic)
        self._clients.partitions(self._placement.topic)

    def fill(self, messages: Sequence[BaseMessage]) -> None:
        """`append`."""
        self.append(messages)

    def produce(self, records: Sequence[NewRecord]) -> None:
        """Hand them over, flush, and see that every one was acknowledged."""
        failed: list[KafkaError] = []

        def report(error: KafkaError | None, _record: Message) -> None:
            if error is not None:
                failed.append(error)

        for record in records:
            self.produce_one(record, report)
        if self._clients.producer.flush(SECONDS_MAX) or failed:
            raise KafkaException(*failed[:1])

    def produce_one(self, record: NewRecord, report: Any) -> None:
        """Hand one over, without waiting."""
        self._clients.producer.produce(
            self._placement.topic,
            value=record.value,
            key=record.key,
            headers=list(record.headers),
            partition=self._placement.append_partition or 0,
            on_delivery=report,
        )

    def watermarks(self) -> dict[int, tuple[int, int]]:
        """The first and the next offset of every partition, as the broker says now."""
        topic, consumer = self._placement.topic, self._clients.consumer
        partitions = self._clients.partitions(topic)
        if self._batched:
            lows, highs = (
                consumer.offsets_for_times([TopicPartition(topic, p, which) for p in partitions], SECONDS_MAX)
                for which in (LOWEST, HIGHEST)
            )
            return {low.partition: (low.offset, high.offset) for low, high in zip(lows, highs, strict=True)}
        found = {}
        for partition in partitions:
            marks = consumer.get_watermark_offsets(TopicPartition(topic, partition), SECONDS_MAX)
            if marks is None:
                raise TimeoutError(f"no watermarks of {topic}")
            found[partition] = marks
        return found

    def records(self) -> list[Message]:
        """Every record between the watermarks."""
        ends = {partition: marks for partition, marks in self.watermarks().items() if marks[0] < marks[1]}
        if not ends:
            return []
        topic, consumer = self._placement.topic, self._clients.consumer
        consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in ends.items()])
        try:
            return self._until({partition: high for partition, (_, high) in ends.items()})
        finally:
            consumer.unassign()

    def replay(self) -> list[Any]:
        """The records; decoded, if that was asked for, in the cheapest way that is right."""
        records = self.records()
        if not self._decode:
            return records
        return messages_from_dict([json.loads(record.value() or b"") for record in records])

    def close(self) -> None:
        """The clients stay."""

    def _until(self, ends: dict[int, int]) -> list[Message]:
        consumer, found = self._clients.consumer, list[Message]()
        end = time.monotonic() + SECONDS_MAX
        while ends:
            first = consumer.poll(max(0.0, end - time.monotonic()))
            if first is None:
                raise TimeoutError("the end was not reached")
            for message in (first, *consumer.consume(RECORDS_AT_ONCE, 0)):
                partition, offset, error = message.partition() or 0, message.offset() or 0, message.error()
                if error is None:
                    found.append(message)
                    offset += 1
                elif error.code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(error)
                if offset >= ends.get(partition, offset + 1):
                    del ends[partition]
        return found


class Raw:
    """The raw client.

    Args:
        bootstrap: where Kafka is.
        decode: make messages of what is read.
        batched: ask for the watermarks of all partitions at once. That takes `offsets_for_times`, which is
            not what people reach for; `get_watermark_offsets` asks for one partition a time.
    """

    def __init__(self, bootstrap: str, *, decode: bool = False, batched: bool = False) -> None:
        self.clients = RawClients(bootstrap)
        self._decode = decode
        self._batched = batched

    @property
    def name(self) -> str:
        """As in `names`."""
        if self._decode:
            return RAW_DECODED
        return RAW_BATCHED if self._batched else RAW

    def open(self, session: str) -> RawConversation:
        """One topic."""
        return RawConversation(self.clients, session, decode=self._decode, batched=self._batched)

    def close(self) -> None:
        """End the clients."""
        self.clients.close()
