import pytest

from kchat.core import Failed, FromBeginning, InvalidConfig, JsonDecoder, ReadRequest, Sealed
from kchat.io import REFUSED, KafkaLog
from kchat.io.config import CURSOR, PRODUCER, READER, TAIL, Config

SERVERS = {"bootstrap.servers": "broker-1:9092,broker-2:9092"}


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_property_that_would_break_a_promise_is_refused_with_the_reason(name: str) -> None:
    with pytest.raises(InvalidConfig, match=name.replace(".", r"\.")) as refused:
        KafkaLog({**SERVERS, name: "anything"})
    assert REFUSED[name] in str(refused.value)


@pytest.mark.parametrize("servers", [None, "", "  ", 9092, "host:9092\0"])
def test_servers_must_be_named(servers: object) -> None:
    with pytest.raises(InvalidConfig, match=r"bootstrap\.servers"):
        KafkaLog({"bootstrap.servers": servers})


def test_a_refusal_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="acks"):
        KafkaLog({**SERVERS, "acks": "1"})


def test_a_property_name_is_a_string() -> None:
    with pytest.raises(InvalidConfig, match="int"):
        KafkaLog({**SERVERS, 5: "x"})  # type: ignore[dict-item]


def test_other_properties_reach_every_client_verbatim() -> None:
    given = {**SERVERS, "security.protocol": "SASL_SSL", "sasl.username": "alice", "client.id": "me"}
    config = Config.of(Sealed(given))
    for kind in (PRODUCER, READER, TAIL, CURSOR):
        properties = config.for_client(kind).content
        assert {name: properties[name] for name in given} == given
        assert properties["allow.auto.create.topics"] is False


def test_the_caller_wins_where_it_is_only_a_matter_of_speed() -> None:
    config = Config.of(Sealed({**SERVERS, "compression.type": "lz4", "linger.ms": 0}))
    assert config.for_client(PRODUCER).content["compression.type"] == "lz4"
    assert config.for_client(PRODUCER).content["linger.ms"] == 0
    assert config.for_client(READER).content["fetch.wait.max.ms"] == 0
    assert config.for_client(TAIL).content["fetch.wait.max.ms"] == 500


def test_a_client_soon_connects_again_and_a_callers_own_waits_are_taken() -> None:
    latest = "reconnect.backoff.max.ms"
    assert Config.of(Sealed(SERVERS)).for_client(READER).content[latest] == 500
    assert Config.of(Sealed({**SERVERS, latest: 3_000})).for_client(READER).content[latest] == 3_000
    own_first = {**SERVERS, "reconnect.backoff.ms": 2_000}
    with KafkaLog(own_first) as log:
        start, decoder = FromBeginning(), JsonDecoder()
        outcome = log.read(ReadRequest(topic="t", start=start, decoder=decoder, wait_ms_max=1))
    assert isinstance(outcome, Failed), "no InvalidConfig: the client takes them"


def test_promises_hold_in_every_client() -> None:
    config = Config.of(Sealed(SERVERS))
    producer = config.for_client(PRODUCER).content
    assert (producer["enable.idempotence"], producer["acks"]) == (True, "all")
    for kind in (READER, TAIL, CURSOR):
        consumer = config.for_client(kind).content
        assert consumer["isolation.level"] == "read_committed"
        assert consumer["auto.offset.reset"] == "error"
        assert consumer["enable.auto.commit"] is False
        assert consumer["enable.partition.eof"] is True


def test_a_larger_record_follows_the_producers_limit() -> None:
    assert Config.of(Sealed(SERVERS)).record_bytes_max == 999_900
    assert Config.of(Sealed({**SERVERS, "message.max.bytes": "5000000"})).record_bytes_max == 4_999_900


@pytest.mark.parametrize("limit", ["many", "", [5]])
def test_a_limit_that_is_no_number_is_refused_at_construction(limit: object) -> None:
    with pytest.raises(InvalidConfig, match=r"message\.max\.bytes"):
        KafkaLog({**SERVERS, "message.max.bytes": limit})


def test_a_logger_must_be_one() -> None:
    with pytest.raises(InvalidConfig, match="logger"):
        KafkaLog({**SERVERS, "logger": "x"})


def test_nothing_secret_in_a_repr() -> None:
    log = KafkaLog({**SERVERS, "sasl.password": "canary-secret", "ssl.key.pem": "canary-key"})
    assert repr(log) == "<KafkaLog broker-1:9092,broker-2:9092>"
    assert "canary" not in repr(Config.of(Sealed({**SERVERS, "sasl.password": "canary-secret"})))


def test_a_property_that_the_client_does_not_know_is_named_at_first_use() -> None:
    from kchat.core import EnsureTopic, TopicSettings

    with KafkaLog({**SERVERS, "no.such.property": "canary-value"}) as log:
        with pytest.raises(InvalidConfig, match=r"no\.such\.property") as refused:
            log.provision(EnsureTopic(topic="t", settings=TopicSettings()))
        assert "canary" not in str(refused.value)


def test_a_text_of_the_clients_is_shown_without_the_secrets_and_with_the_rest() -> None:
    secret = {"sasl.password": "hunter2", "ssl.key.password": 12345, "sasl.oauthbearer.config": "hunter2+"}
    config = Config.of(Sealed({**SERVERS, **secret, "security.protocol": "SSL", "ssl.keystore.password": ""}))
    text = "hunter2 and 12345 of SSL, hunter2+ [a-z]"
    assert config.without_secrets(text) == "... and ... of SSL, ... [a-z]"
    assert Config.of(Sealed(SERVERS)).without_secrets(text) == text
