"""Topics and clusters as their descriptions have them."""

from collections.abc import Iterable
from typing import Any

from attrs import frozen
from confluent_kafka.admin import AclOperation  # documented, but not in its __all__


@frozen(kw_only=True)
class TopicShape:
    """One topic as its description has it. `operations` is what this user may do; None: not told."""

    partitions: int
    replicas_min: int
    in_sync_min: int
    operations: frozenset[str] | None


@frozen(kw_only=True)
class ClusterShape:
    """The cluster as its description has it."""

    cluster_id: str | None
    brokers: tuple[int, ...]
    operations: frozenset[str] | None


def topic_shape(description: Any) -> TopicShape:
    """Of a description as the client gives it."""
    partitions = description.partitions
    return TopicShape(
        partitions=len(partitions),
        replicas_min=min((len(partition.replicas) for partition in partitions), default=0),
        in_sync_min=min((len(partition.isr) for partition in partitions), default=0),
        operations=operations_of(description.authorized_operations),
    )


def cluster_shape(description: Any) -> ClusterShape:
    """Of a description as the client gives it."""
    return ClusterShape(
        cluster_id=description.cluster_id,
        brokers=tuple(sorted(node.id for node in description.nodes)),
        operations=operations_of(description.authorized_operations),
    )


def operations_of(told: Iterable[AclOperation] | None) -> frozenset[str] | None:
    """The names of the operations that are allowed; None where they are not told."""
    return None if told is None else frozenset(operation.name for operation in told)
