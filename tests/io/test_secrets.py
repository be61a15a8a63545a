"""A password, a token and what was said are in no log line, error, traceback, repr, pickle or output."""

import logging
import math
import pickle
import textwrap
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import Producer
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import (
    AppendRefused,
    AppendUnknown,
    Closed,
    CorruptRecord,
    InvalidConfig,
    InvalidMessage,
    KchatError,
    ReadFailed,
    Sealed,
)
from kchat.io import KafkaLog, share_log
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker, LostAnswer
from tests.brokers import secured
from tests.brokers.certificates import KEY_PASSWORD
from tests.brokers.secured import SecuredKafka
from tests.io import children
from tests.io.canaries import CANARY, PASSWORD, SAID, TOKEN, spilled, told
from tests.io.conftest import Call

DEBUG_LINES_MIN = 100
"""librdkafka writes some 2,000 for an append and a read: with fewer the test would see nothing."""

TOLD = "generic,broker,topic,metadata,feature,msg,cgrp,security,consumer,admin,eos,assignor,conf,telemetry"
"""All that has secrets near it. Not what is told of each request, `protocol`, `fetch` and `queue`: a consumer
at the end of the log asks without a pause, its log lines overtake its records, and a handler slower than the
client never comes to those (measured: a read of four records did not end)."""


@pytest.fixture
def debug_log(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(1), caplog.at_level(1, logger="kchat"):
        yield caplog
    lines = "\n".join(f"{record.getMessage()} {record.args!r}" for record in caplog.records)
    assert spilled(lines) == []


def opened(cluster: SecuredKafka, listener: str, **options: Any) -> KafkaChatMessageHistory:
    properties: dict[str, Any] = {
        **cluster.client_config(listener),
        "debug": TOLD,
        **options.pop("config", {}),
    }
    servers = str(properties.pop("bootstrap.servers"))
    session_id = options.pop("session_id", f"secret-{uuid.uuid4().hex}")
    return KafkaChatMessageHistory(session_id, servers, config=properties, **options)


def locked(cluster: SecuredKafka, password: str) -> dict[str, str]:
    path = str(cluster.certificates.client_locked_path)
    return {"ssl.certificate.location": path, "ssl.key.location": path, "ssl.key.password": password}


def a_token(_: str) -> tuple[str, float]:
    return TOKEN, time.time() + 3_600


WITH_A_TOKEN = {
    "oauth_cb": a_token,
    "enable.sasl.oauthbearer.unsecure.jwt": "false",
    "sasl.oauthbearer.config": "",
}


@pytest.mark.kafka
@pytest.mark.parametrize(
    "listener", [secured.SCRAM, secured.PLAIN, secured.PLAIN_TLS, secured.SCRAM_TLS, secured.OAUTH]
)
def test_a_conversation_leaves_no_trace_in_the_log(
    secured_kafka: SecuredKafka, listener: str, call: Call, debug_log: pytest.LogCaptureFixture
) -> None:
    with opened(secured_kafka, listener, replay=True) as history:
        call(history, "add_messages", [HumanMessage(SAID)])
        assert [message.content for message in call(history, "messages")] == [SAID]
        assert [message.content for message in call(history, "messages_from_beginning")] == [SAID]
        assert spilled(f"{history} {history!r} {history.last_outcome!r} {vars(history)!r}") == []
        call(history, "clear")
    assert len(debug_log.records) > DEBUG_LINES_MIN
    assert {record.name for record in debug_log.records} >= {"kchat"}


@pytest.mark.kafka
def test_a_locked_key_is_opened_and_its_password_is_not_told(
    secured_kafka: SecuredKafka, debug_log: pytest.LogCaptureFixture
) -> None:
    with opened(secured_kafka, secured.MTLS, config=locked(secured_kafka, KEY_PASSWORD)) as history:
        history.add_user_message(SAID)
        history.clear()
    assert len(debug_log.records) > DEBUG_LINES_MIN
    with opened(secured_kafka, secured.MTLS, config=locked(secured_kafka, PASSWORD)) as history:
        with pytest.raises(InvalidConfig, match=r"ssl\.key\.location") as refused:
            history.add_user_message(SAID)
        assert spilled(told(refused.value)) == []


@pytest.mark.kafka
@pytest.mark.parametrize(
    ("listener", "wrong"),
    [
        (secured.SCRAM, {"sasl.password": PASSWORD}),
        (secured.PLAIN, {"sasl.password": PASSWORD}),
        (secured.PLAIN_TLS, {"sasl.password": PASSWORD}),
        (secured.OAUTH, WITH_A_TOKEN),
    ],
    ids=["SCRAM", "PLAIN", "PLAIN over TLS", "OAUTHBEARER"],
)
def test_a_wrong_secret_is_not_told_with_the_refusal(
    secured_kafka: SecuredKafka,
    listener: str,
    wrong: dict[str, Any],
    call: Call,
    debug_log: pytest.LogCaptureFixture,
) -> None:
    with opened(secured_kafka, listener, config=wrong) as history:
        said = [HumanMessage(SAID)]
        for member, arguments in (("add_messages", [said]), ("messages", []), ("clear", [])):
            with pytest.raises(KchatError) as refused:
                call(history, member, *arguments)
            assert refused.value.code == "_AUTHENTICATION"
            assert spilled(told(refused.value)) == []
    assert len(debug_log.records) > DEBUG_LINES_MIN


@pytest.mark.kafka
@pytest.mark.usefixtures("debug_log")
def test_a_corrupt_record_is_told_by_its_place_alone(secured_kafka: SecuredKafka, call: Call) -> None:
    with opened(secured_kafka, secured.SCRAM, replay=True, on_corrupt="skip") as history:
        call(history, "add_messages", [HumanMessage(SAID)])
        writer = Producer({"bootstrap.servers": secured_kafka.listeners[secured.PLAINTEXT]})
        for value in (
            SAID,
            f'{{"type": "{SAID}", "data": {{}}}}',
            f'{{"type": "ai", "data": {{"{SAID}": 1}}}}',
        ):
            writer.produce(history.session_id, value, headers={"kchat-id": SAID, SAID: SAID})
        writer.flush(10)
        assert len(call(history, "messages")) == 1
        assert len(history.skipped) == 3
        texts = [told(record) for record in history.skipped]
        with opened(secured_kafka, secured.SCRAM, replay=True, session_id=history.session_id) as strict:
            with pytest.raises(CorruptRecord) as corrupt:
                call(strict, "messages")
            texts += [told(corrupt.value), repr(strict.last_outcome)]
        assert spilled("\n".join(texts)) == []
        call(history, "clear")


@pytest.mark.kafka
@pytest.mark.usefixtures("debug_log")
def test_an_unknown_append_keeps_its_records_to_itself(secured_kafka: SecuredKafka, call: Call) -> None:
    with opened(secured_kafka, secured.SCRAM, replay=True) as history:
        call(history, "add_messages", [HumanMessage("first")])
        secured_kafka.broker.pause()
        try:
            with pytest.raises(AppendUnknown) as unknown:
                call(history, "add_messages", [HumanMessage(SAID)], 0.5)
        finally:
            secured_kafka.broker.resume()
        assert spilled(told(unknown.value)) == []
        call(history, "resend", unknown.value)
        assert [message.content for message in call(history, "messages")] == ["first", SAID]
        call(history, "clear")


SERVERS = "broker.example:9092"
SECRET = {"sasl.password": PASSWORD, "ssl.key.password": PASSWORD, "ssl.key.pem": PASSWORD}


class Unprintable:
    """Something that tells what was said as soon as it is printed."""

    def __repr__(self) -> str:
        return SAID


def configured(**config: Any) -> object:
    return KafkaChatMessageHistory("s", SERVERS, config={**SECRET, **config})


def used(**config: Any) -> object:
    with KafkaChatMessageHistory("s", SERVERS, config={**SECRET, **config}) as history:
        return history.messages


WRONG_SETTINGS: dict[str, Callable[[], object]] = {
    "a refused property": lambda: configured(acks="all"),
    "other servers": lambda: configured(**{"bootstrap.servers": "elsewhere:9092"}),
    "a logger that is none": lambda: configured(logger=Unprintable()),
    "a limit that is none": lambda: configured(**{"message.max.bytes": PASSWORD}),
    "no mapping": lambda: KafkaChatMessageHistory("s", SERVERS, config=[tuple(SECRET.items())]),  # type: ignore[arg-type]
    "no session": lambda: KafkaChatMessageHistory("", SERVERS, config=SECRET),
    "no policy": lambda: KafkaChatMessageHistory("s", SERVERS, on_corrupt="?", config=SECRET),  # type: ignore[arg-type]
    "no log": lambda: KafkaChatMessageHistory("s", SERVERS, log="?", config=SECRET),  # type: ignore[arg-type]
    "no servers": lambda: KafkaLog({**SECRET}),
    "no mapping for a log": lambda: KafkaLog([SECRET]),  # type: ignore[arg-type]
    "no servers to share": lambda: share_log({**SECRET}),
    "no such property": lambda: used(**{"no.such.property": PASSWORD}),
    "no such value": lambda: used(**{"security.protocol": "SASL_SSL", "sasl.mechanism": "NONE"}),
    "no key": lambda: used(**{"security.protocol": "SSL"}),
}


@pytest.mark.parametrize("wrong", WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_a_wrong_setting_is_told_without_the_others(wrong: Callable[[], object]) -> None:
    with pytest.raises(ValueError, match=r"\w") as refused:  # each has its own words, tested elsewhere
        wrong()
    assert spilled(told(refused.value)) == []


class Own(HumanMessage):
    """A message class that would come back as another one."""


WRONG_MESSAGES: dict[str, Any] = {
    "a value that JSON changes": [HumanMessage(SAID, additional_kwargs={"x": [SAID, math.nan]})],
    "an object": [HumanMessage(SAID, additional_kwargs={"x": Unprintable()})],
    "the second of two": [HumanMessage(SAID), HumanMessage(SAID, additional_kwargs={"x": b"canary"})],
    "another class": [Own(content=SAID)],
    "too large": [HumanMessage(SAID * 100_000)],
    "no list": HumanMessage(SAID),
    "a text": SAID,
    "no message": [SAID],
    "a mapping": {SAID: SAID},
}


@pytest.mark.parametrize("messages", WRONG_MESSAGES.values(), ids=WRONG_MESSAGES)
def test_a_wrong_message_is_told_by_its_place_alone(messages: Any, call: Call) -> None:
    history = KafkaChatMessageHistory("s", SERVERS, log=FakeBroker())
    with pytest.raises(InvalidMessage) as refused:
        call(history, "add_messages", messages)
    assert spilled(told(refused.value)) == []


SINGLE = {
    "add_message": HumanMessage(SAID),
    "add_user_message": SAID,
    "add_ai_message": SAID,
}


@pytest.mark.parametrize("member", SINGLE)
def test_no_member_that_adds_tells_what(member: str, call: Call) -> None:
    broker = FakeBroker()
    history = KafkaChatMessageHistory("s", SERVERS, log=broker, allowed_types={"tool"})
    with pytest.raises(InvalidMessage) as refused:
        call(history, member, SINGLE[member])
    history = KafkaChatMessageHistory("s", SERVERS, log=broker)
    history.add_user_message("first")
    broker.plan += [None, LostAnswer()]
    with pytest.raises(AppendUnknown) as unknown:
        call(history, "add_messages", [HumanMessage(SAID)])
    with pytest.raises(ValueError, match="flush_timeout_seconds") as limit:
        call(history, "add_messages", [HumanMessage(SAID)], -1)
    with pytest.raises(ValueError, match="resend") as no_error:
        call(history, "resend", HumanMessage(SAID))
    history.close()
    with pytest.raises(Closed) as closed:
        call(history, member, SINGLE[member])
    assert spilled(str(no_error.value)) == []
    for error in (refused, unknown, limit, closed):
        assert spilled(told(error.value)) == []


def test_a_history_and_its_log_are_not_pickled() -> None:
    """The pickle would hold the passwords, and no connection survives one."""
    with (
        KafkaChatMessageHistory("s", SERVERS, config=SECRET) as history,
        KafkaLog({**SECRET, "bootstrap.servers": SERVERS}) as log,
    ):
        for thing in (history, log, share_log({"bootstrap.servers": SERVERS})):
            with pytest.raises(TypeError, match="build one per process") as refused:
                pickle.dumps(thing)
            assert spilled(told(refused.value)) == []


def test_an_error_that_was_pickled_says_why_it_cannot_be_resent(call: Call) -> None:
    broker = FakeBroker()
    history = KafkaChatMessageHistory("s", SERVERS, log=broker)
    history.add_user_message("first")
    broker.plan += [None, LostAnswer()]
    with pytest.raises(AppendUnknown) as unknown:
        call(history, "add_messages", [HumanMessage(SAID)])
    travelled = pickle.loads(pickle.dumps(unknown.value))
    assert (travelled.records, str(travelled)) == ((), str(unknown.value))
    with pytest.raises(ValueError, match="does not travel in a pickle"):
        call(history, "resend", travelled)
    call(history, "resend", unknown.value)
    assert [message.content for message in call(history, "messages")] == ["first", SAID]


def test_what_is_sealed_is_not_shown() -> None:
    assert spilled(repr(Sealed(SECRET))) == []
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(Sealed(SECRET))


CHILD = """
    import math, sys, time, traceback
    from langchain_core.messages import HumanMessage
    from kchat.core import KchatError
    from kchat.langchain import KafkaChatMessageHistory

    servers, user, password, topic = sys.argv[1:]
    told = 0
    for secret in (password, "canary-password"):
        config = {
            "security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "SCRAM-SHA-256",
            "sasl.username": user, "sasl.password": secret, "debug": "all",
        }
        for on_corrupt in ("skip", "raise"):
            with KafkaChatMessageHistory(topic, servers, on_corrupt=on_corrupt, config=config) as history:
                for act in (
                    lambda: history.add_user_message("canary-message"),
                    lambda: history.add_messages([HumanMessage("canary-message", id=math.nan)]),
                    lambda: history.add_user_message("canary" * 200000),
                    lambda: history.add_messages([HumanMessage("canary-message")], 0.001),
                    lambda: history.messages_from_beginning(None, 5),
                    lambda: history.messages,
                ):
                    try:
                        act()
                    except (KchatError, ValueError) as error:
                        told += isinstance(error, KchatError)
                        print(error, repr(error), file=sys.stderr)
                        if isinstance(error, KchatError):
                            traceback.print_exception(error)
                print(history)
    print("told", told)
"""


@pytest.mark.kafka
def test_a_program_without_logging_prints_nothing_of_it(secured_kafka: SecuredKafka) -> None:
    topic = f"secret-{uuid.uuid4().hex}"
    writer = Producer({"bootstrap.servers": secured_kafka.listeners[secured.PLAINTEXT]})
    writer.produce(topic, SAID)
    writer.flush(10)
    user = secured.ALICE
    ended = children.run(CHILD, secured_kafka.listeners[secured.SCRAM], user.name, user.password, topic)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.split()[-1]) > 10
    source = {line.strip() for line in textwrap.dedent(CHILD).splitlines()}
    assert [line for line in spilled(ended.stdout + ended.stderr) if line.strip() not in source] == []


def test_the_canaries_would_be_seen() -> None:
    """What the tests above rest on."""

    def fails(messages: list[BaseMessage]) -> None:
        raise ReadFailed(f"of {len(messages)}")

    fails.__code__ = fails.__code__.replace(co_filename="/src/kchat/x.py")
    with pytest.raises(ReadFailed) as failed:
        fails([HumanMessage(SAID)])
    assert spilled(told(failed.value)) != []
    assert spilled(told(AppendRefused(CANARY))) != []
    assert logging.getLogger("kchat").handlers != []
