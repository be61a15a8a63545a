"""Every command on a real Kafka, as a user runs it."""

from __future__ import annotations

import json
import signal
import subprocess
import uuid
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from kchat.core import place
from kchat.io.survey import Survey
from tests.cli.running import COMMAND, child_environment, invoke
from tests.cli.test_show import lines, texts

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kafka

SESSIONS = 1_000
REQUESTS_MAX = 25


@pytest.fixture
def session() -> str:
    return f"cli-{uuid.uuid4().hex[:12]}"


def say(kafka: str, session: str, *texts: str) -> None:
    for text in texts:
        assert invoke("say", session, text, "-b", kafka).exit_code == 0


def test_say_show_ls_verify_and_rm_in_turn(kafka: str, session: str) -> None:
    say(kafka, session, "one", "two\x1b[2J")
    shown = invoke("show", session, "-b", kafka)
    assert shown.exit_code == 0
    assert r"two\x1b[2J" in shown.stdout
    (listed,) = lines(invoke("ls", "--match", session, "--json", "-b", kafka).stdout)
    assert (listed["session"], listed["messages"], listed["partitions"]) == (session, 2, 3)
    assert listed["retention_ms"] == 604_800_000
    assert listed["first"] <= listed["last"]
    assert (listed["bytes_estimated"], listed["conversation"]) == (False, True)
    assert listed["bytes"] > 100
    verified = invoke("verify", session, "-b", kafka)
    assert verified.exit_code == 0
    assert "nothing is wrong" in verified.stdout
    assert invoke("rm", session, "--yes", "-b", kafka).exit_code == 0
    assert invoke("show", session, "-b", kafka).exit_code == 1
    assert lines(invoke("ls", "--match", session, "--json", "-b", kafka).stdout) == []


def test_verify_finds_what_other_programs_wrote_and_exits_with_1(kafka: str, session: str) -> None:
    say(kafka, session, "one")
    producer = Producer({"bootstrap.servers": kafka})
    message = b'{"type": "human", "data": {"content": "x"}}'
    producer.produce(session, b"\x1b[31mno message", partition=0)
    producer.produce(session, message, key=b"other", partition=0)
    producer.produce(session, message, key=session.encode(), partition=2)
    assert producer.flush(10) == 0
    result = invoke("verify", session, "--json", "-b", kafka)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert sorted((f["kind"], f["offset"]) for f in document["findings"] if f["kind"] != "order") == [
        ("key", 2),
        ("poison", 1),
    ]
    assert [f["kind"] for f in document["findings"]].count("order") == 1
    assert document["messages"] == 3
    assert invoke("verify", session, "-b", kafka).stdout.count("finding: ") == 3


def test_tail_follows_many_sessions_also_one_that_is_not_there_yet(kafka: str, session: str) -> None:
    say(kafka, session, "before")
    other = f"{session}-other"
    child = subprocess.Popen(
        [*COMMAND, "tail", "-f", session, other, "--json", "-b", kafka],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    with child:
        assert child.stdout is not None
        assert texts(child.stdout.readline()) == ["before"]
        say(kafka, other, "first")
        assert texts(child.stdout.readline()) == ["first"]
        say(kafka, session, "after")
        line = child.stdout.readline()
        assert (texts(line), json.loads(line)["session"]) == (["after"], session)
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=10)
    assert child.returncode == 130
    assert told == f"kchat: session '{other}' is not there yet: waiting for it\n\nkchat: interrupted\n"


def test_tail_ends_when_the_reader_of_its_pipe_goes_though_nothing_comes(kafka: str, session: str) -> None:
    say(kafka, session, "before")
    child = subprocess.Popen(
        [*COMMAND, "tail", "-f", session, "--json", "-b", kafka],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(),
    )
    with child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        try:
            assert child.wait(10) == 1
        finally:
            child.kill()
        assert child.stderr.read() == b""


@pytest.fixture(scope="module")
def thousand(kafka: str) -> Iterator[str]:
    """A thousand sessions of one partition, under a prefix of their own; a tenth of them have a message."""
    prefix = f"ls-{uuid.uuid4().hex[:8]}-"
    admin = AdminClient({"bootstrap.servers": kafka})
    names = [f"{prefix}{number:04d}" for number in range(SESSIONS)]
    for created in admin.create_topics([NewTopic(n, 1, 1) for n in names], request_timeout=60).values():
        created.result(60)
    producer = Producer({"bootstrap.servers": kafka})
    for name in names[::10]:
        producer.produce(name, b'{"type": "human", "data": {"content": "x"}}', partition=0)
    assert producer.flush(60) == 0
    yield prefix
    for deleted in admin.delete_topics(names, request_timeout=60).values():
        deleted.result(60)


def test_ls_of_a_thousand_sessions_asks_a_few_times(
    kafka: str, thousand: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    surveys: list[Survey] = []
    begin = Survey.__enter__

    def entered(survey: Survey) -> Survey:
        surveys.append(survey)
        return begin(survey)

    monkeypatch.setattr(Survey, "__enter__", entered)
    result = invoke("ls", "--match", f"{thousand}*", "--sort", "messages", "--json", "-b", kafka)
    assert result.exit_code == 0
    rows = lines(result.stdout)
    assert len(rows) == SESSIONS
    assert [row["messages"] for row in rows] == [1] * (SESSIONS // 10) + [0] * (SESSIONS - SESSIONS // 10)
    assert result.stderr == f"kchat: {SESSIONS:,} sessions\n"
    assert [survey.requests for survey in surveys] < [REQUESTS_MAX]


def test_ls_leaves_out_topics_of_other_programs_and_says_so(kafka: str, session: str) -> None:
    say(kafka, session, "one")
    producer = Producer({"bootstrap.servers": kafka})
    admin = AdminClient({"bootstrap.servers": kafka})
    other = f"{session}.orders"
    admin.create_topics([NewTopic(other, 1, 1)])[other].result(10)
    producer.produce(other, b'{"order": 5}')
    assert producer.flush(10) == 0
    result = invoke("ls", "--match", session, "-b", kafka)
    assert [line.split()[-1] for line in result.stdout.splitlines()] == ["session", session]
    assert "1 topic has no messages in the newest records: --all" in result.stderr
    everything = invoke("ls", "--match", session, "--all", "-b", kafka)
    assert [line.split()[-1] for line in everything.stdout.splitlines()] == ["session", session, other]


def test_a_session_of_any_name_is_listed_and_cannot_control_the_terminal(kafka: str, session: str) -> None:
    hostile = f"{session}\x1b[2J\u202e/\x07"
    say(kafka, hostile, "one")
    for command in (["ls", "--match", session], ["verify", hostile], ["doctor", hostile]):
        result = invoke(*command, "-b", kafka)
        assert {"\x1b", "\u202e", "\x07"} & set(result.output) == set()
        assert place(hostile).topic in result.stdout or session in result.stdout
    listed = invoke("ls", "--match", session, "--json", "-b", kafka)
    assert [row["session"] for row in lines(listed.stdout)] == [hostile]


def test_ls_of_a_wrong_password_is_one_sentence_without_it(kafka: str) -> None:
    options = [
        part
        for given in ("security.protocol=SASL_PLAINTEXT", "sasl.mechanism=PLAIN", "sasl.username=somebody")
        for part in ("-X", given)
    ]
    result = invoke("ls", "-b", kafka, *options, "--debug", KCHAT_KAFKA__SASL__PASSWORD="hunter2-horse")
    assert result.exit_code == 1
    assert result.stdout == ""
    happened, next_step = result.stderr.splitlines()[-2:]
    assert happened.startswith("kchat: the cluster was not asked to the end: ")
    assert next_step.startswith("Next step: check")
    assert "hunter2" not in result.output


def test_doctor_says_what_endangers_a_session_and_its_mend(kafka: str, session: str) -> None:
    say(kafka, session, "one")
    result = invoke("doctor", session, "--probe", "--json", "-b", kafka)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    checks = {(check["name"], check["level"]): check for check in document["checks"]}
    assert ("connection", "ok") in checks
    assert ("clock", "ok") in checks
    assert "Kafka " in next(c["text"] for c in document["checks"] if c["name"] == "version")
    lonely = checks["replication", "warning"]
    assert lonely["topics"] == [session]
    assert "replication_factor=3" in lonely["mend"]
    text = invoke("doctor", session, "-b", kafka)
    assert text.exit_code == 1
    assert "warning  replication: 1 topic: one replica" in text.stdout
    assert invoke("doctor", f"{session}-nobody", "-b", kafka).exit_code == 1


def test_doctor_of_a_cluster_that_is_away_says_so() -> None:
    result = invoke("doctor", "--json", "-b", "127.0.0.1:1")
    assert result.exit_code == 1
    last = json.loads(result.stdout)["checks"][-1]
    assert (last["name"], last["level"]) == ("connection", "error")
    assert "Connection refused" in last["text"]
    assert last["mend"]
