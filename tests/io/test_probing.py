"""The broker's clock, and what a probe leaves behind where the broker hangs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kchat.core import ReadFailed
from kchat.io import probing
from kchat.io.probing import PREFIX, Probed, mend_left, probe_clock
from kchat.io.survey import Survey
from tests.brokers import Missing, choose_jars_here
from tests.brokers.installation import installed
from tests.brokers.jars import JarsKafka

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kchat.io.clients import Clients


@pytest.mark.kafka
def test_the_probe_tells_the_brokers_clock_and_leaves_nothing(kafka: str) -> None:
    probed = probe_clock({"bootstrap.servers": kafka})
    assert abs(probed.skew_ms) <= probed.exact_ms + 50  # one machine, one clock
    with Survey({"bootstrap.servers": kafka}) as survey:
        end = time.monotonic() + 5
        while (left := [t for t in survey.topics() if t.startswith(PREFIX)]) and time.monotonic() < end:
            time.sleep(0.05)
    assert left == []


@pytest.fixture(scope="module")
def broker() -> Iterator[JarsKafka]:
    """A broker of this module's own: it hangs here."""
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with JarsKafka(installed(choice.java)) as broker:
        yield broker


@pytest.fixture
def hanging(broker: JarsKafka) -> Iterator[JarsKafka]:
    """The same; it goes on after the test."""
    yield broker
    broker.resume()


def failing_within(seconds: float, broker: JarsKafka) -> ReadFailed:
    begun = time.monotonic()
    with pytest.raises(ReadFailed) as raised:
        probe_clock({"bootstrap.servers": broker.bootstrap})
    assert time.monotonic() - begun < seconds
    assert "None" not in str(raised.value)
    return raised.value


@pytest.mark.kafka
def test_a_broker_that_hangs_is_told_and_the_topic_that_may_come_yet(
    hanging: JarsKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBE_SECONDS_MAX", 1.0)
    hanging.pause()
    error = failing_within(6.0, hanging)
    assert error.topic is not None
    assert mend_left(error.topic) in error.next_step


@pytest.mark.kafka
def test_a_broker_that_hangs_behind_the_creation_leaves_a_topic_and_it_is_named(
    hanging: JarsKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probing, "PROBE_SECONDS_MAX", 1.0)
    stamped = probing._stamped

    def pausing(clients: Clients, topic: str) -> Probed:
        hanging.pause()
        return stamped(clients, topic)

    monkeypatch.setattr(probing, "_stamped", pausing)
    error = failing_within(8.0, hanging)
    assert error.topic is not None
    assert mend_left(error.topic) in error.next_step


@pytest.mark.kafka
def test_a_topic_that_cannot_be_deleted_is_named_beside_the_clock(
    kafka: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_clients: Clients, topic: str, _: float) -> None:
        made.append(topic)
        raise KafkaException(KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED))

    made: list[str] = []
    monkeypatch.setattr(probing, "_deleted", refused)
    probed = probe_clock({"bootstrap.servers": kafka})
    assert [probed.left] == made
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.delete_topics(made)[made[0]].result(10)
