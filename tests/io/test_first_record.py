"""A producer's first requests to a partition whose leader is not ready: what is lost is not acknowledged.

A broker takes the second batch of a producer that it has nothing of, and the client infers the first one's
storage from that. A proxy gives the refusal that a leader gives which is not ready.
"""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define
from confluent_kafka import KafkaError, KafkaException

from kchat.core import (
    Acknowledged,
    Appended,
    AppendOutcome,
    AppendRequest,
    BrokerError,
    EnsureTopic,
    FromBeginning,
    JsonDecoder,
    Message,
    NewRecord,
    Produce,
    ReadRequest,
    Refused,
    RemoveTopic,
    TopicSettings,
    Unknown,
    encode,
    place,
)
from kchat.io import KafkaLog
from kchat.io.appends import INFERRED, _report
from kchat.io.proofs import LOST_SECONDS, VALID_SECONDS, Proofs, place_of
from kchat.io.reports import Reports
from tests.brokers import Missing, choose_jars_here
from tests.brokers.installation import installed
from tests.brokers.jars import PLAINTEXT, JarsKafka
from tests.brokers.proxy import Api, Fault, Proxy, Strike

BEHIND = "BEHIND"
SAID = ("a" * 600_000, "b" * 600_000)
"""Too long for one request together."""


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with Proxy() as proxy:
        advertised = {BEHIND: proxy.address}
        listeners = (PLAINTEXT, BEHIND)
        with JarsKafka(installed(choice.java), listeners=listeners, advertised=advertised) as kafka:
            proxy.target = kafka.listeners[BEHIND]
            yield proxy


@pytest.fixture
def log(proxy: Proxy) -> Iterator[KafkaLog]:
    """A producer that the broker has not heard of."""
    with KafkaLog({"bootstrap.servers": proxy.address}) as log:
        yield log
    proxy.heal()


def append(log: KafkaLog, topic: str, texts: tuple[str, ...], wait_ms_max: int = 20_000) -> AppendOutcome:
    key = place(topic).key
    made = [
        encode(Message("human", {"content": text}), key=key, message_id=uuid.uuid4().hex) for text in texts
    ]
    records = tuple(record for record in made if isinstance(record, NewRecord))
    return log.append(
        AppendRequest(topic=topic, records=records, topic_known=True, partition=0, wait_ms_max=wait_ms_max)
    )


def heard(log: KafkaLog, topic: str) -> tuple[str, ...]:
    request = ReadRequest(topic=topic, start=FromBeginning(), decoder=JsonDecoder())
    return tuple(message.text for message in log.read(request).progress.messages)


def refused_first(log: KafkaLog, proxy: Proxy) -> tuple[AppendOutcome, tuple[str, ...]]:
    topic = f"first-{uuid.uuid4().hex}"
    log.provision(EnsureTopic(topic=topic, settings=TopicSettings(), wait_ms_max=20_000))
    struck = len(proxy.struck)
    proxy.plan(Fault(api=Api.PRODUCE, strike=Strike.NOT_LEADER))
    outcome = append(log, topic, SAID)
    assert len(proxy.struck) == struck + 1
    return outcome, heard(log, topic)


@pytest.mark.kafka
def test_a_first_record_that_is_refused_is_stored_before_those_that_follow(
    log: KafkaLog, proxy: Proxy
) -> None:
    outcome, found = refused_first(log, proxy)
    assert isinstance(outcome, Appended)
    assert found == SAID


@pytest.mark.kafka
def test_what_the_client_infers_is_not_acknowledged(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proofs, "holds", lambda *_: True)  # the first record goes along with the others
    for _ in range(20):
        with KafkaLog({"bootstrap.servers": proxy.address}) as new:
            outcome, found = refused_first(new, proxy)
        if found != SAID:  # the second request was on its way already
            assert found == SAID[1:]
            assert isinstance(outcome, Unknown)
            return
        assert isinstance(outcome, Appended)
    raise AssertionError("the client or the broker has learned better: see whether `proofs` is still needed")


@pytest.mark.kafka
def test_a_topic_that_was_created_again_is_another_place(proxy: Proxy) -> None:
    topic = f"first-{uuid.uuid4().hex}"
    with KafkaLog({"bootstrap.servers": proxy.address}) as log:
        for _ in range(2):
            log.provision(EnsureTopic(topic=topic, settings=TopicSettings(), wait_ms_max=20_000))
            producer = log._clients.join_producer()
            assert not producer.proofs.holds((topic, 0))
            assert isinstance(append(log, topic, ("a", "b")), Appended)
            assert producer.proofs.holds((topic, 0))
            log._clients.leave_producer(producer)
            log.provision(RemoveTopic(topic=topic, wait_ms_max=20_000))


@define
class DeadProducer:
    """Takes nothing: it has died of a fatal error."""

    handle: Any

    def produce(self, *_: object, **__: object) -> None:
        raise KafkaException(KafkaError(KafkaError._FATAL, "dead"))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handle, name)


@pytest.mark.kafka
def test_a_dead_producer_is_exchanged_before_its_first_record(log: KafkaLog) -> None:
    producer = log._clients.join_producer()
    log._clients.leave_producer(producer)
    producer.served = True
    producer.client.handle = DeadProducer(producer.client.handle)  # type: ignore[assignment]
    topic = f"first-{uuid.uuid4().hex}"
    log.provision(EnsureTopic(topic=topic, settings=TopicSettings(), wait_ms_max=20_000))
    assert isinstance(append(log, topic, ("a", "b")), Appended)
    assert heard(log, topic) == ("a", "b")
    assert producer.users == 0


@pytest.mark.kafka
def test_who_waits_for_anothers_first_record_for_all_of_its_time_has_sent_nothing(log: KafkaLog) -> None:
    topic = f"first-{uuid.uuid4().hex}"
    log.provision(EnsureTopic(topic=topic, settings=TopicSettings(), wait_ms_max=20_000))
    producer = log._clients.join_producer()
    assert producer.proofs.begin((topic, 0), 60)
    outcome = append(log, topic, ("a", "b"), wait_ms_max=300)
    assert isinstance(outcome, Refused)
    assert not producer.retired
    log._clients.leave_producer(producer)


@define
class StubMessage:
    at: int | None

    def offset(self) -> int | None:
        return self.at

    def partition(self) -> int:
        return 0


@pytest.mark.parametrize(("offset", "report"), [(7, Acknowledged(0, 7)), (None, INFERRED), (-1001, INFERRED)])
def test_an_acknowledgement_has_an_offset(offset: int | None, report: Acknowledged | BrokerError) -> None:
    reports = Reports(1)
    _report(reports, 0, None, StubMessage(offset))  # type: ignore[arg-type]
    assert reports[0] == report


def test_a_place_is_proven_by_one_call_at_a_time_and_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("kchat.io.proofs.time.monotonic", lambda: clock[0])
    proofs, where = Proofs(), ("t", 0)
    assert proofs.begin(where, 0.2)
    assert not proofs.begin(where, 0.2)
    assert proofs.begin(("t", 1), 0.2)
    proofs.end(where)
    assert proofs.begin(where, 0.2)
    clock[0] += 0.2 + LOST_SECONDS / 2
    proofs.extend(where, 0.2)
    clock[0] += LOST_SECONDS / 2
    assert not proofs.begin(where, 0.2)
    clock[0] += LOST_SECONDS
    assert proofs.begin(where, 0.2), "one that was never ended is over all the same"
    assert not proofs.holds(where)
    proofs.add(where)
    assert proofs.holds(where)
    proofs.drop("t")
    assert not proofs.holds(where)
    proofs.add(where)
    clock[0] += VALID_SECONDS + 1
    assert not proofs.holds(where)


def test_without_a_partition_the_key_is_the_place() -> None:
    records = (NewRecord(b"k", b"x"), NewRecord(b"l", b"x"))
    assert place_of(Produce(topic="t", records=records, partition=None, timeout_ms=1), 1) == ("t", b"l")
    assert place_of(Produce(topic="t", records=records, partition=2, timeout_ms=1), 1) == ("t", 2)
