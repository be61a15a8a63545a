"""A broker or a client that takes no more: what was refused is never stored, and nothing surfaces later."""

import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import AppendRefused, AppendUnknown
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.cluster import KafkaCluster
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.brokers.properties import RESTARTING
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name, Told
from tests.proof.load import append_one, replay, running

LIMIT_SECONDS = 1.0
"""Of an append that cannot succeed; it would wait so long every time."""

SURFACE_SECONDS = 0.3
"""How long is waited for what must not surface: an append takes 1 ms."""

ISR_SECONDS_MAX = 60.0
RECORD_BYTES_MAX = 2_000
LOG_BYTES_MAX = 400_000


@pytest.fixture(scope="module")
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution, extra=RESTARTING) as kafka:
        yield kafka


def create_topic(kafka: JarsKafka, topic: str, settings: dict[str, str]) -> None:
    """Make a topic as an administrator would, with settings that kchat does not know."""
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap})
    (done,) = admin.create_topics([NewTopic(topic, 1, 1, config=settings)]).values()
    done.result(10)


def messages_of(names: Sequence[Name]) -> list[BaseMessage]:
    return [HumanMessage(str(name)) for name in names]


def try_once(
    ledger: Ledger, names: Sequence[Name], figures: Figures, append: Callable[[], None], limit_seconds: float
) -> AppendUnknown | None:
    """One call, entered in the ledger as it ended; what may be stored can be resent."""
    ledger.enter(names, Told.UNKNOWN)
    try:
        with figures.call(limit_seconds):
            append()
    except AppendUnknown as error:
        figures.add(unknown=1)
        return error
    except AppendRefused:
        ledger.enter(names, Told.REFUSED)
    else:
        ledger.enter(names, Told.ACKNOWLEDGED)
        figures.add(acknowledged=len(names))
    return None


@pytest.mark.row("full", "NOT_ENOUGH_REPLICAS: one of two replicas is down", 0.015)
def test_without_enough_replicas_nothing_is_stored_and_nothing_surfaces_later(
    distribution: Distribution, figures: Figures, row_seconds: float
) -> None:
    ledger, given_up, number = Ledger(), set[str](), 0
    with (
        KafkaCluster(distribution) as cluster,
        KafkaChatMessageHistory("two", cluster.bootstrap, replication_factor=2, partition=1) as history,
        KafkaChatMessageHistory("two", cluster.bootstrap, replay=True) as whole,
    ):
        until = time.monotonic() + row_seconds
        append_one(history, ledger, [Name("first", 0, 0)], figures)
        while not figures.faults or time.monotonic() < until:
            follower = lose_follower(cluster, "two")
            figures.add(faults=1)
            for _ in range(3):
                names = [Name(f"w{number}", 0, place) for place in range(random.randint(1, 5))]
                limit = random.uniform(0.05, LIMIT_SECONDS)
                append = partial(history.add_messages, messages_of(names), limit)
                unknown = try_once(ledger, names, figures, append, limit)
                number += 1
                if ledger.told[names[0]] is Told.ACKNOWLEDGED:
                    figures.went_wrong(f"{names[0]} was acknowledged by one replica, and two are asked for")
                given_up.update(map(str, names))
            cluster.restart(follower)
            append_one(history, ledger, [Name("after", number, 0)], figures)
            time.sleep(SURFACE_SECONDS)
            if unknown is not None:  # the last one is not given up
                given_up.difference_update(map(str, names))
                try_once(ledger, names, figures, partial(history.resend, unknown, 5.0), 5.0)
        texts = replay(whole, figures)
    ledger.judge(texts, figures, "a replay")
    if surfaced := given_up & set(texts):
        figures.went_wrong(f"{len(surfaced)} messages surfaced that no broker took: {min(surfaced)}")


def lose_follower(cluster: KafkaCluster, topic: str) -> int:
    """Kill the replica that does not lead, and wait until the leader knows that it is alone."""
    admin = AdminClient({"bootstrap.servers": cluster.bootstrap})
    found = admin.list_topics(topic, timeout=10).topics[topic].partitions[0]
    follower = next(node_id for node_id in found.replicas if node_id != found.leader)
    cluster.kill(follower)
    end = time.monotonic() + ISR_SECONDS_MAX
    while time.monotonic() < end:
        with suppress(KafkaException):
            if len(admin.list_topics(topic, timeout=1).topics[topic].partitions[0].isrs) == 1:
                return follower
        time.sleep(0.05)
    raise AssertionError(f"{follower} is in sync although it was killed {ISR_SECONDS_MAX} s ago")


@pytest.mark.row("full", "messages too large for the topic or the client, alone and among others", 0.01)
def test_one_message_that_is_too_large_keeps_all_of_its_call_out(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    ledger = Ledger()
    create_topic(kafka, "large", {"max.message.bytes": str(RECORD_BYTES_MAX)})
    until, number, begun = time.monotonic() + row_seconds, 0, dict[int, int]()
    with (
        KafkaChatMessageHistory("large", kafka.bootstrap) as history,
        KafkaChatMessageHistory("large", kafka.bootstrap, replay=True) as whole,
    ):
        while time.monotonic() < until:
            names = [Name("w", number, place) for place in range(random.randint(1, 3))]
            messages = messages_of(names)
            large = random.choice([RECORD_BYTES_MAX, 100_000, 998_000, 999_000, 1_000_000, 5_000_000])
            at = random.randrange(len(names))
            messages[at] = HumanMessage(str(names[at]), additional_kwargs={"padding": "x" * large})
            append = partial(history.add_messages, messages)
            unknown = try_once(ledger, names, figures, append, 5.0)
            if ledger.told[names[0]] is Told.ACKNOWLEDGED:
                figures.went_wrong(f"a topic of {RECORD_BYTES_MAX} bytes took {large}")
            if unknown is not None:
                begun[number] = unknown.acknowledged
            append_one(history, ledger, [Name("w", number + 1, 0)], figures)
            figures.add(faults=1)
            number += 2
        texts = replay(whole, figures)
    ledger.judge(texts, figures, "a replay")
    stored = Counter(Name.of(text).number for text in texts)
    if wrong := [number for number, count in begun.items() if stored[number] != count]:
        figures.went_wrong(f"of {len(wrong)} calls another part is stored than was told: {wrong[:5]}")
    figures.notes.append(
        f"{len(begun)} of {figures.faults} calls were larger than a batch of the client's: what stood before "
        "the large message is stored, and AppendUnknown told how much"
    )


@pytest.mark.row("full", "the producer's queue is full while the broker hangs", 0.015)
def test_what_found_no_place_in_the_queue_is_never_stored(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    ledger, until = Ledger(), time.monotonic() + row_seconds
    small = {"queue.buffering.max.messages": 5}
    unknown: list[tuple[list[Name], AppendUnknown]] = []
    with (
        KafkaChatMessageHistory("queue", kafka.bootstrap, config=small) as history,
        KafkaChatMessageHistory("queue", kafka.bootstrap, replay=True) as whole,
    ):

        def write(writer: str) -> None:
            number, epoch = 0, 0
            while time.monotonic() < until:
                names = [Name(f"{writer}.{epoch}", number, place) for place in range(random.randint(1, 12))]
                limit = random.uniform(0.05, LIMIT_SECONDS)
                append = partial(history.add_messages, messages_of(names), limit)
                if error := try_once(ledger, names, figures, append, limit):
                    unknown.append((names, error))
                    epoch += 1  # it is resent in the end: what is appended meanwhile stands before it
                number += 1

        append_one(history, ledger, [Name("first", 0, 0)], figures)
        with running(figures, *[partial(write, f"w{n}") for n in range(6)]):
            while time.monotonic() < until:
                kafka.pause()
                figures.add(faults=1)
                time.sleep(random.uniform(0.1, 1.5))
                kafka.resume()
                time.sleep(random.uniform(0.0, 0.3))
        time.sleep(SURFACE_SECONDS)
        before = replay(whole, figures)
        for names, error in random.sample(unknown, min(len(unknown), 200)):
            try_once(ledger, names, figures, partial(history.resend, error, 5.0), 5.0)
        texts = replay(whole, figures)
    figures.notes.append(f"{ledger.count(Told.REFUSED)} messages refused, {len(unknown)} appends unknown")
    if texts[: len(before)] != before:
        figures.went_wrong("what was read before the resends is not the beginning of what is read after")
    ledger.judge(texts, figures, "a replay")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the files of another process")
@pytest.mark.row("full", "no room: the broker's files may not grow (RLIMIT_FSIZE)", 0.02)
def test_a_broker_without_room_loses_nothing_that_it_acknowledged(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    ledger, until, number, calls = Ledger(), time.monotonic() + row_seconds, 0, 0
    with (
        KafkaChatMessageHistory("room", kafka.bootstrap, partition=1) as history,
        KafkaChatMessageHistory("room", kafka.bootstrap, replay=True) as whole,
    ):
        while time.monotonic() < until:
            assert kafka.pid is not None
            written = number * 20_000
            room = written + random.randint(100_000, LOG_BYTES_MAX)
            resource.prlimit(kafka.pid, resource.RLIMIT_FSIZE, (room, room))
            unknown: AppendUnknown | None = None
            names: list[Name] = []
            while unknown is None:
                names = [Name("w", number, place) for place in range(3)]
                messages: list[BaseMessage] = [
                    HumanMessage(str(name), additional_kwargs={"padding": "x" * 10_000}) for name in names
                ]
                append = partial(history.add_messages, messages, LIMIT_SECONDS)
                unknown = try_once(ledger, names, figures, append, LIMIT_SECONDS)
                number, calls = number + 1, calls + 1
            figures.add(faults=1)
            kafka.restart()
            append_again = partial(history.resend, unknown, 5.0)
            try_once(ledger, names, figures, append_again, 5.0)
        ledger.judge(replay(whole, figures), figures, "a replay")
