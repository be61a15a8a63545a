"""A broker from jars: it starts, keeps its records over a crash, hangs when told, and leaves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.brokers import Jars, Missing, choose_jars_here, open_kafka
from tests.brokers.cluster import KafkaCluster
from tests.brokers.installation import installed
from tests.brokers.jars import JarsKafka
from tests.brokers.pids import is_running
from tests.brokers.process import StartError
from tests.brokers.properties import RESTARTING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.brokers.distribution import Distribution

# The first run on a machine fetches 44 MB of jars.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

TOPIC = "conversations"
CALL_LIMIT_SECONDS = 15
PATIENT_CALL_LIMIT_SECONDS = 60
QUICK_RECONNECT = {"reconnect.backoff.ms": 20, "reconnect.backoff.max.ms": 50}
SILENT = {"log_level": 0}  # a broker that is killed is no news


@pytest.fixture(scope="module")
def jars() -> Jars:
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    return choice


@pytest.fixture(scope="module")
def distribution(jars: Jars) -> Distribution:
    return installed(jars.java)


@pytest.fixture
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution, extra=RESTARTING) as broker:
        yield broker


def client_config(bootstrap: str) -> dict[str, str | int | float | bool]:
    return {"bootstrap.servers": bootstrap, **QUICK_RECONNECT, **SILENT}


def create_topic(bootstrap: str, replicas: int = 1) -> None:
    admin = AdminClient(client_config(bootstrap))
    created = admin.create_topics([NewTopic(TOPIC, 1, replicas)], request_timeout=CALL_LIMIT_SECONDS)
    created[TOPIC].result(CALL_LIMIT_SECONDS)


def append(bootstrap: str, value: bytes, limit_seconds: float = CALL_LIMIT_SECONDS) -> None:
    errors: list[object] = []
    producer = Producer({**client_config(bootstrap), "acks": "all"})
    producer.produce(TOPIC, value, on_delivery=lambda error, _record: errors.append(error))
    producer.flush(limit_seconds)
    assert errors == [None]


def read_all(bootstrap: str, count: int) -> list[bytes | None]:
    consumer = Consumer({**client_config(bootstrap), "group.id": "test", "enable.auto.commit": False})
    try:
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        records = consumer.consume(count, timeout=CALL_LIMIT_SECONDS)
        return [record.value() for record in records]
    finally:
        consumer.close()


def answers(bootstrap: str, limit_seconds: float) -> bool:
    try:
        Producer(client_config(bootstrap)).list_topics(timeout=limit_seconds)
    except KafkaException:
        return False
    return True


def running_pid(kafka: JarsKafka) -> int:
    assert kafka.pid is not None
    return kafka.pid


def test_records_survive_a_crash_at_the_same_address(kafka: JarsKafka) -> None:
    address = kafka.bootstrap
    create_topic(address)
    append(address, b"before")
    kafka.kill()
    assert kafka.pid is None
    kafka.restart()
    assert kafka.bootstrap == address
    append(address, b"after")
    assert read_all(address, 2) == [b"before", b"after"]


def test_records_survive_a_stop(kafka: JarsKafka) -> None:
    create_topic(kafka.bootstrap)
    append(kafka.bootstrap, b"before")
    kafka.stop()
    assert kafka.pid is None
    kafka.restart()
    assert read_all(kafka.bootstrap, 1) == [b"before"]


def test_a_paused_broker_hangs_and_goes_on(kafka: JarsKafka) -> None:
    kafka.pause()
    assert kafka.pid is not None
    assert not answers(kafka.bootstrap, 0.3)
    kafka.resume()
    assert answers(kafka.bootstrap, CALL_LIMIT_SECONDS)


def test_nothing_is_left_of_a_closed_broker(
    distribution: Distribution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with JarsKafka(distribution) as kafka:
        pid = running_pid(kafka)
        assert list(tmp_path.iterdir())
    assert not is_running(pid)
    assert not list(tmp_path.iterdir())


def test_a_broker_that_cannot_start_shows_its_log_and_is_gone(
    distribution: Distribution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with (
        pytest.raises(StartError, match=r"broker\.session\.timeout\.ms"),
        JarsKafka(distribution, extra={"broker.session.timeout.ms": "never"}),
    ):
        pass
    assert not list(tmp_path.iterdir())


def test_open_kafka_runs_a_broker_from_jars(jars: Jars) -> None:
    with open_kafka(jars) as bootstrap:
        assert answers(bootstrap, CALL_LIMIT_SECONDS)
    assert not answers(bootstrap, 0.3)


def test_a_cluster_outlives_one_of_three(distribution: Distribution) -> None:
    with KafkaCluster(distribution) as cluster:
        create_topic(cluster.bootstrap, replicas=3)
        append(cluster.bootstrap, b"three")
        cluster.kill(1)
        append(cluster.bootstrap, b"two", PATIENT_CALL_LIMIT_SECONDS)
        cluster.restart(1)
        cluster.kill(2)
        append(cluster.bootstrap, b"two others", PATIENT_CALL_LIMIT_SECONDS)
        assert read_all(cluster.bootstrap, 3) == [b"three", b"two", b"two others"]
        pids = [pid for pid in cluster.pids.values() if pid is not None]
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)
