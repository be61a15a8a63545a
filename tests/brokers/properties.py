"""What the tests tell a Kafka server: its `server.properties`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.brokers.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CONTROLLER = "CONTROLLER"

QUICK: Mapping[str, str] = {
    # Kafka's default. A client that lets the broker create what it asks for shall be caught at it.
    "auto.create.topics.enable": "true",
    "broker.heartbeat.interval.ms": "100",
    # A broker that a busy machine kept from its heartbeats is fenced, and its topics have no leader.
    "broker.session.timeout.ms": "30000",
    "group.initial.rebalance.delay.ms": "0",
    # The default, 128 MB, does not fit into the heap.
    "log.cleaner.dedupe.buffer.size": "2097152",
    "log.retention.check.interval.ms": "1000",
    "num.io.threads": "2",
    "num.network.threads": "2",
    "num.partitions": "1",
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
}

RESTARTING: Mapping[str, str] = {
    # After a kill -9 a broker cannot come back before its old registration ends: 2 s instead of 31.
    "broker.session.timeout.ms": "1000",
}

ALONE: Mapping[str, str] = {
    **QUICK,
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.replication.factor": "1",
}

REPLICATED: Mapping[str, str] = {
    **QUICK,
    # A leader's death is noticed, and another elected, in some 4 s instead of 11.
    "broker.heartbeat.interval.ms": "400",
    "broker.session.timeout.ms": "2000",
    "controller.quorum.election.timeout.ms": "300",
    "controller.quorum.fetch.timeout.ms": "600",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    # The first append to a fresh topic waits for followers that are parked: 0.1 s instead of 1.
    "replica.fetch.backoff.ms": "20",
    "replica.fetch.wait.max.ms": "20",
    "transaction.state.log.min.isr": "2",
    "transaction.state.log.replication.factor": "3",
}


def placed(
    node_id: int, ports: Mapping[str, int], voters: Mapping[int, int], log_directory: Path
) -> dict[str, str]:
    """Say who a node is and where it listens: `ports` by listener, `voters` the controller ports by node."""
    listeners = {**ports, CONTROLLER: voters[node_id]}
    first = next(iter(ports))
    return {
        "process.roles": "broker,controller",
        "node.id": str(node_id),
        "controller.quorum.voters": ",".join(f"{node}@{HOST}:{port}" for node, port in voters.items()),
        "controller.listener.names": CONTROLLER,
        "listeners": ",".join(f"{name}://{HOST}:{port}" for name, port in listeners.items()),
        "listener.security.protocol.map": ",".join(f"{name}:PLAINTEXT" for name in listeners),
        "inter.broker.listener.name": first,
        "log.dirs": str(log_directory),
    }


def render(properties: Mapping[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in properties.items())
