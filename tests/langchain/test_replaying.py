"""`replay=True` on a history that is kept: the same messages as a new history reads, whatever happens."""

import random
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from kchat.core import ReadFailed
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker, NoAnswer

SESSION = "talk"


def said(history: KafkaChatMessageHistory) -> list[str]:
    return [str(message.content) for message in history.messages]


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


def replaying(broker: FakeBroker, **more: object) -> KafkaChatMessageHistory:
    return KafkaChatMessageHistory(SESSION, "unused:9092", log=broker, replay=True, **more)  # type: ignore[arg-type]


def test_what_others_append_is_seen(broker: FakeBroker) -> None:
    kept, other = replaying(broker), replaying(broker)
    for turn in range(5):
        other.add_messages([HumanMessage(f"{turn}"), AIMessage("yes")])
        assert said(kept) == said(replaying(broker))
    kept.clear()
    assert kept.messages == []
    other.add_messages([HumanMessage("again"), *[AIMessage("yes")] * 9])
    assert said(kept) == said(replaying(broker))


def test_the_list_is_the_callers(broker: FakeBroker) -> None:
    kept = replaying(broker)
    kept.add_messages([HumanMessage("one"), HumanMessage("two")])
    kept.messages.clear()
    kept.messages.append(HumanMessage("mine"))
    assert said(kept) == ["one", "two"]


def test_reads_of_other_kinds_change_nothing(broker: FakeBroker) -> None:
    kept = replaying(broker)
    kept.add_messages([HumanMessage(str(n)) for n in range(8)])
    assert len(said(kept)) == 8
    assert [m.content for m in kept.messages_from_beginning(3)] == ["0", "1", "2"]
    assert [m.content for m in kept.messages_from_last_consumed(2)] == ["3", "4"]
    kept.add_messages([HumanMessage("8")])
    assert said(kept) == [str(n) for n in range(9)]


def test_a_failed_read_loses_nothing_of_what_was_found(broker: FakeBroker) -> None:
    kept = replaying(broker)
    kept.add_messages([HumanMessage("one")])
    assert said(kept) == ["one"]
    broker.plan.extend([NoAnswer()] * 60)
    with pytest.raises(ReadFailed):
        _ = kept.messages
    broker.plan.clear()
    kept.add_messages([HumanMessage("two")])
    assert said(kept) == ["one", "two"]


def test_what_was_skipped_is_told_at_every_replay(broker: FakeBroker) -> None:
    kept = replaying(broker, on_corrupt="skip")
    kept.add_messages([HumanMessage("one")])
    broker.cluster.inject(SESSION, b"no message", key=SESSION.encode(), partition=0)
    for _ in range(3):
        assert said(kept) == ["one"]
        assert [error.offset for error in kept.skipped] == [1]


class Meddler:
    """Other programs and an administrator, on a real topic."""

    def __init__(self, servers: str, topic: str) -> None:
        self.servers, self.topic = servers, topic
        self.admin = AdminClient({"bootstrap.servers": servers})
        self.producer = Producer({"bootstrap.servers": servers, "transactional.id": uuid.uuid4().hex})
        self.producer.init_transactions(20)
        self.partitions = 3

    def append(self, history: KafkaChatMessageHistory) -> None:
        messages: list[BaseMessage] = [HumanMessage(uuid.uuid4().hex) for _ in range(random.randint(1, 4))]
        history.add_messages(messages, 20)

    def produce(self, *, commit: bool = True) -> None:
        """Records without a key, as the old class writes them, anywhere, some late; a marker behind them."""
        while len(self.producer.list_topics(self.topic, 20).topics[self.topic].partitions) < self.partitions:
            time.sleep(0.01)  # of a topic that was created again it knows the old ones
        self.producer.begin_transaction()
        for _ in range(random.randint(1, 3)):
            value = f'{{"type": "ai", "data": {{"content": "{uuid.uuid4().hex}"}}}}'
            late_ms = random.choice([0, 0, 5_000])
            at_ms = int(time.time() * 1000) - late_ms
            self.producer.produce(
                self.topic, value, partition=random.randrange(self.partitions), timestamp=at_ms
            )
        if commit:
            self.producer.commit_transaction(20)
        else:
            self.producer.abort_transaction(20)

    def expire(self) -> None:
        wanted = TopicPartition(self.topic, 0, random.randint(1, 4))
        for answer in self.admin.delete_records([wanted]).values():
            with suppress(KafkaException):  # there are not so many records
                answer.result(20)

    def recreate(self, history: KafkaChatMessageHistory) -> None:
        history.clear()
        self.partitions = 3
        for _ in range(random.randint(1, 3)):
            self.append(history)

    def more_partitions(self) -> None:
        self.partitions += 1
        self.admin.create_partitions([NewPartitions(self.topic, self.partitions)])[self.topic].result(20)


@pytest.fixture
def topic(kafka_log: KafkaLog) -> Iterator[str]:
    name = f"replaying-{uuid.uuid4().hex}"
    yield name
    with KafkaChatMessageHistory(name, "unused:9092", log=kafka_log) as history:
        history.clear()


@pytest.mark.parametrize("attempt", range(4))
def test_on_a_real_broker_a_kept_history_reads_what_a_new_one_reads(
    kafka: str, kafka_log: KafkaLog, topic: str, attempt: int
) -> None:
    random.seed(attempt)
    kept = KafkaChatMessageHistory(topic, kafka, log=kafka_log, replay=True)
    other = KafkaChatMessageHistory(topic, kafka, log=kafka_log)
    meddler = Meddler(kafka, topic)
    meddler.append(other)
    steps: list[Callable[[], None]] = [
        *[lambda: meddler.append(other)] * 4,
        lambda: meddler.append(kept),
        meddler.produce,
        lambda: meddler.produce(commit=False),
        meddler.expire,
        lambda: meddler.recreate(other),
        meddler.more_partitions,
    ]
    for _ in range(25):
        random.choice(steps)()
        assert_same(kept, kafka, kafka_log)


def assert_same(kept: KafkaChatMessageHistory, servers: str, log: KafkaLog) -> None:
    """A transaction's marker, and so its records, may become visible between the two reads."""
    for _ in range(50):
        new = KafkaChatMessageHistory(kept.session_id, servers, log=log, replay=True)
        before, found, after = said(new), said(kept), said(new)
        if before == after:
            assert found == after
            return
        time.sleep(0.01)
    raise AssertionError("the log does not come to rest")
