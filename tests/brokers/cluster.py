"""Brokers that replicate each other's records, run from Kafka's jars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tests.brokers.jars import PLAINTEXT, PORT_ATTEMPTS_MAX, port_taken
from tests.brokers.node import Node, new_cluster_id
from tests.brokers.ports import HOST, free_ports
from tests.brokers.process import StartError
from tests.brokers.properties import REPLICATED, placed
from tests.brokers.scratch import scratch_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.brokers.distribution import Distribution

READY_LIMIT_SECONDS = 60.0


class KafkaCluster:
    """Nodes 1 to n (three or more), each a broker and a controller.

    Three copies of each record, and none is acknowledged before two have it.
    """

    def __init__(
        self,
        distribution: Distribution,
        n: int = 3,
        *,
        extra: Mapping[str, str] | None = None,
        heap: str = "160m",
    ) -> None:
        self._distribution = distribution
        self._n = n
        self._extra = dict(extra or {})
        self._jvm_options = (f"-Xmx{heap}",)
        self._directory, self._remove_directory = scratch_directory(self)
        self._nodes: dict[int, Node] = {}
        self.addresses: Mapping[int, str] = {}

    @property
    def bootstrap(self) -> str:
        """The addresses of all nodes."""
        return ",".join(self.addresses.values())

    @property
    def pids(self) -> dict[int, int | None]:
        return {node_id: node.pid for node_id, node in self._nodes.items()}

    def start(self) -> None:
        """Start all nodes and wait until they are ready.

        Raises:
            StartError: with the end of the log of the node that failed.
        """
        for attempt in range(1, PORT_ATTEMPTS_MAX + 1):
            self._nodes = self._new_nodes(attempt)
            try:
                self._start_nodes()
            except StartError as error:
                self.stop()
                if not port_taken(error) or attempt == PORT_ATTEMPTS_MAX:
                    raise
            else:
                return

    def kill(self, node_id: int) -> None:
        """End a node as a crash would (SIGKILL)."""
        self._nodes[node_id].kill()

    def restart(self, node_id: int) -> None:
        self._nodes[node_id].restart()

    def pause(self, node_id: int) -> None:
        """Let a node hang: connections stay open, nothing is answered."""
        self._nodes[node_id].pause()

    def resume(self, node_id: int) -> None:
        self._nodes[node_id].resume()

    def stop(self) -> None:
        """End all nodes.

        Killed: in good order the last one would wait in vain for a majority that is gone.
        """
        for node in self._nodes.values():
            node.kill()

    def close(self) -> None:
        """End all nodes and drop their records."""
        self.stop()
        self._remove_directory()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _start_nodes(self) -> None:
        cluster_id = new_cluster_id()
        for node in self._nodes.values():
            node.format(cluster_id)
            node.launch()
        for node in self._nodes.values():  # none is ready before a majority runs
            node.wait_ready(READY_LIMIT_SECONDS)

    def _new_nodes(self, attempt: int) -> dict[int, Node]:
        node_ids = range(1, self._n + 1)
        ports = free_ports(2 * self._n)
        voters = dict(zip(node_ids, ports[: self._n], strict=True))
        clients = dict(zip(node_ids, ports[self._n :], strict=True))
        self.addresses = {node_id: f"{HOST}:{port}" for node_id, port in clients.items()}
        return {node_id: self._new_node(attempt, node_id, clients[node_id], voters) for node_id in node_ids}

    def _new_node(self, attempt: int, node_id: int, port: int, voters: Mapping[int, int]) -> Node:
        directory = self._directory / f"attempt-{attempt}-node-{node_id}"
        place = placed(node_id, {PLAINTEXT: port}, voters, directory / "log")
        properties = {**REPLICATED, **place, **self._extra}
        return Node(self._distribution, directory, properties, jvm_options=self._jvm_options)
