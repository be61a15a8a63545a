"""Which permission a denied command lacked: the broker says only that some access list said no."""

from attrs import evolve

from kchat.core import (
    BrokerError,
    Command,
    CommitOffsets,
    CreateTopic,
    DeleteGroup,
    DeleteRecords,
    DeleteTopic,
    DescribeTopic,
    Fetch,
    FetchCommitted,
    ListOffsets,
    Produce,
)

DENIALS = frozenset(
    {"TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED"}
)
"""The codes with which an access list says no."""


def naming_permission(command: Command, error: BrokerError) -> BrokerError:
    """The error with what this command needs, if it is a denial; else as it is."""
    return needing(error, _needed(command, error.code))


def needing(error: BrokerError, needed: str) -> BrokerError:
    """The error with what was needed, if it is a denial; else as it is."""
    if error.code not in DENIALS:
        return error
    return evolve(error, reason=f"this user needs {needed} ({error.reason})")


def reading(topic: str) -> str:
    """What it takes to read records of a topic."""
    return f"Read on topic {topic!a}"


def seeing(topic: str) -> str:
    """What it takes to know of a topic."""
    return f"Describe on topic {topic!a}, which Read, Write and Delete bring along"


def _needed(command: Command, code: str) -> str:
    match command, code:
        case Produce(topic=topic), "CLUSTER_AUTHORIZATION_FAILED":
            # Who may write to no topic at all gets no producer id.
            return f"Write on topic {topic!a}; before Kafka 3.0, IdempotentWrite on the cluster too"
        case Produce(topic=topic), _:
            return f"Write on topic {topic!a}"
        case CreateTopic(topic=topic), _:
            return f"Create on topic {topic!a}, or on the cluster"
        case DeleteTopic(topic=topic), _:
            return f"Delete on topic {topic!a}"
        case DeleteRecords(topic=topic), _:
            return f"Delete on topic {topic!a}"
        case DeleteGroup(group=group), _:
            return f"Delete on group {group!a}"
        case ((FetchCommitted(group=group) | CommitOffsets(group=group)), "GROUP_AUTHORIZATION_FAILED"):
            return f"Read on group {group!a}"
        case ((CommitOffsets(topic=topic) | Fetch(topic=topic)), _):
            return reading(topic)
        case ((DescribeTopic(topic=topic) | ListOffsets(topic=topic) | FetchCommitted(topic=topic)), _):
            return seeing(topic)
        case _:
            return "more than its access lists allow"
