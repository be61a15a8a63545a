"""An in-process Kafka for trying things out: librdkafka's own mock cluster.

Real client, real wire protocol, a broker in memory. What it holds is gone with it, a partition keeps at most
5 MB, and it has no CreateTopics, DeleteTopics or topic ids (docs/adr/0007-what-the-mock-is-for.md).
"""

from types import TracebackType
from typing import Any, Self

from confluent_kafka import Producer

from kchat.core import Closed
from kchat.io.capabilities import MOCK_CLUSTER
from kchat.io.log import KafkaLog

START_SECONDS_MAX = 5.0


class EmbeddedKafka:
    """A mock cluster of one broker, alive until it is closed. Starting it takes about 50 ms.

    Attributes:
        bootstrap_servers: its address on the loopback interface, for any Kafka client of this machine.
    """

    def __init__(self) -> None:
        # The client wants an address and does not use it.
        properties = {"test.mock.num.brokers": 1, "bootstrap.servers": "embedded", "log_level": 3}
        self._host: Producer | None = Producer(properties)
        brokers = self._host.list_topics(timeout=START_SECONDS_MAX).brokers.values()
        self.bootstrap_servers: str = ",".join(f"{broker.host}:{broker.port}" for broker in brokers)

    def log(self, **properties: Any) -> KafkaLog:
        """A log on this cluster that knows what the cluster cannot do. The caller closes it."""
        if self._host is None:
            raise Closed("the embedded Kafka was closed", next_step="start a new one")
        config = {**properties, "bootstrap.servers": self.bootstrap_servers}
        return KafkaLog(config, capabilities=MOCK_CLUSTER)

    def close(self) -> None:
        """Stop the cluster; everything in it is gone. A second call does nothing."""
        host, self._host = self._host, None
        if host is not None:
            host.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
