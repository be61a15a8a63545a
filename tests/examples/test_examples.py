"""Every example runs, and shows what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage

from kchat.langchain import KafkaChatMessageHistory

EXAMPLES = Path(__file__).parents[2] / "examples"
LINES_MAX = 80
SECONDS_MAX = 60

SHOWN = {
    "agent_that_is_recorded.py": [
        "What is 6 times 7? 42. (4 messages seen)",
        "Are you sure? I computed it. (6 messages seen)",
        " human: What is 6 times 7?\n    ai: I multiply.\n  tool: 42\n    ai: 42.\n human: Are you sure?\n",
    ],
    "audit_consumer.py": [
        "it crashed with 5 lines in the book",
        "7 lines, 2 messages came twice, none is missing",
        "0 messages are left for the next run",
    ],
    "chain_with_history.py": [
        "That is question 1; the first was 'What is a log?'.",
        "That is question 3; the first was 'What is a log?'.",
        "6 messages in session example-",
    ],
    "conversations_as_table.py": ["('alice', 'human', 11), ('bob', 'ai', 6)"],
    "own_shell.py": [
        "Describing asks for DescribeTopic",
        "Fetching asks for Fetch",
        "Complete: ['Who needs Kafka?', 'Not this list.']",
    ],
    "unit_test_without_kafka.py": ["both tests passed, without Kafka"],
}


ELSEWHERE = {"live_page.py", "own_shell_aiokafka.py"}
"""Run by tests of their own."""


def run(name: str, *arguments: str, **environment: str) -> str:
    own = {key: value for key, value in os.environ.items() if key != "KCHAT_BOOTSTRAP"}
    done = subprocess.run(
        [sys.executable, EXAMPLES / name, *arguments],
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        env=own | environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", SHOWN)
def test_an_example_shows_what_it_says(name: str) -> None:
    output = run(name)
    assert all(line in output for line in SHOWN[name]), output


def test_the_unit_test_is_one() -> None:
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command = [*pytest_alone, str(EXAMPLES / "unit_test_without_kafka.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_the_chain_runs_on_a_real_kafka_too(kafka: str) -> None:
    output = run("chain_with_history.py", KCHAT_BOOTSTRAP=kafka)
    assert all(line in output for line in SHOWN["chain_with_history.py"]), output
    assert output.endswith(f"at {kafka}\n")


def test_another_client_shares_the_cursor_with_the_history(kafka: str) -> None:
    session = f"alice@example.com {uuid.uuid4().hex}"
    with KafkaChatMessageHistory(session, kafka) as history:
        history.add_messages([HumanMessage("one"), AIMessage("two"), HumanMessage("three")])
        assert [message.content for message in history.messages_from_beginning(1)] == ["one"]
        assert run("own_shell_aiokafka.py", kafka, session) == "Complete\nai: two\nhuman: three\n"
        assert run("own_shell_aiokafka.py", kafka, session) == "Complete\n"
        history.add_user_message("four")
        assert [message.content for message in history.messages] == ["four"]
        assert history.messages_from_beginning(None)[0].content == "one"
        assert run("own_shell_aiokafka.py", kafka, session) == "Complete\n"


def test_the_worked_examples_are_as_short_as_the_pages_say() -> None:
    shell = (EXAMPLES / "own_shell_aiokafka.py").read_text()
    assert sum(map(bool, shell.splitlines())) <= 60
    reader = (EXAMPLES / "conversations_as_table.py").read_text()
    assert sum(map(bool, reader.partition("[start:reader]\n")[2].partition("# --8<--")[0].splitlines())) <= 15


def test_every_example_is_run_and_short() -> None:
    files = {path.name: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*.py")}
    assert set(files) == set(SHOWN) | ELSEWHERE
    assert max(files.values()) < LINES_MAX
