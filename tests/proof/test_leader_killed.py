"""Three brokers, three copies of each record: the session's leader is killed, or hangs, again and again."""

import asyncio
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from attrs import frozen
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kchat.conversation import Conversation
from kchat.core import AppendUnknown, KchatError, Message, TopicSettings, place
from kchat.io import AsyncKafkaLog, KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.cluster import KafkaCluster
from tests.brokers.distribution import Distribution
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name
from tests.proof.load import Seen, append_one, drain_cursor, follow_cursor, replay, running, write_turns
from tests.proof.onlookers import Watching

WRITERS = 3
OFFSETS_TOPIC = "__consumer_offsets"
SHARED_GROUP = "together"
ELECTION_SECONDS_MAX = 30.0
REPLAY_SECONDS_MAX = 60.0
SETTLE_SECONDS_MAX = 15.0
READ_AGAIN_SECONDS_MAX = 25.0
"""How long reads may fail beside a hanging broker: well below the 60 s after which librdkafka gives it up."""


@pytest.fixture(scope="module")
def cluster(distribution: Distribution) -> Iterator[KafkaCluster]:
    with KafkaCluster(distribution) as cluster:
        yield cluster


@frozen
class Leaders:
    """Who leads what, as the brokers that live say it."""

    admin: AdminClient

    def of(self, topic: str, partition: int, not_among: frozenset[int] = frozenset()) -> int | None:
        """The leader; while one is elected, wait for it. None: on a slow machine that may take too long."""
        end = time.monotonic() + ELECTION_SECONDS_MAX
        while time.monotonic() < end:
            with suppress(KafkaException, KeyError):
                found = self.admin.list_topics(topic, timeout=1.0).topics[topic].partitions[partition].leader
                if found > 0 and found not in not_among:
                    return int(found)
            time.sleep(0.05)
        return None


@frozen
class Loaded:
    """A session under load, and where its records are."""

    leaders: Leaders
    topic: str
    partition: int
    until: float
    whole: KafkaChatMessageHistory

    def leader(self, not_among: frozenset[int] = frozenset()) -> int | None:
        return self.leaders.of(self.topic, self.partition, not_among)

    def coordinator(self) -> int | None:
        """Who keeps the cursor: the leader of the offsets topic's one partition."""
        return self.leaders.of(OFFSETS_TOPIC, 0)

    def read_without(self, hanging: int, figures: Figures) -> None:
        """Reads go on with the new leader while the old one hangs: its connections are given up."""
        if self.leader(frozenset({hanging})) is None:
            figures.notes.append(f"no other leader within {ELECTION_SECONDS_MAX:g} s")
            return
        end = time.monotonic() + READ_AGAIN_SECONDS_MAX
        while time.monotonic() < end:
            if can_read(self.whole, figures):
                return
        fresh = {"client.id": "fresh"}  # other settings, so connections of its own
        with KafkaChatMessageHistory(
            self.whole.session_id, self.whole.bootstrap_servers, replay=True, config=fresh
        ) as other:
            if not can_read(other, figures):
                figures.notes.append("the brokers let nobody read for a while, although there was a leader")
            elif not can_read(self.whole, figures):
                figures.add(hangs=1)
                figures.went_wrong("reads wait for the broker that hangs, although another leads")


def can_read(whole: KafkaChatMessageHistory, figures: Figures) -> bool:
    with suppress(KchatError), figures.call(REPLAY_SECONDS_MAX):
        _ = whole.messages
        return True
    return False


def settle(whole: KafkaChatMessageHistory, ledger: Ledger, figures: Figures) -> None:
    """Let a broker that woke learn that another leads: until then it lists an old end to who asks it.

    What is lost stays away for all of the time, and is counted then.
    """
    end, old = time.monotonic() + SETTLE_SECONDS_MAX, 0
    while ledger.misses(replay(whole, figures)) and time.monotonic() < end:
        old += 1
        time.sleep(0.2)
    if old:
        figures.notes.append(f"{old} replays after the faults ended at an old end")


@contextmanager
def loaded(session: str, cluster: KafkaCluster, figures: Figures, seconds: float) -> Iterator[Loaded]:
    """Writers and a cursor's reader on a session of three copies; judged when the body's faults are over."""
    ledger, seen = Ledger(), Seen()
    with (
        KafkaChatMessageHistory(session, cluster.bootstrap, replication_factor=3) as history,
        KafkaChatMessageHistory(session, cluster.bootstrap, replay=True) as whole,
    ):
        append_one(history, ledger, [Name("first", 0, 0)], figures)
        assert len(whole.messages) == 1
        assert whole.last_outcome is not None
        partition = whole.last_outcome.progress.deliveries[0].partition
        history.messages_from_last_consumed(0)  # moves nothing; the next one creates the offsets topic
        follow_cursor(history, seen, figures, time.monotonic() + 0.1)
        until = time.monotonic() + seconds
        # A broker that hangs must not keep this client from asking another.
        admin = AdminClient({"bootstrap.servers": cluster.bootstrap, "socket.timeout.ms": 1_000})
        writers = [
            partial(write_turns, history, ledger, f"w{n}", figures, until, pause_seconds=0.001)
            for n in range(WRITERS)
        ]
        with running(figures, *writers, partial(follow_cursor, history, seen, figures, until)):
            yield Loaded(Leaders(admin), place(session).topic, partition, until, whole)
        settle(whole, ledger, figures)
        drain_cursor(history, seen, figures)
        ledger.judge(replay(whole, figures), figures, "a replay")
        ledger.judge(seen, figures, "the cursor")


@pytest.mark.row("leader killed", "kill -9 of the leader or the coordinator of 3, restart", 0.08)
def test_a_leader_that_is_killed_again_and_again_loses_nothing(
    cluster: KafkaCluster, figures: Figures, row_seconds: float
) -> None:
    with loaded("killed", cluster, figures, row_seconds) as load:
        while time.monotonic() < load.until:
            time.sleep(random.uniform(0.1, 1.0))
            victim = load.coordinator() if figures.faults % 3 == 2 else load.leader()
            if victim is None:
                continue
            cluster.kill(victim)
            figures.add(faults=1)
            time.sleep(random.choice([0.0, random.uniform(0.0, 6.0)]))
            cluster.restart(victim)


@pytest.mark.row("leader killed", "two leaders killed one after the other: fewer than min ISR", 0.04)
def test_two_leaders_killed_one_after_the_other_lose_nothing(
    cluster: KafkaCluster, figures: Figures, row_seconds: float
) -> None:
    with loaded("killed twice", cluster, figures, row_seconds) as load:
        while time.monotonic() < load.until:
            time.sleep(random.uniform(0.1, 1.0))
            killed: list[int] = []
            while len(killed) < 2 and (victim := load.leader(frozenset(killed))) is not None:
                cluster.kill(victim)
                killed.append(victim)
                time.sleep(random.uniform(0.0, 1.0))
            figures.add(faults=len(killed))
            for node_id in random.sample(killed, len(killed)):
                cluster.restart(node_id)


@pytest.mark.row("leader killed", "the leader hangs (SIGSTOP), another is elected, it wakes", 0.04)
def test_a_leader_that_hangs_and_wakes_as_one_no_more_loses_nothing(
    cluster: KafkaCluster, figures: Figures, row_seconds: float
) -> None:
    one = {"bootstrap.servers": cluster.bootstrap}
    with (
        KafkaLog(one) as log,
        KafkaLog(one | {"client.id": "other"}) as other,
        loaded("hanging", cluster, figures, row_seconds) as load,
    ):
        readers = [Watching(log, "hanging"), Watching(other, "hanging")]
        # The first message is read now: it must not come again.
        readers[0].share(SHARED_GROUP, time.monotonic() + 0.2, figures)
        before = list(readers[0].seen)
        with running(figures, *[partial(r.share, SHARED_GROUP, load.until, figures) for r in readers]):
            while time.monotonic() < load.until:
                time.sleep(random.uniform(0.1, 1.0))
                hang_for_a_while(cluster, load, figures)
        readers[1].drain(SHARED_GROUP, figures)
        seen = [text for reader in readers for text in reader.seen]
        figures.add(lost=len(set(replay(load.whole, figures)) - set(seen)))
        if seen.count(before[0]) > 1:
            figures.went_wrong("a cursor that two share was set back to the beginning")


def hang_for_a_while(cluster: KafkaCluster, load: Loaded, figures: Figures) -> None:
    """The session's leader hangs; it wakes, and does not know at once that another leads."""
    victim = load.leader()
    if victim is None:
        return
    cluster.pause(victim)
    figures.add(faults=1)
    try:
        time.sleep(random.uniform(0.2, 3.5))
        if random.random() < 0.5:
            load.read_without(victim, figures)
    finally:
        cluster.resume(victim)


FOLLOWED_SECONDS_MAX = 90.0
TURNS_EACH = 15


def numbered(begin: int) -> list[str]:
    return [f"message {number}" for number in range(begin, begin + TURNS_EACH)]


def say(talk: Conversation[Message], told: list[str]) -> None:
    """Append one by one, each until it is acknowledged, with an election in between."""
    for text in told:
        try:
            talk.append([Message("human", {"content": text})], FOLLOWED_SECONDS_MAX)
        except AppendUnknown as error:
            talk.resend(error, FOLLOWED_SECONDS_MAX)


def test_followers_of_both_faces_miss_nothing_when_the_leader_changes(cluster: KafkaCluster) -> None:
    """Twice: the leader dies, and then the one that followed it. No gap, no double, and they end in time."""
    servers, session = {"bootstrap.servers": cluster.bootstrap}, "followed"
    told = [text for part in range(3) for text in numbered(part * TURNS_EACH)]

    def follow() -> list[str]:
        with KafkaLog(servers) as log:
            following = log.conversation(session).follow(
                messages_max=len(told), seconds_max=FOLLOWED_SECONDS_MAX, wait_for_session=True
            )
            return [entry.message.text for entry in following]

    async def afollow() -> list[str]:
        async with AsyncKafkaLog(servers) as log:
            following = log.conversation(session).follow(
                messages_max=len(told), seconds_max=FOLLOWED_SECONDS_MAX, wait_for_session=True
            )
            return [entry.message.text async for entry in following]

    leaders = Leaders(AdminClient({**servers, "socket.timeout.ms": 1_000}))
    with ThreadPoolExecutor(2) as threads, KafkaLog(servers) as log:
        heard = [threads.submit(follow), threads.submit(lambda: asyncio.run(afollow()))]
        talk = log.conversation(session, settings=TopicSettings(partitions=1, replication_factor=3))
        say(talk, numbered(0))
        for part in (1, 2):
            victim = leaders.of(session, 0)
            assert victim is not None
            cluster.kill(victim)
            say(talk, numbered(part * TURNS_EACH))
            assert leaders.of(session, 0, frozenset({victim})) is not None, "another one led"
            cluster.restart(victim)
        for each in heard:
            assert each.result(FOLLOWED_SECONDS_MAX) == told
