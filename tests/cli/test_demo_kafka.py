"""`kchat demo` on a real Kafka: the same code, and nothing is left of it."""

from __future__ import annotations

import signal
import subprocess
import time
import uuid
from typing import TYPE_CHECKING

from kchat.core import RemoveTopic, TopicGone
from kchat.langchain import KafkaChatMessageHistory
from tests.cli.running import COMMAND, child_environment, contents, document, endings, invoke
from tests.cli.test_demo import EVERY_WAY

if TYPE_CHECKING:
    from kchat.io import KafkaLog

THERE, NOT_THERE = TopicGone(deleted=True), TopicGone(deleted=False)


def removed(log: KafkaLog, topic: str) -> object:
    """Remove the topic; the outcome says whether it was there."""
    return log.provision(RemoveTopic(topic=topic))


def test_it_reads_every_way_and_clears_the_topic(kafka: str, kafka_log: KafkaLog) -> None:
    result = invoke("demo", "--json", "--bootstrap", kafka)
    assert result.exit_code == 0
    parsed = document(result)
    assert endings(parsed) == [*EVERY_WAY[:-1], ("clear", "gone")]
    assert (parsed["bootstrap"], parsed["embedded"]) == (kafka, False)
    assert removed(kafka_log, parsed["topic"]) == NOT_THERE


def test_the_environment_names_the_cluster_too(kafka: str, kafka_log: KafkaLog) -> None:
    result = invoke("demo", "--keep", "--json", "--say", "hello", KCHAT_BOOTSTRAP=kafka)
    assert result.exit_code == 0
    assert removed(kafka_log, document(result)["topic"]) == THERE


def test_a_session_that_was_there_keeps_its_topic(kafka: str, kafka_log: KafkaLog) -> None:
    session = f"before-{uuid.uuid4().hex}"
    KafkaChatMessageHistory(session, kafka, log=kafka_log).add_user_message("I was here before")
    result = invoke("demo", "--json", "--bootstrap", kafka, "--session", session, "--say", "hello")
    assert result.exit_code == 0
    assert "It was there before" in result.stderr
    steps = document(result)["steps"]
    assert contents(steps[1]) == ["I was here before", "hello"]
    assert steps[-1]["call"].startswith("await aget_messages")
    assert removed(kafka_log, session) == THERE


def test_interrupted_it_clears_the_topic_too(kafka: str, kafka_log: KafkaLog) -> None:
    session = f"interrupted-{uuid.uuid4().hex}"
    arguments = [*COMMAND, "demo", "--bootstrap", kafka, "--session", session]
    child = subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment()
    )
    with child:
        assert child.stdout is not None
        next(line for line in child.stdout if "messages_from_last_consumed" in line)
        time.sleep(0.1)  # now it waits for new messages
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=10)
    assert child.returncode == 130
    assert removed(kafka_log, session) == NOT_THERE


def test_a_refused_login_is_one_sentence_without_the_password(kafka: str) -> None:
    properties = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "somebody",
        "sasl.password": "hunter2-correct-horse",
    }
    options = [part for name, value in properties.items() for part in ("-X", f"{name}={value}")]
    result = invoke("demo", "--bootstrap", kafka, "--debug", *options)
    assert result.exit_code == 1
    sentence, next_step = result.stderr.splitlines()[-2:]
    assert sentence.startswith("kchat: the read failed: ")
    assert next_step.startswith("Next step: check the sasl.* settings")
    assert "hunter2" not in result.output
