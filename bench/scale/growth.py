"""The arithmetic of many sessions: assumptions with names, and what follows from them step by step."""

import math
from collections.abc import Sequence

from attrs import evolve, fields, frozen

SECONDS_PER_HOUR = 3_600
MB = 1_000_000
GB = 1_000_000_000
CONNECTIONS_PER_CONSUMER = 2
CONNECTIONS_OF_PRODUCER_AND_ADMIN = 2
MESSAGES_PER_TURN = 2


@frozen(kw_only=True)
class Assumptions:
    """What is assumed; each can be changed with `--assume name=value`.

    Attributes:
        sessions_per_day: new ones.
        retention_days: how long a session is kept.
        messages_per_session: in the end.
        bytes_per_message: on one replica.
        active_share: of the kept sessions, how many are talking in the busiest hour.
        seconds_per_turn: between two turns of a session that is talking.
        cold_share: of the reads, how many begin at the beginning, with nothing of the session in memory.
        replicas: of each partition.
        replicas_per_broker: the guidance that KIP-578 repeats.
        partitions_per_cluster: the same.
        broker_disk_gb: what a broker may hold.
        broker_mb_per_second: what a broker may send to readers.
        turns_per_program: turns a second that one process of the application takes.
        readers_per_program: consumers of one process (`READERS_MAX` of kchat.io).
        read_ms: of a read of a short conversation that others do not share.
        records_per_second: that a read passes over in a shared topic.
    """

    sessions_per_day: float = 1_000_000
    retention_days: float = 10
    messages_per_session: float = 40
    bytes_per_message: float = 430
    active_share: float = 0.01
    seconds_per_turn: float = 60
    cold_share: float = 0.05
    replicas: float = 3
    replicas_per_broker: float = 4_000
    partitions_per_cluster: float = 200_000
    broker_disk_gb: float = 2_000
    broker_mb_per_second: float = 100
    turns_per_program: float = 50
    readers_per_program: float = 8
    read_ms: float = 5
    records_per_second: float = 100_000


@frozen(kw_only=True)
class Step:
    """One line of the arithmetic: what, how, how much."""

    what: str
    how: str
    value: float
    unit: str = ""


@frozen(kw_only=True)
class Layout:
    """What a cluster needs where so many sessions share a topic of one partition.

    Attributes:
        sessions_per_topic: 1 is kchat's way.
        topics: of one partition each.
        replicas: of all of them.
        clusters: that the guidance asks for.
        brokers_for_replicas: one for each replica of a partition.
        brokers_for_partitions: that the guidance asks for.
        brokers_for_disk: that the bytes ask for.
        brokers_for_reads: that the cold reads ask for.
        records_per_topic: that a cold read passes over.
        cold_read_seconds: how long it takes.
        records_between_turns: of others, between two turns of a session: a read that goes on behind an
            earlier one passes over them.
        cold_mb_per_second: what all of them ask of the brokers.
    """

    sessions_per_topic: int
    topics: int
    replicas: int
    clusters: int
    brokers_for_replicas: int
    brokers_for_partitions: int
    brokers_for_disk: int
    brokers_for_reads: int
    records_per_topic: float
    cold_read_seconds: float
    records_between_turns: float
    cold_mb_per_second: float

    @property
    def brokers(self) -> int:
        """As many as the neediest of the reasons wants."""
        needs = (self.brokers_for_partitions, self.brokers_for_disk, self.brokers_for_reads)
        return max(self.brokers_for_replicas, *needs)


def kept_sessions(assumed: Assumptions) -> float:
    """Those that are in the log at the same time."""
    return assumed.sessions_per_day * assumed.retention_days


def turns_per_second(assumed: Assumptions) -> float:
    """In the busiest hour."""
    return kept_sessions(assumed) * assumed.active_share / assumed.seconds_per_turn


def stored_bytes(assumed: Assumptions) -> float:
    """On one replica."""
    return kept_sessions(assumed) * assumed.messages_per_session * assumed.bytes_per_message


def programs(assumed: Assumptions) -> int:
    """Processes of the application."""
    return math.ceil(turns_per_second(assumed) / assumed.turns_per_program)


def connections_per_broker(assumed: Assumptions) -> float:
    """At most: each process with all its consumers, its producer and its admin client."""
    consumers = assumed.readers_per_program * CONNECTIONS_PER_CONSUMER
    return programs(assumed) * (consumers + CONNECTIONS_OF_PRODUCER_AND_ADMIN)


def steps(assumed: Assumptions) -> list[Step]:
    """What holds however the sessions are laid out."""
    kept, turns, stored = kept_sessions(assumed), turns_per_second(assumed), stored_bytes(assumed)
    active = kept * assumed.active_share
    written = turns * MESSAGES_PER_TURN * assumed.bytes_per_message / MB
    return [
        Step(what="sessions kept", how="sessions_per_day x retention_days", value=kept),
        Step(what="sessions talking", how="kept x active_share", value=active),
        Step(what="turns a second", how="talking / seconds_per_turn", value=turns),
        Step(what="appends a second", how="one a turn, of 2 messages", value=turns),
        Step(what="reads a second", how="one a turn", value=turns),
        Step(what="cold reads a second", how="reads x cold_share", value=turns * assumed.cold_share),
        Step(what="written", how="turns x 2 x bytes_per_message", value=written, unit="MB/s"),
        Step(
            what="stored, one replica",
            how="kept x messages_per_session x bytes_per_message",
            value=stored / GB,
            unit="GB",
        ),
        Step(what="stored", how="one replica x replicas", value=stored * assumed.replicas / GB, unit="GB"),
        Step(what="processes", how="turns / turns_per_program", value=programs(assumed)),
        Step(what="consumers", how="processes x readers_per_program", value=_consumers(assumed)),
        Step(
            what="connections of a broker, at most",
            how="processes x (readers_per_program x 2 + 2)",
            value=connections_per_broker(assumed),
        ),
    ]


def layout(assumed: Assumptions, sessions_per_topic: int) -> Layout:
    """What so many sessions in each topic of one partition ask for."""
    topics = math.ceil(kept_sessions(assumed) / sessions_per_topic)
    replicas = math.ceil(topics * assumed.replicas)
    records = sessions_per_topic * assumed.messages_per_session
    own = assumed.messages_per_session
    cold_seconds = assumed.read_ms / 1_000 + (records - own) / assumed.records_per_second
    cold_reads = turns_per_second(assumed) * assumed.cold_share
    cold_mb = cold_reads * records * assumed.bytes_per_message / MB
    disk = stored_bytes(assumed) * assumed.replicas / GB
    return Layout(
        sessions_per_topic=sessions_per_topic,
        topics=topics,
        replicas=replicas,
        clusters=math.ceil(topics / assumed.partitions_per_cluster),
        brokers_for_replicas=math.ceil(assumed.replicas),
        brokers_for_partitions=math.ceil(replicas / assumed.replicas_per_broker),
        brokers_for_disk=math.ceil(disk / assumed.broker_disk_gb),
        brokers_for_reads=math.ceil(cold_mb / assumed.broker_mb_per_second),
        records_per_topic=records,
        cold_read_seconds=cold_seconds,
        records_between_turns=(sessions_per_topic - 1) * assumed.active_share * MESSAGES_PER_TURN,
        cold_mb_per_second=cold_mb,
    )


def changed(assumed: Assumptions, changes: Sequence[str]) -> Assumptions:
    """With "name=value" for some of them.

    Raises:
        ValueError: there is no such assumption, or the value is no number above zero.
    """
    names = {attribute.name for attribute in fields(Assumptions)}
    for change in changes:
        name, _, text = change.partition("=")
        if name not in names:
            raise ValueError(f"{name!r} is none of {', '.join(sorted(names))}")
        value = float(text)
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be a number above zero, not {text}")
        assumed = evolve(assumed, **{name: value})
    return assumed


def _consumers(assumed: Assumptions) -> float:
    return programs(assumed) * assumed.readers_per_program
