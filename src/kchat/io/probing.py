"""Asks a broker for the time, by the only way there is: a record that the broker stamps itself."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from attrs import evolve, frozen
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, KafkaError, KafkaException, Message
from confluent_kafka.admin import NewTopic

from kchat.core import BrokerError, ErrorKind, ReadFailed, Sealed
from kchat.core.edge import NEXT_STEPS, NEXT_STEPS_BY_CODE
from kchat.io.asked import Asked
from kchat.io.clients import Clients
from kchat.io.config import Config
from kchat.io.failing import FailedError
from kchat.io.translate import broker_error

PROBE_SECONDS_MAX = 10.0
"""How long each step may take: to create the topic, to append, to delete the topic."""

MARGIN_SECONDS = 1.0
"""How long an answer is waited for beyond that: the client's own error says more than silence."""

PREFIX = "kchat-doctor-"


@frozen
class Probed:
    """How far the broker's clock is ahead of this one, and how exact that is: half the time of an append.

    `left` is the topic of the probe, where it may still be there: its deletion was not acknowledged.
    """

    skew_ms: int
    exact_ms: int
    left: str | None = None


def probe_clock(config: Mapping[str, Any]) -> Probed:
    """Create a topic for a moment, append a record that the broker stamps, and delete the topic.

    Raises:
        ReadFailed: the topic could not be created, or the append was not acknowledged; its next step
            names the topic where that may be left behind.
        InvalidConfig: as `KafkaLog` does.
    """
    clients = Clients(Config.of(Sealed(config)))
    topic = f"{PREFIX}{uuid.uuid4().hex[:12]}"
    try:
        error = _asked(lambda seconds: _created(clients, topic, seconds))
        if error is not None:
            # What was not answered may be done yet, also behind a deletion that was sent now.
            raise _failed(clients, topic, error, left=error.kind not in NOTHING_DONE)
        try:
            probed = _probed(clients, topic)
        finally:  # after Ctrl-C too
            error = _asked(lambda seconds: _deleted(clients, topic, seconds))
        left = error is not None and error.kind is not ErrorKind.UNKNOWN_TOPIC
        if isinstance(probed, BrokerError):
            raise _failed(clients, topic, probed, left=left)
        return evolve(probed, left=topic if left else None)
    finally:
        clients.close()


NOTHING_DONE = frozenset({ErrorKind.DENIED, ErrorKind.REJECTED, ErrorKind.UNSUPPORTED})


def mend_left(topic: str) -> str:
    """What to do about a topic that a probe may have left behind."""
    return f"look for the topic {topic}, which may be left behind, and delete it: kafka-topics --delete"


def _asked(ask: Callable[[float], object]) -> BrokerError | None:
    """Make a request of the admin client; None where it is done."""
    asked = Asked(ask)
    asked.start(PROBE_SECONDS_MAX)
    try:
        asked.result(PROBE_SECONDS_MAX + 2 * MARGIN_SECONDS)
    except FailedError as failed:
        return failed.error
    except KafkaException as failed:
        return broker_error(failed.args[0])
    return None


def _created(clients: Clients, topic: str, seconds: float) -> None:
    new = NewTopic(
        topic, num_partitions=1, replication_factor=-1, config={"message.timestamp.type": "LogAppendTime"}
    )
    futures = clients.admin().handle.create_topics([new], request_timeout=seconds)
    futures[topic].result(seconds + MARGIN_SECONDS)


def _deleted(clients: Clients, topic: str, seconds: float) -> None:
    futures = clients.admin().handle.delete_topics([topic], request_timeout=seconds)
    futures[topic].result(seconds + MARGIN_SECONDS)


def _failed(clients: Clients, topic: str, error: BrokerError, *, left: bool) -> ReadFailed:
    """The error with the cause that the client told on the way."""
    clients.serve_admin()
    cause = clients.admin().complaints.explain(error)
    step = NEXT_STEPS_BY_CODE.get(cause.code, NEXT_STEPS[cause.kind])
    return ReadFailed(
        f"the broker's clock was not asked: {cause.reason}",
        next_step=f"{step}; {mend_left(topic)}" if left else step,
        topic=topic,
        code=cause.code,
    )


def _probed(clients: Clients, topic: str) -> Probed | BrokerError:
    try:
        _stamped(clients, topic)  # the first one also connects, and waits for the leader
        return _stamped(clients, topic)
    except KafkaException as failed:
        return broker_error(failed.args[0])


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
