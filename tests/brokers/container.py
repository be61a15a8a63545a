"""A broker in a container, for those who have Docker."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from testcontainers.community.kafka import KafkaContainer

if TYPE_CHECKING:
    from collections.abc import Iterator

# Confluent Platform 8.2 is Apache Kafka 4.2. The start script of `KafkaContainer` needs the layout of
# Confluent's images (/etc/confluent/docker/{bash-config,configure,launch}, owned by the image's user),
# which apache/kafka does not have. From 8.0 on there is no ZooKeeper: `with_kraft` is no option.
IMAGE = "confluentinc/cp-kafka:8.2.1"

READY_LIMIT_SECONDS = 90

# `KafkaContainer` itself sees to the offsets topic and to the rebalance delay.
SETTINGS = {
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_LOG_RETENTION_CHECK_INTERVAL_MS": "1000",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_NUM_PARTITIONS": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
}


@contextmanager
def open_container() -> Iterator[str]:
    """Run one broker; gives its address."""
    container = KafkaContainer(image=IMAGE).with_kraft()
    for name, value in SETTINGS.items():
        container.with_env(name, value)
    try:
        container.start(timeout=READY_LIMIT_SECONDS)
        yield container.get_bootstrap_server()
    finally:
        container.stop()
