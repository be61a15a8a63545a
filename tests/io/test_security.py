"""Wrong passwords, certificates, tokens and permissions: known at once, named, and without the secret."""

import base64
import json
import time
import uuid
from typing import Any

import pytest
from confluent_kafka.admin import AclOperation  # documented, but not in its __all__
from langchain_core.messages import HumanMessage

from kchat.core import AppendRefused, KchatError, ReadFailed, TopicNotChanged
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers import secured
from tests.brokers.access import TOPIC, Permission, granted
from tests.brokers.certificates import KEY_PASSWORD
from tests.brokers.secured import SecuredKafka
from tests.io.conftest import Call

pytestmark = pytest.mark.kafka

GRACE_SECONDS = 1.0

IN_AN_HOUR = time.time() + 3_600

KNOWN_SECONDS_MAX = 4.5
"""The broker itself delays a refusal by 0.15 to 0.35 s (measured); a time-out would take 5."""


@pytest.fixture
def cluster(secured_kafka: SecuredKafka) -> SecuredKafka:
    return secured_kafka


def history_on(
    cluster: SecuredKafka, listener: str, session_id: str | None = None, **config: Any
) -> KafkaChatMessageHistory:
    given: dict[str, Any] = {**cluster.client_config(listener), **config}
    properties = {name: value for name, value in given.items() if value is not None}
    servers = str(properties.pop("bootstrap.servers"))
    return KafkaChatMessageHistory(session_id or f"sec-{uuid.uuid4().hex}", servers, config=properties)


@pytest.mark.parametrize(
    "listener",
    [
        secured.PLAINTEXT,
        secured.SCRAM,
        secured.PLAIN,
        secured.TLS,
        secured.MTLS,
        secured.SCRAM_TLS,
        secured.PLAIN_TLS,
        secured.OAUTH,
    ],
)
def test_the_main_job_works_on_every_kind_of_listener(
    cluster: SecuredKafka, listener: str, call: Call
) -> None:
    with history_on(cluster, listener) as history:
        call(history, "add_messages", [HumanMessage("hello")])
        assert [message.content for message in call(history, "messages")] == ["hello"]
        call(history, "clear")


def test_a_locked_key_is_opened_with_its_password(cluster: SecuredKafka) -> None:
    path = str(cluster.certificates.client_locked_path)
    locked = {"ssl.certificate.location": path, "ssl.key.location": path, "ssl.key.password": KEY_PASSWORD}
    with history_on(cluster, secured.MTLS, **locked) as history:
        history.add_user_message("hello")
        history.clear()


def test_the_name_in_a_token_is_the_one_that_has_the_permissions(cluster: SecuredKafka) -> None:
    """The broker sees the token that the properties made: another name in them has other permissions."""
    session = f"sec-{uuid.uuid4().hex}"
    permission = [
        Permission("carol", TOPIC, operation, session)
        for operation in (AclOperation.WRITE, AclOperation.CREATE, AclOperation.DELETE)
    ]
    named = {"sasl.oauthbearer.config": "principal=carol"}
    with history_on(cluster, secured.OAUTH, session, **named) as carol:
        with pytest.raises(AppendRefused, match="needs Describe on topic"):
            carol.add_user_message("hello")
        with granted(cluster.listeners[secured.PLAINTEXT], permission):
            carol.add_user_message("hello")
            with pytest.raises(ReadFailed, match=r"needs Read on (topic|group)"):
                _ = carol.messages
            carol.clear()


def test_a_token_of_the_callers_own_reaches_the_broker(cluster: SecuredKafka) -> None:
    """As every `oauth_cb`: it is called with `sasl.oauthbearer.config`, and what it gives is sent."""
    asked: list[str] = []

    def token(config: str) -> tuple[str, float]:
        asked.append(config)
        return unsigned(sub="alice", iat=time.time(), exp=IN_AN_HOUR), IN_AN_HOUR

    own: dict[str, Any] = {
        "oauth_cb": token,
        "sasl.oauthbearer.config": "for-the-callback",
        "enable.sasl.oauthbearer.unsecure.jwt": None,
    }
    with history_on(cluster, secured.OAUTH, **own) as history:
        history.add_user_message("hello")
        assert [message.content for message in history.messages] == ["hello"]
        history.clear()
    assert set(asked) == {"for-the-callback"}


def unsigned(**claims: object) -> str:
    """A token that says who one is, and that nobody vouches for."""
    parts = ({"alg": "none"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join(encoded) + "."


def refused(call: Call, history: KafkaChatMessageHistory, code: str, text: str) -> None:
    """Appending, reading and deleting are refused, each with its own error, in time, and for this reason."""
    said = [HumanMessage("hello")]
    tries: list[tuple[str, list[Any], type[KchatError]]] = [
        ("add_messages", [said], AppendRefused),
        ("messages", [], ReadFailed),
        ("messages_from_beginning", [], ReadFailed),
        ("messages_from_latest", [5, 1.0], ReadFailed),
        ("clear", [], TopicNotChanged),
    ]
    for member, arguments, kind in tries:
        began = time.monotonic()
        with pytest.raises(kind, match=text) as error:
            call(history, member, *arguments)
        assert time.monotonic() - began < KNOWN_SECONDS_MAX, member
        assert error.value.code == code
        assert str(history.bootstrap_servers) in str(error.value)


@pytest.mark.parametrize("listener", [secured.SCRAM, secured.PLAIN, secured.SCRAM_TLS, secured.PLAIN_TLS])
def test_a_wrong_password_is_named_at_once(cluster: SecuredKafka, listener: str, call: Call) -> None:
    with history_on(cluster, listener, **{"sasl.password": "wrong"}) as history:
        refused(call, history, "_AUTHENTICATION", r"(?i)authentication failed")


def test_a_token_that_is_none_is_named_at_once(cluster: SecuredKafka, call: Call) -> None:
    own: dict[str, Any] = {
        "oauth_cb": lambda _: ("no-token", IN_AN_HOUR),
        "enable.sasl.oauthbearer.unsecure.jwt": None,
    }
    with history_on(cluster, secured.OAUTH, **own) as history:
        refused(call, history, "_AUTHENTICATION", "invalid_token")


def test_a_mechanism_that_the_broker_does_not_have_is_named(cluster: SecuredKafka, call: Call) -> None:
    with history_on(cluster, secured.SCRAM, **{"sasl.mechanism": "SCRAM-SHA-512"}) as history:
        refused(call, history, "_AUTHENTICATION", "supported mechanisms: SCRAM-SHA-256")


def test_a_certificate_for_another_host_is_refused(cluster: SecuredKafka, call: Call) -> None:
    with history_on(cluster, secured.WRONG_HOST_TLS) as history:
        refused(call, history, "_SSL", "certificate is refused: IP address mismatch")


def test_an_expired_certificate_is_refused(cluster: SecuredKafka, call: Call) -> None:
    with history_on(cluster, secured.EXPIRED_TLS) as history:
        refused(call, history, "_SSL", "certificate is refused: certificate has expired")


@pytest.mark.parametrize("listener", [secured.TLS, secured.PLAIN_TLS])
def test_a_certificate_of_an_unknown_authority_is_refused(
    cluster: SecuredKafka, listener: str, call: Call
) -> None:
    foreign = str(cluster.certificates.foreign_ca_path)
    for location in (foreign, None):
        with history_on(cluster, listener, **{"ssl.ca.location": location}) as history:
            refused(
                call, history, "_SSL", r"certificate is refused: (self-signed|unable to get).* certificate"
            )


@pytest.mark.parametrize("kind", ["none", "expired", "of an unknown authority"])
def test_a_client_certificate_that_the_broker_refuses_is_named(
    cluster: SecuredKafka, kind: str, call: Call
) -> None:
    """librdkafka tells these as broken connections, and tries again until the limit."""
    certificates = cluster.certificates
    paths = {
        "none": None,
        "expired": str(certificates.expired_client_path),
        "of an unknown authority": str(certificates.foreign_client_path),
    }
    own = {"ssl.certificate.location": paths[kind], "ssl.key.location": paths[kind]}
    with history_on(cluster, secured.MTLS, **own) as history:
        refused(call, history, "_SSL", "does not take this client's certificate")


@pytest.mark.parametrize("listener", [secured.TLS, secured.SCRAM])
def test_plaintext_where_there_is_none_ends_within_the_limit(
    cluster: SecuredKafka, listener: str, call: Call
) -> None:
    with KafkaChatMessageHistory("plain", cluster.listeners[listener]) as history:
        for member, arguments in (
            ("messages_from_beginning", [5, 1.0]),
            ("add_messages", [[HumanMessage("hello")], 1.0]),
        ):
            began = time.monotonic()
            with pytest.raises(KchatError):
                call(history, member, *arguments)
            assert time.monotonic() - began < 1.0 + GRACE_SECONDS
