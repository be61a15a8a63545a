"""The settings of a topic that endanger the conversation in it, each with its mend. Pure."""

from collections.abc import Callable, Mapping
from enum import Enum, unique

from attrs import frozen


@unique
class Level(Enum):
    """How bad it is. Warnings and errors make the exit code 1."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@frozen(kw_only=True)
class TopicFacts:
    """What is known of one session's topic; None where it was not told."""

    settings: Mapping[str, str] | None
    replicas: int | None
    in_sync: int | None
    operations: frozenset[str] | None
    last_ms: int | None


@frozen
class Rule:
    """One danger: what is said of the topics that are in it, and what mends it."""

    name: str
    level: Level
    text: str
    mend: str
    is_broken_by: Callable[[TopicFacts], bool]


SHORT_RETENTION_MS = 86_400_000


def setting(facts: TopicFacts, name: str) -> str | None:
    """A setting by Kafka's name; None where it was not told."""
    return None if facts.settings is None else facts.settings.get(name)


def number(facts: TopicFacts, name: str, default: int) -> int:
    """The same as a number."""
    value = setting(facts, name)
    return int(value) if value is not None and value.lstrip("-").isdigit() else default


LOOKED_AT = (
    "cleanup.policy",
    "min.insync.replicas",
    "retention.bytes",
    "retention.ms",
    "unclean.leader.election.enable",
)
"""The settings that the rules go by."""


def untold(facts: TopicFacts) -> frozenset[str]:
    """What the rules could not see of a topic: its settings or a part of them, its replicas."""
    settings = any(setting(facts, name) is None for name in LOOKED_AT)
    replicas = facts.replicas is None or facts.in_sync is None
    return frozenset(name for name, lacking in (("settings", settings), ("replicas", replicas)) if lacking)


def _min_in_sync(facts: TopicFacts) -> int:
    return number(facts, "min.insync.replicas", 1)


RULES: tuple[Rule, ...] = (
    Rule(
        "replication",
        Level.WARNING,
        "one replica: the messages are lost with one disk",
        "raise the replicas to 3 with kafka-reassign-partitions; create with replication_factor=3",
        lambda facts: facts.replicas == 1,
    ),
    Rule(
        "replication",
        Level.ERROR,
        "fewer replicas are in sync than min.insync.replicas wants: every append is refused",
        "bring the brokers back that have the other replicas",
        lambda facts: facts.in_sync is not None and facts.in_sync < _min_in_sync(facts),
    ),
    Rule(
        "replication",
        Level.WARNING,
        "a replica is not in sync",
        "look at the broker that has it",
        lambda facts: (
            None not in (facts.in_sync, facts.replicas) and (facts.in_sync or 0) < (facts.replicas or 0)
        ),
    ),
    Rule(
        "min.insync.replicas",
        Level.WARNING,
        "min.insync.replicas=1: what one broker alone acknowledged can be lost with it",
        "kafka-configs --alter --add-config min.insync.replicas=2, with three replicas",
        lambda facts: (
            setting(facts, "min.insync.replicas") is not None
            and (facts.replicas or 0) > 1
            and _min_in_sync(facts) < 2
        ),
    ),
    Rule(
        "compaction",
        Level.ERROR,
        "cleanup.policy=compact: all messages but the last go, for they share their key",
        "kafka-configs --alter --add-config cleanup.policy=delete",
        lambda facts: "compact" in (setting(facts, "cleanup.policy") or ""),
    ),
    Rule(
        "retention",
        Level.WARNING,
        "messages are kept for less than a day",
        "kafka-configs --alter --add-config retention.ms=604800000, or -1 for ever",
        lambda facts: 0 <= number(facts, "retention.ms", -1) < SHORT_RETENTION_MS,
    ),
    Rule(
        "retention",
        Level.WARNING,
        "retention.bytes: a long conversation loses its beginning, whatever its age",
        "kafka-configs --alter --add-config retention.bytes=-1",
        lambda facts: number(facts, "retention.bytes", -1) >= 0,
    ),
    Rule(
        "elections",
        Level.WARNING,
        "unclean.leader.election.enable: a replica that lacks acknowledged messages may lead",
        "kafka-configs --alter --add-config unclean.leader.election.enable=false",
        lambda facts: setting(facts, "unclean.leader.election.enable") == "true",
    ),
)
