"""`kchat say` on a broker in memory."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from kchat.cli.connection import Connection
from kchat.cli.group import kchat
from kchat.conversation import conversation
from kchat.core import ErrorKind, Message, OnCorrupt, Produce
from kchat.testing import LostAnswer, NoAnswer, Refuse
from tests.cli.running import ENVIRONMENT, invoke

if TYPE_CHECKING:
    from kchat.testing import FakeBroker


def piped(*arguments: str, stdin: bytes) -> Result:
    environment = {**ENVIRONMENT, "KCHAT_BOOTSTRAP": "in-memory"}
    return CliRunner(env=environment).invoke(kchat, list(arguments), input=stdin)


def said(broker: FakeBroker, session: str = "s") -> list[tuple[str, object]]:
    return [(m.type, m.data["content"]) for m in conversation(broker, session).read().messages]


def said_of_any(broker: FakeBroker, session: str) -> list[str]:
    return [
        message.text for message in conversation(broker, session, on_corrupt=OnCorrupt.SKIP).read().messages
    ]


def test_it_appends_and_tells_where_on_stderr(fake: FakeBroker) -> None:
    result = invoke("say", "s", "hello")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "kchat: appended to 's' at offset 0\n"
    told = json.loads(invoke("say", "s", "hi", "--role", "ai", "--json").stdout)
    assert (told["session"], told["offset"]) == ("s", 1)
    assert said(fake) == [("human", "hello"), ("ai", "hi")]


def test_a_dash_reads_stdin(fake: FakeBroker) -> None:
    assert piped("say", "s", "-", "--role", "system", stdin="zwei\nZeilen é\n".encode()).exit_code == 0
    assert said(fake) == [("system", "zwei\nZeilen é")]
    assert piped("say", "t", "-", stdin=b"  as it is \t\n\r\n").exit_code == 0
    assert said(fake, "t") == [("human", "  as it is \t\n")], "the last line break alone is not the user's"
    refused = piped("say", "s", "-", stdin=b"\xff")
    assert refused.exit_code == 2
    assert "stdin is no text in UTF-8" in refused.stderr


def test_a_tool_message_answers_a_call(fake: FakeBroker) -> None:
    assert invoke("say", "s", "17", "--role", "tool", "--tool-call-id", "c").exit_code == 0
    assert conversation(fake, "s").read().messages[0].data["tool_call_id"] == "c"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["s", ""], "the text is empty"),
        (["s", "x", "--role", "tool"], "give --role tool and --tool-call-id together"),
        (["s", "x", "--role", "nobody"], "'nobody' is not one of"),
        (["", "x"], "the session id is empty"),
        (["s", "caf\udce9"], "TEXT is no text in UTF-8"),
        (["s", "x", "--role", "tool", "--tool-call-id", "\udce9"], "--tool-call-id is no text in UTF-8"),
    ],
)
def test_wrong_usage_appends_nothing(fake: FakeBroker, arguments: list[str], told: str) -> None:
    result = invoke("say", *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert fake.cluster.topics == {}


def test_a_lost_answer_is_resent_and_read_once(fake: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    invoke("say", "s", "before")
    broker = fake.reopened()
    monkeypatch.setattr(fake, "reopened", lambda: broker)
    invoke("say", "s", "as before")
    appended = [isinstance(command, Produce) for command in broker.commands].index(True)
    broker.plan += [*[None] * appended, LostAnswer()]
    assert invoke("say", "s", "once").exit_code == 0
    assert [isinstance(command, Produce) for command in broker.commands].count(True) == 3
    assert said(broker) == [("human", "before"), ("human", "as before"), ("human", "once")]


def test_another_programs_topic_gets_nothing_unless_it_is_told_to(fake: FakeBroker) -> None:
    fake.cluster.create("orders", partitions=1)
    assert invoke("say", "orders", "an empty topic is nobody's").exit_code == 0
    fake.cluster.create("orders", partitions=1)
    fake.cluster.inject("orders", b'{"order": 1}')
    refused = invoke("say", "orders", "hello")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("kchat: the newest records of the topic orders are no messages")
    assert "--any-topic appends to it" in refused.stderr
    assert said_of_any(fake, "orders") == []
    assert invoke("say", "orders", "hello", "--any-topic").exit_code == 0
    assert said_of_any(fake, "orders") == ["hello"]


def test_who_may_not_read_a_topic_may_append_to_it(fake: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> None:
    fake.cluster.create("s", partitions=1)
    broker = fake.reopened()
    broker.plan += [Refuse(ErrorKind.DENIED, "TOPIC_AUTHORIZATION_FAILED")]
    monkeypatch.setattr(fake, "reopened", lambda: broker)
    assert invoke("say", "s", "hello").exit_code == 0
    assert said(broker) == [("human", "hello")]


def test_a_cluster_that_does_not_answer_is_told_as_an_append_that_was_not_made(
    fake: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = fake.reopened()
    broker.plan += [NoAnswer()] * 100
    monkeypatch.setattr(fake, "reopened", lambda: broker)
    result = invoke("say", "s", "hello")
    assert result.exit_code == 1
    assert result.stderr.startswith("kchat: nothing was appended: the read failed: ")
    assert "Next step: check that the brokers are up" in result.stderr


def test_one_record_shows_whose_a_session_is(
    counted: tuple[FakeBroker, list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, fetched = counted
    monkeypatch.setattr(Connection, "log", lambda _: nullcontext(broker))
    conversation(broker, "s").append([Message("human", {"content": "x" * 100_000})] * 30)
    assert invoke("say", "s", "hello", KCHAT_BOOTSTRAP="in-memory").exit_code == 0
    assert sum(fetched) == 1


def test_a_refused_append_is_a_sentence_without_the_text(
    fake: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = fake.reopened()
    broker.plan += [Refuse(ErrorKind.DENIED, "TOPIC_AUTHORIZATION_FAILED")] * 3
    monkeypatch.setattr(fake, "reopened", lambda: broker)
    result = invoke("say", "s", "hunter2")
    assert result.exit_code == 1
    assert result.stderr.startswith("kchat: nothing was appended: ")
    assert "Next step: have it granted" in result.stderr
    assert "hunter2" not in result.output
