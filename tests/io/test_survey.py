"""Questions about a whole cluster, on a real Kafka: what is told, what is denied."""

import logging
import time
import uuid
from pathlib import Path
from types import SimpleNamespace

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from kchat.core import BrokerError, ErrorKind, ReadFailed
from kchat.io.api_versions import ApiVersions, releases
from kchat.io.shapes import topic_shape
from kchat.io.survey import Survey
from tests.brokers.secured import GRANTEE, PLAINTEXT, SCRAM, WRITER, SecuredKafka
from tests.cli.running import invoke


def created(bootstrap: str, records: int) -> str:
    """A topic of two partitions, with records in the first one."""
    topic = f"survey-{uuid.uuid4().hex}"
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(topic, 2, 1)])[topic].result(10)
    producer = Producer({"bootstrap.servers": bootstrap})
    for number in range(records):
        producer.produce(topic, f"{number}".encode(), partition=0)
    assert producer.flush(10) == 0
    return topic


@pytest.mark.kafka
def test_it_tells_ends_times_settings_shapes_and_records(kafka: str) -> None:
    begun_ms = time.time_ns() // 1_000_000
    topic = created(kafka, 7)
    first, second = (topic, 0), (topic, 1)
    with Survey({"bootstrap.servers": kafka}) as survey:
        assert survey.topics()[topic] == (0, 1)
        assert survey.ends([first, second]) == {first: (0, 7), second: (0, 0)}
        times = survey.times([first, second])
        assert times[second] == (None, None)
        told = times[first]
        assert not isinstance(told, BrokerError)
        assert begun_ms <= (told[0] or 0) <= (told[1] or 0)
        settings = survey.topic_settings([topic])[topic]
        assert not isinstance(settings, BrokerError)
        assert settings["cleanup.policy"] == "delete"
        shape = survey.shapes([topic])[topic]
        assert not isinstance(shape, BrokerError)
        assert (shape.partitions, shape.replicas_min, shape.in_sync_min) == (2, 1, 1)
        newest, ended = survey.newest({first: 5, second: 0}, 5.0)
        assert [record.offset for record in newest[first]] == [5, 6]
        assert newest[second] == []
        assert ended == {first, second}
        assert [record.value for record in survey.records({first: 0}, 5.0)] == [b"%d" % n for n in range(7)]


@pytest.mark.kafka
def test_a_missing_topic_is_an_error_in_its_place(kafka: str) -> None:
    topic = created(kafka, 1)
    with Survey({"bootstrap.servers": kafka}) as survey:
        ends = survey.ends([(topic, 0), ("no-such-topic", 0)])
        missing = ends["no-such-topic", 0]
        assert ends[topic, 0] == (0, 1)
        assert isinstance(missing, BrokerError)
        assert missing.kind is ErrorKind.UNKNOWN_TOPIC
        assert isinstance(survey.topic_settings(["no-such-topic"])["no-such-topic"], BrokerError)


@pytest.mark.kafka
def test_the_brokers_release_is_told_by_its_api_versions(kafka: str) -> None:
    heard = ApiVersions()
    with Survey({"bootstrap.servers": kafka, "debug": "feature", "logger": heard.logger}) as survey:
        cluster = survey.cluster()
        survey.listen()
        told = survey.broker_settings(cluster.brokers)
        assert survey.broker_settings([]) == {}
    assert cluster.cluster_id
    assert releases(heard.ranges)
    assert set(told) == set(cluster.brokers)
    for settings in told.values():
        assert not isinstance(settings, BrokerError)
        assert settings["auto.create.topics.enable"] in {"true", "false"}


@pytest.mark.parametrize(
    ("ranges", "told"),
    [
        (set(), ()),
        ({(4, 18)}, ("4.1 or newer",)),
        ({(4, 17)}, ("4.0",)),
        ({(0, 17)}, ("3.9",)),
        ({(3, 17)}, ("3.9",)),
        ({(0, 13), (0, 15)}, ("3.1 to 3.4", "3.5 or 3.6")),
        ({(0, 10)}, ("older than 2.3",)),
    ],
)
def test_versions_of_fetch_name_releases(ranges: set[tuple[int, int]], told: tuple[str, ...]) -> None:
    assert releases(ranges) == told


def test_only_lines_of_that_request_are_heard() -> None:
    heard = ApiVersions()
    for line in (
        "x: ApiKey Fetch (1) Versions 4..18",
        "x: ApiKey ShareFetch (78) Versions 1..2",
        "x: Feature ZSTD: Fetch (10..32767) supported by broker",
    ):
        heard.logger.handle(logging.makeLogRecord({"msg": line, "levelno": logging.DEBUG}))
    assert heard.ranges == {(4, 18)}


@pytest.mark.kafka
def test_who_may_do_little_is_told_little(secured_kafka: SecuredKafka) -> None:
    topic = created(secured_kafka.listeners[PLAINTEXT], 3)
    place = (topic, 0)
    with Survey(secured_kafka.client_config(SCRAM, user=GRANTEE)) as survey:
        assert topic not in survey.topics()
        assert isinstance(survey.ends([place])[place], BrokerError)
    with Survey(secured_kafka.client_config(SCRAM, user=WRITER)) as survey:
        assert topic in survey.topics()
        assert survey.ends([place]) == {place: (0, 3)}
        shape = survey.shapes([topic])[topic]
        assert not isinstance(shape, BrokerError)
        assert shape.operations is not None
        assert "WRITE" in shape.operations
        assert "READ" not in shape.operations
        newest, _ = survey.newest({place: 0}, 5.0)
        assert newest == {}  # nothing is known, which is not the same as nothing there
        settings = survey.topic_settings([topic])[topic]
        assert isinstance(settings, BrokerError)
        assert settings.kind is ErrorKind.DENIED
        with pytest.raises(ReadFailed, match=f"needs Read on topic '{topic}'"):
            list(survey.records({place: 0}, 5.0))
        assert survey.hidden("no-such-topic") is None


@pytest.mark.kafka
@pytest.mark.parametrize("command", ["verify", "doctor"])
def test_a_session_that_may_not_be_seen_is_not_told_as_missing(
    secured_kafka: SecuredKafka, command: str, tmp_path: Path
) -> None:
    topic = created(secured_kafka.listeners[PLAINTEXT], 3)
    config = secured_kafka.client_config(SCRAM, user=GRANTEE)
    file = tmp_path / "client.properties"
    file.write_text("\n".join(f"{name}={value}" for name, value in config.items()))
    result = invoke(command, topic, "--config", str(file))
    assert result.exit_code == 1
    assert f"needs Describe on topic '{topic}'" in result.stderr
    assert "there is no session" not in result.stderr


@pytest.mark.kafka
def test_a_wrong_password_is_told_as_that_and_not_repeated(secured_kafka: SecuredKafka) -> None:
    config = secured_kafka.client_config(SCRAM) | {"sasl.password": "hunter2-correct-horse"}
    begun = time.monotonic()
    with Survey(config) as survey, pytest.raises(ReadFailed) as raised:
        survey.topics()
    assert time.monotonic() - begun < 4  # at once, and not when the time is over
    assert raised.value.code == "_AUTHENTICATION"
    assert "hunter2" not in str(raised.value)


def test_a_cluster_that_is_not_there_is_told_within_the_limit() -> None:
    begun = time.monotonic()
    with Survey({"bootstrap.servers": "127.0.0.1:1"}) as survey, pytest.raises(ReadFailed) as raised:
        survey.topics(1.0)
    assert time.monotonic() - begun < 3
    assert "Connection refused" in str(raised.value)


def test_records_that_were_not_read_to_their_end_are_an_error() -> None:
    with Survey({"bootstrap.servers": "127.0.0.1:1"}) as survey, pytest.raises(ReadFailed) as raised:
        list(survey.records({("topic", 0): 0}, 0.3))
    assert "was not asked to the end" in str(raised.value)


def test_the_partition_that_lags_most_is_the_shape_of_a_topic() -> None:
    replicas = [[1, 2, 3], [1, 2]]
    in_sync = [[1, 2, 3], [2]]
    partitions = [SimpleNamespace(replicas=r, isr=i) for r, i in zip(replicas, in_sync, strict=True)]
    shape = topic_shape(SimpleNamespace(partitions=partitions, authorized_operations=None))
    assert (shape.partitions, shape.replicas_min, shape.in_sync_min) == (2, 2, 1)
    assert shape.operations is None
