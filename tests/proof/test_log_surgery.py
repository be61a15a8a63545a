"""What others do to a session's topic: transactions, compaction, retention, deletion, more partitions."""

import json
import random
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
)
from langchain_core.messages import BaseMessage, HumanMessage, message_to_dict

from kchat.core import FromPositions, Position, ReadFailed, ReadRequest, delivered
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from kchat.langchain.messages import DECODER
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.proof.figures import Figures
from tests.proof.ledger import Name, Told
from tests.proof.load import (
    LIMIT_SECONDS,
    append_one,
    follow_cursor,
    replay,
    running,
    write_turns,
)
from tests.proof.surgery import ADMIN_SECONDS_MAX, Surgery

CLEANED_SECONDS_MAX = 60.0

SMALL_SEGMENTS = {
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.001",
    "max.compaction.lag.ms": "200",
    "delete.retention.ms": "100",
    "file.delete.delay.ms": "100",
}
"""A topic whose cleaner has something to do, soon."""


ODD_DEFAULTS = {
    "log.cleaner.backoff.ms": "200",
    "log.cleaner.min.cleanable.ratio": "0.001",
    "log.cleanup.policy": "compact",
    "log.retention.check.interval.ms": "200",
    "log.initial.task.delay.ms": "200",  # retention would begin after 30 s
    "log.roll.ms": "300",
}
"""A cluster whose topics are compacted unless they say otherwise: nothing of a session would be left."""


@pytest.fixture(scope="module")
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution, extra=ODD_DEFAULTS) as kafka:
        yield kafka


@pytest.fixture
def surgery(request: pytest.FixtureRequest, kafka: JarsKafka, figures: Figures) -> Iterator[Surgery]:
    session = request.node.name.removeprefix("test_")[:60]
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    with (
        KafkaChatMessageHistory(session, kafka.bootstrap) as history,
        KafkaChatMessageHistory(session, kafka.bootstrap, replay=True) as whole,
    ):
        yield Surgery(session, kafka.bootstrap, figures, history, whole, admin)


def again_until(seconds: float, once: Callable[[], None]) -> None:
    """Once at least, and until the time is over."""
    until = time.monotonic() + seconds
    while True:
        once()
        if time.monotonic() >= until:
            return


def value_of(text: str) -> bytes:
    """A message as kchat writes it."""
    return json.dumps(message_to_dict(HumanMessage(text))).encode()


def foreign_producer(bootstrap: str, transactional_id: str) -> Producer:
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": transactional_id})
    producer.init_transactions(ADMIN_SECONDS_MAX)
    return producer


@pytest.mark.row("log surgery", "a foreign program's aborted transactions, messages and garbage", 0.01)
def test_an_aborted_transaction_is_never_seen(surgery: Surgery, row_seconds: float) -> None:
    surgery.append()
    foreign = foreign_producer(surgery.bootstrap, surgery.session)
    partition = next(iter(surgery.places().values()))[0]

    def once() -> None:
        foreign.begin_transaction()
        name = Name("aborted", surgery.figures.faults, 0)
        surgery.ledger.enter([name], Told.REFUSED)
        for value in (value_of(str(name)), b"garbage", None):
            foreign.produce(surgery.session, value, key=surgery.session.encode(), partition=partition)
        foreign.flush(ADMIN_SECONDS_MAX)
        surgery.append()
        if random.random() < 0.5:
            surgery.read_on(random.choice([1, None]))
        foreign.abort_transaction(ADMIN_SECONDS_MAX)
        surgery.figures.add(faults=1)
        surgery.read_on(random.choice([1, None]))

    again_until(row_seconds, once)
    surgery.settle()
    surgery.judge()


@pytest.mark.row("log surgery", "a foreign program's open transaction; it ends late, either way", 0.01)
def test_an_open_transaction_hides_what_is_newer_until_it_ends(surgery: Surgery, row_seconds: float) -> None:
    surgery.append()
    foreign = foreign_producer(surgery.bootstrap, surgery.session)
    partition = next(iter(surgery.places().values()))[0]

    def once() -> None:
        surgery.drain()
        foreign.begin_transaction()
        name = Name("foreign", surgery.figures.faults, 0)
        foreign.produce(surgery.session, value_of(str(name)), surgery.session.encode(), partition)
        foreign.flush(ADMIN_SECONDS_MAX)
        surgery.figures.add(faults=1)
        surgery.append()
        if surgery.read_on():
            surgery.figures.went_wrong("a read sees what is not readable yet")
        if random.random() < 0.5:
            foreign.commit_transaction(ADMIN_SECONDS_MAX)
            surgery.ledger.enter([name], Told.ACKNOWLEDGED)
        else:
            foreign.abort_transaction(ADMIN_SECONDS_MAX)
            surgery.ledger.enter([name], Told.REFUSED)
        surgery.settle()

    again_until(row_seconds, once)
    surgery.judge()


@pytest.mark.row("log surgery", "gaps: a compacted topic, with the cleaner running", 0.01)
def test_what_compaction_leaves_is_read_in_order(surgery: Surgery, row_seconds: float) -> None:
    surgery.create({**SMALL_SEGMENTS, "cleanup.policy": "compact"})
    until = time.monotonic() + row_seconds

    def once() -> None:
        surgery.append(turn=5)
        surgery.read_on(random.choice([1, 3, None]))
        time.sleep(0.1)

    again_until(row_seconds, once)
    end = max(until, time.monotonic()) + CLEANED_SECONDS_MAX
    while len(surgery.places()) == surgery.figures.acknowledged and time.monotonic() < end:
        once()
    left = surgery.places()
    cleaned = surgery.figures.acknowledged - len(left)
    if cleaned <= 0:
        surgery.figures.went_wrong("the cleaner has not run")
    surgery.figures.add(faults=1)
    surgery.figures.notes.append(
        f"compaction took {cleaned} messages: a topic with keys must not be compacted"
    )
    surgery.drain()
    # The last message with a key is always left, and what is left must be seen by all.
    surgery.ledger.judge(list(left), surgery.figures, "a replay", complete=False)
    surgery.ledger.judge(surgery.seen, surgery.figures, "the cursor", complete=False)
    surgery.figures.add(lost=len(set(left) - set(surgery.seen)))


@pytest.mark.row("log surgery", "DeleteRecords passes the cursor, a replay and a position", 0.01)
def test_a_reader_that_retention_has_passed_goes_on_with_what_is_left(
    surgery: Surgery, row_seconds: float
) -> None:
    def once() -> None:
        for _ in range(10):
            surgery.append(turn=5)
        surgery.read_on(random.randint(1, 10))
        places = surgery.places()
        partition, offset = random.choice(list(places.values()))
        gone = {text for text, place in places.items() if place[0] == partition and place[1] < offset}
        replays = list[list[str]]()
        with running(surgery.figures, lambda: replays.append(replay(surgery.whole, surgery.figures))):
            surgery.delete_records({partition: offset})
        surgery.figures.add(faults=1)
        left = [text for text in places if text not in gone]
        if [text for text in replays[0] if text not in gone] != left:
            surgery.figures.went_wrong("a replay that retention passed misses what is left")
        before = len(surgery.seen)
        surgery.drain()
        unseen = set(left) - set(surgery.seen)
        surgery.figures.add(lost=len(unseen))
        if gone & set(surgery.seen[before:]):
            surgery.figures.went_wrong("the cursor sees what was deleted")
        if gone:
            fails_typed(surgery, partition, 0)

    again_until(row_seconds, once)
    surgery.judge(complete=False)


def fails_typed(surgery: Surgery, partition: int, offset: int) -> None:
    """A read from a position that is gone is an error that says so; never other records."""
    start = FromPositions((Position(partition, offset),))
    request = ReadRequest[BaseMessage](topic=surgery.session, start=start, decoder=DECODER, wait_ms_max=5_000)
    with KafkaLog({"bootstrap.servers": surgery.bootstrap}) as log, surgery.figures.call(LIMIT_SECONDS):
        outcome = log.read(request)
    try:
        delivered(outcome, session=surgery.session, topic=surgery.session)
    except ReadFailed as error:
        if error.code == "OFFSET_OUT_OF_RANGE":
            return
        surgery.figures.went_wrong(f"a position that is gone fails as {error.code}")
    else:
        surgery.figures.went_wrong("a position that is gone gives other records")


@pytest.mark.row("log surgery", "time-based retention under a reader and a writer", 0.01)
def test_retention_under_a_reader_and_a_writer(surgery: Surgery, row_seconds: float) -> None:
    surgery.create({**SMALL_SEGMENTS, "cleanup.policy": "delete", "retention.ms": "1000"})
    until = time.monotonic() + max(row_seconds, 4.0)  # longer than retention and its interval
    workers = (
        partial(write_turns, surgery.history, surgery.ledger, "w", surgery.figures, until),
        partial(follow_cursor, surgery.history, surgery.seen, surgery.figures, until),
    )
    first = 0
    with running(surgery.figures, *workers):
        while time.monotonic() < until:
            texts = replay(surgery.whole, surgery.figures)
            surgery.ledger.judge(texts, surgery.figures, "a replay", complete=False)
            surgery.figures.add(lost=surgery.ledger.holes(texts))
            if texts and Name.of(texts[0]).number > first:
                first = Name.of(texts[0]).number
                surgery.figures.add(faults=1)  # retention has moved the beginning
            time.sleep(0.2)
    surgery.judge(complete=False)


@pytest.mark.row("log surgery", "the topic is deleted under a reader and a writer", 0.01)
def test_a_topic_that_is_deleted_under_a_reader_and_a_writer(surgery: Surgery, row_seconds: float) -> None:
    until = time.monotonic() + max(row_seconds, 2.0)
    workers = (
        partial(write_turns, surgery.history, surgery.ledger, "w", surgery.figures, until),
        partial(follow_cursor, surgery.history, surgery.seen, surgery.figures, until),
    )
    surgery.append("first")
    with running(surgery.figures, *workers):
        while time.monotonic() < until:
            time.sleep(random.uniform(0.1, 0.6))
            if surgery.exists():
                surgery.delete_topic()
                surgery.figures.add(faults=1)
            while time.monotonic() < until and not surgery.exists():
                time.sleep(0.01)  # the writer creates it again
    after = surgery.append("last", 5)
    surgery.drain()
    # A read that began in the old topic may show the middle of the new one; the next begins at its beginning.
    surgery.ledger.judge(
        list(dict.fromkeys(surgery.seen[-5:])), surgery.figures, "the cursor", complete=False
    )
    surgery.ledger.judge(replay(surgery.whole, surgery.figures), surgery.figures, "a replay", complete=False)
    surgery.figures.notes.append("what the cursor showed of topics that are gone is not judged")
    surgery.figures.add(lost=len({str(name) for name in after} - set(surgery.seen)))


@pytest.mark.row(
    "log surgery", "the topic is created again under a warm reader, shorter, as long, longer", 0.01
)
def test_every_message_of_a_topic_that_was_created_again_is_seen(
    surgery: Surgery, row_seconds: float
) -> None:
    def once() -> None:
        for _ in range(5):
            surgery.append()
        surgery.drain()
        stood = surgery.committed()
        surgery.delete_topic()
        surgery.figures.add(faults=1)
        after = surgery.figures.acknowledged
        with KafkaChatMessageHistory(surgery.session, surgery.bootstrap, config={"client.id": "x"}) as other:
            for turn in range(random.choice([3, 5, 9])):  # x 2 messages: fewer than 10, as many, more
                names = [Name("again", surgery.figures.faults * 100 + turn, place) for place in range(2)]
                append_one(other, surgery.ledger, names, surgery.figures)
        new = surgery.figures.acknowledged - after
        if random.random() < 0.7:
            surgery.commit(stood)  # as a commit that comes late does: Kafka itself has dropped the old one
        before = len(surgery.seen)
        surgery.drain()
        if len(surgery.seen) - before != new:
            surgery.figures.went_wrong(
                f"of {new} messages in the new topic the cursor saw {len(surgery.seen) - before}"
            )
        surgery.figures.add(lost=max(0, new - (len(surgery.seen) - before)))
        surgery.delete_topic()

    again_until(row_seconds, once)
    surgery.judge(complete=False)


@pytest.mark.row("log surgery", "partitions are added under readers and writers", 0.02)
def test_a_session_keeps_its_order_when_partitions_are_added(surgery: Surgery, row_seconds: float) -> None:
    surgery.append("first")
    until = time.monotonic() + max(row_seconds, 3.0)
    # Clients of their own that hear of new partitions at moments of their own, as processes would.
    configs = [{"client.id": f"w{n}", "topic.metadata.refresh.interval.ms": 200 + 300 * n} for n in range(3)]
    histories = [KafkaChatMessageHistory(surgery.session, surgery.bootstrap, config=each) for each in configs]
    workers = [
        partial(write_turns, history, surgery.ledger, f"w{n}", surgery.figures, until)
        for n, history in enumerate(histories)
    ]
    follower = partial(
        follow_cursor, surgery.history, surgery.seen, surgery.figures, until, count=random.choice([5, None])
    )
    with running(surgery.figures, *workers, follower):
        for partitions in range(4, 40):
            if time.monotonic() >= until:
                break
            time.sleep(random.uniform(0.1, 1.0))
            surgery.more_partitions(partitions)
            surgery.figures.add(faults=1)
    for history in histories:
        history.close()
    surgery.judge()
    used = {partition for partition, _ in surgery.places().values()}
    if len(used) > 1:
        surgery.figures.went_wrong(f"the session is split over {len(used)} partitions")


@pytest.mark.row("log surgery", "messages of the old class, without a key, in between", 0.01)
def test_messages_of_the_old_class_keep_their_place(surgery: Surgery, row_seconds: float) -> None:
    surgery.append()
    old = Producer({"bootstrap.servers": surgery.bootstrap})

    def once() -> None:
        name = Name("old", surgery.figures.faults, 0)
        old.produce(surgery.session, value_of(str(name)), partition=random.randrange(3))
        old.flush(ADMIN_SECONDS_MAX)
        surgery.ledger.enter([name], Told.ACKNOWLEDGED)
        surgery.figures.add(faults=1)
        time.sleep(0.002)  # the only order that such records have is by the millisecond
        surgery.append()
        time.sleep(0.002)
        if random.random() < 0.3:
            surgery.read_on(random.choice([1, 5, None]))

    again_until(row_seconds, once)
    surgery.judge()
    texts = replay(surgery.whole, surgery.figures)
    if [Name.of(text).writer for text in texts] != (["w", "w"] + ["old", "w", "w"] * surgery.figures.faults):
        surgery.figures.went_wrong("the messages of the old class are not where they were written")
