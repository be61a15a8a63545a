"""A broker of the tests' own, run from Kafka's jars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from tests.brokers.node import Node, new_cluster_id
from tests.brokers.ports import HOST, free_ports
from tests.brokers.process import StartError
from tests.brokers.properties import ALONE, placed
from tests.brokers.scratch import scratch_directory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.brokers.distribution import Distribution

PLAINTEXT = "PLAINTEXT"
PORT_ATTEMPTS_MAX = 3


class JarsKafka:
    """One broker. It keeps its address and its records over `kill` and `restart`, until `close`."""

    def __init__(
        self,
        distribution: Distribution,
        *,
        extra: Mapping[str, str] | None = None,
        heap: str = "128m",
        listeners: tuple[str, ...] = (PLAINTEXT,),
        advertised: Mapping[str, str] | None = None,
        format_arguments: tuple[str, ...] = (),
        jvm_options: tuple[str, ...] = (),
    ) -> None:
        """Describe a broker; nothing runs yet.

        Args:
            distribution: see `installation.installed`.
            extra: server properties, over those of `properties.ALONE`.
            heap: as Java's -Xmx; 64m is enough for a few topics.
            listeners: names; each gets a port. What is not plaintext needs `extra` to say so.
            advertised: the address that clients of a listener are told, where it is not the listener's own.
            format_arguments: for Kafka's `format` command, such as SCRAM users.
            jvm_options: for the broker.
        """
        self._distribution = distribution
        self._extra = dict(extra or {})
        self._listener_names = listeners
        self._advertised = dict(advertised or {})
        self._format_arguments = format_arguments
        self._jvm_options = (f"-Xmx{heap}", *jvm_options)
        self._directory, self._remove_directory = scratch_directory(self)
        self._node: Node | None = None
        self.listeners: Mapping[str, str] = {}

    @property
    def bootstrap(self) -> str:
        """The address of the first listener, once it was started."""
        return self.listeners[self._listener_names[0]]

    @property
    def pid(self) -> int | None:
        return None if self._node is None else self._node.pid

    def start(self) -> None:
        """Start it and wait until it is ready.

        Raises:
            StartError: with the end of the broker's log.
        """
        for attempt in range(1, PORT_ATTEMPTS_MAX + 1):
            self._node = self._new_node(attempt)
            self._node.format(new_cluster_id(), self._format_arguments)
            self._node.launch()
            try:
                self._node.wait_ready()
            except StartError as error:
                if not port_taken(error) or attempt == PORT_ATTEMPTS_MAX:
                    raise
            else:
                return

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._started().kill()

    def restart(self) -> None:
        self._started().restart()

    def pause(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        self._started().pause()

    def resume(self) -> None:
        self._started().resume()

    def stop(self) -> None:
        """End it in good order; its records stay for `restart`."""
        if self._node is not None:
            self._node.stop()

    def close(self) -> None:
        """End it and drop its records; killed, as there is nothing left to put in order."""
        if self._node is not None:
            self._node.kill()
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

    def _new_node(self, attempt: int) -> Node:
        controller_port, *ports = free_ports(1 + len(self._listener_names))
        by_name = dict(zip(self._listener_names, ports, strict=True))
        self.listeners = {name: f"{HOST}:{port}" for name, port in by_name.items()}
        directory = self._directory / f"attempt-{attempt}"
        place = placed(1, by_name, {1: controller_port}, directory / "log")
        told = {**self.listeners, **self._advertised}
        place["advertised.listeners"] = ",".join(f"{name}://{address}" for name, address in told.items())
        properties = {**ALONE, **place, **self._extra}
        return Node(self._distribution, directory, properties, jvm_options=self._jvm_options)

    def _started(self) -> Node:
        if self._node is None:
            raise RuntimeError("the broker was not started")
        return self._node


def port_taken(error: StartError) -> bool:
    return "Address already in use" in str(error)
