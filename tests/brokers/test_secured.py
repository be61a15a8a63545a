"""Each listener of the secured broker lets in who has the right key, and nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.brokers import Missing, choose_jars_here
from tests.brokers.installation import installed
from tests.brokers.jars import PLAINTEXT
from tests.brokers.secured import (
    ALICE,
    MTLS,
    PLAIN,
    PROTOCOLS,
    SCRAM,
    SCRAM_TLS,
    TLS,
    WRITER,
    WRONG_HOST_TLS,
    SecuredKafka,
    User,
    open_secured,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = [pytest.mark.kafka, pytest.mark.timeout(600)]

TOPIC = "conversations"
CALL_LIMIT_SECONDS = 10
REFUSAL_LIMIT_SECONDS = 1.0
STRANGER = User("alice", "not-her-password")


@pytest.fixture(scope="module")
def kafka() -> Iterator[SecuredKafka]:
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with open_secured(installed(choice.java)) as secured:
        create_topic(secured.client_config(PLAINTEXT), TOPIC)
        yield secured


def create_topic(config: Mapping[str, str], topic: str) -> None:
    admin = AdminClient({**config})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(CALL_LIMIT_SECONDS)


def append(config: Mapping[str, str]) -> KafkaError | None:
    """Append a record; the broker's refusal, or None."""
    errors: list[KafkaError | None] = []
    producer = Producer({**config, "log_level": 0})
    producer.produce(TOPIC, b"hello", on_delivery=lambda error, _record: errors.append(error))
    producer.flush(CALL_LIMIT_SECONDS)
    [error] = errors
    return error


def refusals(config: Mapping[str, str]) -> set[int]:
    """Try to connect, in vain; the codes of what the client says about it."""
    errors: list[KafkaError] = []
    producer = Producer({**config, "log_level": 0, "error_cb": errors.append})
    with pytest.raises(KafkaException):
        producer.list_topics(timeout=REFUSAL_LIMIT_SECONDS)
    producer.poll(0)
    return {error.code() for error in errors}


@pytest.mark.parametrize("listener", [PLAINTEXT, SCRAM, PLAIN, TLS, MTLS, SCRAM_TLS])
def test_each_listener_takes_a_record(kafka: SecuredKafka, listener: str) -> None:
    assert append(kafka.client_config(listener)) is None


def test_every_listener_has_an_address_of_its_own(kafka: SecuredKafka) -> None:
    assert kafka.listeners.keys() == PROTOCOLS.keys()
    assert len(set(kafka.listeners.values())) == len(PROTOCOLS)


@pytest.mark.parametrize("listener", [SCRAM, PLAIN, SCRAM_TLS])
def test_a_wrong_password_is_refused(kafka: SecuredKafka, listener: str) -> None:
    assert KafkaError._AUTHENTICATION in refusals(kafka.client_config(listener, STRANGER))


def test_another_hosts_certificate_is_refused_for_its_name_alone(kafka: SecuredKafka) -> None:
    config = kafka.client_config(WRONG_HOST_TLS)
    assert KafkaError._SSL in refusals(config)
    assert append({**config, "ssl.endpoint.identification.algorithm": "none"}) is None


def test_a_foreign_authority_is_refused(kafka: SecuredKafka) -> None:
    config = {**kafka.client_config(TLS), "ssl.ca.location": str(kafka.certificates.foreign_ca_path)}
    assert KafkaError._SSL in refusals(config)


def test_mutual_tls_wants_a_certificate(kafka: SecuredKafka) -> None:
    without = {**kafka.client_config(TLS), "bootstrap.servers": kafka.listeners[MTLS]}
    assert refusals(without)


@pytest.mark.parametrize("listener", [SCRAM, PLAIN])
def test_the_writer_may_write_and_not_create(kafka: SecuredKafka, listener: str) -> None:
    config = kafka.client_config(listener, WRITER)
    assert append(config) is None
    with pytest.raises(KafkaException) as raised:
        create_topic(config, "another")
    assert raised.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("listener", [SCRAM, MTLS])
def test_alice_may_create_by_password_and_by_certificate(kafka: SecuredKafka, listener: str) -> None:
    create_topic(kafka.client_config(listener), f"created-by-{listener.lower()}")


def test_passwords_are_not_shown() -> None:
    assert ALICE.password not in repr(ALICE)
