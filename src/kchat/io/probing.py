"""Asks a broker for the time, by the only way there is: a record that the broker stamps itself."""

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import frozen
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message
from confluent_kafka.admin import NewTopic

from kchat.core import ReadFailed, Sealed
from kchat.core.edge import NEXT_STEPS, NEXT_STEPS_BY_CODE
from kchat.io.clients import Clients
from kchat.io.config import Config
from kchat.io.translate import broker_error

PROBE_SECONDS_MAX = 10.0
PREFIX = "kchat-doctor-"


@frozen
class Probed:
    """How far the broker's clock is ahead of this one, and how exact that is: half the time of an append."""

    skew_ms: int
    exact_ms: int


def probe_clock(config: Mapping[str, Any]) -> Probed:
    """Create a topic for a moment, append a record that the broker stamps, and delete the topic.

    Raises:
        ReadFailed: the topic could not be created, or the append was not acknowledged.
        InvalidConfig: as `KafkaLog` does.
    """
    clients = Clients(Config.of(Sealed(config)))
    topic = f"{PREFIX}{uuid.uuid4().hex[:12]}"
    try:
        return _probed(clients, topic)
    except KafkaException as failed:
        error = broker_error(failed.args[0])
        error = clients.admin().complaints.explain(error)
        raise ReadFailed(
            f"the broker's clock was not asked: {error.reason}",
            next_step=NEXT_STEPS_BY_CODE.get(error.code, NEXT_STEPS[error.kind]),
            topic=topic,
            code=error.code,
        ) from None
    finally:
        clients.close()


def _probed(clients: Clients, topic: str) -> Probed:
    admin, settings = clients.admin().handle, {"message.timestamp.type": "LogAppendTime"}
    new = NewTopic(topic, num_partitions=1, replication_factor=-1, config=settings)
    admin.create_topics([new], request_timeout=PROBE_SECONDS_MAX)[topic].result(PROBE_SECONDS_MAX)
    try:
        _stamped(clients, topic)  # the first one also connects, and waits for the leader
        return _stamped(clients, topic)
    finally:
        with suppress(KafkaException, TimeoutError):
            admin.delete_topics([topic], request_timeout=PROBE_SECONDS_MAX)[topic].result(PROBE_SECONDS_MAX)


def _stamped(clients: Clients, topic: str) -> Probed:
    reports: list[tuple[KafkaError | None, Message]] = []
    producer = clients.join_producer()
    try:
        handle, end = producer.client.handle, time.monotonic() + PROBE_SECONDS_MAX
        sent_ms = _now_ms()
        handle.produce(topic, b"", partition=0, on_delivery=lambda error, told: reports.append((error, told)))
        while not reports and time.monotonic() < end:
            handle.flush(0.1)
        arrived_ms = _now_ms()
    finally:
        clients.leave_producer(producer)
    if not reports:
        raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
    error, message = reports[0]
    if error is not None:
        raise KafkaException(error)
    kind, stamped_ms = message.timestamp()
    if kind != TIMESTAMP_LOG_APPEND_TIME:
        raise KafkaException(KafkaError(KafkaError._NOT_IMPLEMENTED))
    return Probed(round(stamped_ms - (sent_ms + arrived_ms) / 2), round((arrived_ms - sent_ms) / 2) + 1)


def _now_ms() -> float:
    return time.time_ns() / 1_000_000
