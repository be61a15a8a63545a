"""The container's settings, checked without Docker: what would be started, and that it is ended."""

from __future__ import annotations

from unittest.mock import MagicMock

import pytest
from testcontainers.community.kafka import KafkaContainer

from tests.brokers import Container, open_kafka
from tests.brokers.container import IMAGE, READY_LIMIT_SECONDS

ADDRESS = "127.0.0.1:32801"


class Recorded:
    """What a container that does not run was asked for."""

    def __init__(self) -> None:
        self.started: list[KafkaContainer] = []
        self.ready_limits_seconds: list[int] = []
        self.stopped: list[KafkaContainer] = []


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    calls = Recorded()

    def start(container: KafkaContainer, timeout: int) -> KafkaContainer:
        container.configure()  # type: ignore[no-untyped-call]
        calls.started.append(container)
        calls.ready_limits_seconds.append(timeout)
        return container

    monkeypatch.setattr("testcontainers.core.container.DockerClient", MagicMock())
    monkeypatch.setattr(KafkaContainer, "start", start)
    monkeypatch.setattr(KafkaContainer, "stop", lambda container: calls.stopped.append(container))
    monkeypatch.setattr(KafkaContainer, "get_bootstrap_server", lambda _container: ADDRESS)
    return calls


def test_one_kraft_broker_is_started_and_ended(recorded: Recorded) -> None:
    with open_kafka(Container()) as bootstrap:
        assert bootstrap == ADDRESS
        assert not recorded.stopped
    [container] = recorded.started
    assert container.image.endswith(IMAGE)
    assert container.kraft_enabled
    assert recorded.ready_limits_seconds == [READY_LIMIT_SECONDS]
    assert recorded.stopped == [container]


def test_it_is_set_up_as_the_broker_from_jars_is(recorded: Recorded) -> None:
    with open_kafka(Container()):
        pass
    [container] = recorded.started
    env = container.env
    assert env["KAFKA_PROCESS_ROLES"] == "broker,controller"
    assert env["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"
    assert env["KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS"] == "0"
    assert env["KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR"] == "1"
    assert env["KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR"] == "1"
    assert "zookeeper-server-start" not in container.boot_command


def test_one_that_is_not_ready_in_time_is_ended(recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    def never_ready(container: KafkaContainer, timeout: int) -> KafkaContainer:
        recorded.started.append(container)
        raise TimeoutError(f"not ready after {timeout} s")

    monkeypatch.setattr(KafkaContainer, "start", never_ready)
    with pytest.raises(TimeoutError), open_kafka(Container()):
        pass
    assert recorded.stopped == recorded.started
