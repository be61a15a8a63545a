"""Wrong passwords, certificates and permissions: known at once, named, and without the secret."""

import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from kchat.core import AppendRefused, KchatError, ReadFailed, TopicNotChanged
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers import Missing, choose_jars_here, secured
from tests.brokers.installation import installed
from tests.brokers.secured import SecuredKafka, open_secured

pytestmark = pytest.mark.kafka

KNOWN_SECONDS_MAX = 2.0
"""The broker itself delays a refusal by 0.15 to 0.35 s (measured); a time-out would take 5."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[SecuredKafka]:
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with open_secured(installed(choice.java)) as cluster:
        yield cluster


def history_on(
    cluster: SecuredKafka, listener: str, session_id: str | None = None, **config: object
) -> KafkaChatMessageHistory:
    properties = {**cluster.client_config(listener), **config}
    servers = str(properties.pop("bootstrap.servers"))
    return KafkaChatMessageHistory(session_id or f"sec-{uuid.uuid4().hex}", servers, config=properties)


@pytest.mark.parametrize(
    "listener",
    [secured.PLAINTEXT, secured.SCRAM, secured.PLAIN, secured.TLS, secured.MTLS, secured.SCRAM_TLS],
)
def test_the_main_job_works_on_every_kind_of_listener(cluster: SecuredKafka, listener: str) -> None:
    with history_on(cluster, listener) as history:
        history.add_user_message("hello")
        assert [message.content for message in history.messages] == ["hello"]
        history.clear()


@pytest.mark.parametrize("listener", [secured.SCRAM, secured.PLAIN, secured.SCRAM_TLS])
def test_a_wrong_password_is_named_at_once_and_never_repeated(cluster: SecuredKafka, listener: str) -> None:
    with history_on(cluster, listener, **{"sasl.password": "canary-password"}) as history:
        begun = time.monotonic()
        with pytest.raises(AppendRefused, match=r"(?i)authentication failed") as refused:
            history.add_user_message("canary-message")
        with pytest.raises(ReadFailed, match=r"(?i)authentication failed") as failed:
            _ = history.messages
        assert time.monotonic() - begun < 2 * KNOWN_SECONDS_MAX
        for error in (refused.value, failed.value):
            assert error.code == "_AUTHENTICATION"
            assert "canary" not in f"{error} {error!r} {history!r}"
            assert str(history.bootstrap_servers) in str(error)


def test_a_certificate_for_another_host_is_refused(cluster: SecuredKafka) -> None:
    with (
        history_on(cluster, secured.WRONG_HOST_TLS) as history,
        pytest.raises(AppendRefused, match="certificate"),
    ):
        history.add_user_message("x")


def test_a_certificate_of_an_unknown_authority_is_refused(cluster: SecuredKafka) -> None:
    config = cluster.client_config(secured.TLS)
    servers = str(config["bootstrap.servers"])
    properties = {name: value for name, value in config.items() if name == "security.protocol"}
    with KafkaChatMessageHistory("ca", servers, config=properties) as history:
        with pytest.raises(ReadFailed, match="certificate") as failed:
            _ = history.messages
        assert failed.value.code == "_SSL"


def test_plaintext_against_tls_ends_within_the_limit(cluster: SecuredKafka) -> None:
    with KafkaChatMessageHistory("plain", str(cluster.listeners[secured.TLS])) as history:
        begun = time.monotonic()
        with pytest.raises(ReadFailed):
            history.messages_from_beginning(5, 1.0)
        assert time.monotonic() - begun < 2.0


def history_of(
    cluster: SecuredKafka, user: secured.User, session_id: str, **more: Any
) -> KafkaChatMessageHistory:
    config = dict(cluster.client_config(secured.SCRAM, user=user))
    servers = config.pop("bootstrap.servers")
    return KafkaChatMessageHistory(session_id, servers, config=config, **more)


@pytest.mark.parametrize("user", [secured.READER, secured.PEEKER], ids=lambda user: user.name)
def test_who_may_not_use_the_cursor_is_told_so_at_once_and_can_replay(
    cluster: SecuredKafka, user: secured.User
) -> None:
    """The client answers these with a time-out, and a synchronous commit with 45 s of silence."""
    session = f"acl-{uuid.uuid4().hex}"
    with history_of(cluster, user, session, replay=True) as replaying:
        replaying.add_user_message("x")
        assert [message.content for message in replaying.messages] == ["x"]
    with history_of(cluster, user, session) as history:
        begun = time.monotonic()
        for read in (history.messages_from_last_consumed, history.messages_from_beginning):
            with pytest.raises(ReadFailed) as failed:
                read()
            assert failed.value.code == "GROUP_AUTHORIZATION_FAILED"
        assert time.monotonic() - begun < 2 * KNOWN_SECONDS_MAX


def test_who_may_only_write_is_told_so_when_reading(cluster: SecuredKafka) -> None:
    session = f"acl-{uuid.uuid4().hex}"
    with history_on(cluster, secured.SCRAM, session) as alice:
        alice.add_user_message("from alice")
        with history_of(cluster, secured.WRITER, session) as writer:
            writer.add_user_message("from the writer")
            begun = time.monotonic()
            with pytest.raises(KchatError) as denied:
                writer.messages_from_beginning(None, 5.0)
            assert denied.value.code in {"TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED"}
            assert time.monotonic() - begun < KNOWN_SECONDS_MAX
            with pytest.raises(TopicNotChanged) as undeleted:
                writer.clear()
            assert undeleted.value.code == "TOPIC_AUTHORIZATION_FAILED"
        contents = [message.content for message in alice.messages_from_beginning(None, None)]
        assert contents == ["from alice", "from the writer"]


def test_who_may_not_create_topics_is_told_so_when_appending(cluster: SecuredKafka) -> None:
    with history_of(cluster, secured.WRITER, f"new-{uuid.uuid4().hex}") as writer:
        with pytest.raises(AppendRefused) as refused:
            writer.add_messages([HumanMessage("x")])
        assert refused.value.code == "TOPIC_AUTHORIZATION_FAILED"
