"""Export and import on a real Kafka: the old class's topics, and an import that is killed in the middle."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from langchain_community.chat_message_histories import KafkaChatMessageHistory as OldHistory
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.cli.intake import BATCH_RECORDS
from kchat.core import Message
from kchat.langchain import KafkaChatMessageHistory
from tests.cli.running import COMMAND, child_environment, document, invoke

if TYPE_CHECKING:
    from pathlib import Path

    from kchat.io import KafkaLog

KILLED_MESSAGES = 6 * BATCH_RECORDS


@pytest.fixture
def session() -> str:
    return f"import-{uuid.uuid4().hex}"


def counts(kafka: str, *arguments: str) -> tuple[int, int, int]:
    result = invoke("import", "-b", kafka, *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    report = document(result)
    return report["read"], report["there_already"], report["appended"]


def test_a_topic_of_the_old_class_is_imported_once_and_in_order(kafka: str, session: str) -> None:
    old = OldHistory(f"{session}-old", kafka)
    turns: list[BaseMessage] = [HumanMessage(str(number % 7)) for number in range(20)]
    for turn in turns:
        old.add_messages([turn])
        time.sleep(0.005)  # without keys, their time is all that orders them
    assert old.num_partitions == 3
    source = ("--from-topic", f"{session}-old", "--session", session)
    assert [counts(kafka, *source) for _ in range(2)] == [(20, 0, 20), (20, 20, 0)]
    with KafkaChatMessageHistory(session, kafka, replay=True) as history:
        assert history.messages == turns


def test_an_import_that_is_killed_is_finished_by_the_next_one(
    kafka: str, kafka_log: KafkaLog, session: str, tmp_path: Path
) -> None:
    texts = [str(number % 100) for number in range(KILLED_MESSAGES)]
    lines = [json.dumps({"type": "human", "data": {"content": text}}) + "\n" for text in texts]
    path = tmp_path / "a.jsonl"
    path.write_text("".join(lines))
    talk = kafka_log.conversation(session)
    # The child gets its lines by a pipe that stays open: it is killed with batches stored and lines to come.
    child = subprocess.Popen(
        [*COMMAND, "import", "-", "--format", "jsonl", "-b", kafka, "--session", session],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
    )
    with child:
        assert child.stdin is not None
        child.stdin.writelines(lines[: 3 * BATCH_RECORDS])
        child.stdin.flush()
        deadline = time.monotonic() + 30
        while not talk.last(1) and time.monotonic() < deadline:
            time.sleep(0.02)
        child.kill()
    stored = len(talk.read())
    assert BATCH_RECORDS <= stored < KILLED_MESSAGES
    read, there, appended = counts(kafka, str(path), "--session", session)
    # More than were stored a moment ago may be there: the broker takes what a killed client had sent.
    assert stored <= there
    assert (read, there + appended) == (KILLED_MESSAGES, KILLED_MESSAGES)
    assert [message.text for message in talk.read().messages] == texts
    assert counts(kafka, str(path), "--session", session) == (KILLED_MESSAGES, KILLED_MESSAGES, 0)


def test_what_is_exported_is_imported_and_exported_the_same(kafka: str, session: str, tmp_path: Path) -> None:
    with KafkaChatMessageHistory(session, kafka) as history:
        history.add_messages([HumanMessage(str(number)) for number in range(50)])
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert invoke("export", session, "-b", kafka, "-o", str(first)).exit_code == 0
    assert counts(kafka, str(first), "--session", f"{session}-2") == (50, 0, 50)
    assert invoke("export", f"{session}-2", "-b", kafka, "-o", str(second)).exit_code == 0

    def told(path: Path) -> list[tuple[object, object]]:
        return [
            (line.get("id"), line.get("message")) for line in map(json.loads, path.read_text().splitlines())
        ]

    assert told(first) == told(second)
    assert counts(kafka, str(second), "--session", session) == (50, 50, 0)


def all_drawn(terminal: int) -> bytes:
    """What is drawn until nobody has the terminal open; unread, it would hold up who draws."""
    drawn = b""
    with suppress(OSError):  # Linux says so at the end
        while part := os.read(terminal, 10_000):
            drawn += part
    return drawn


def test_a_bar_on_the_terminal_leaves_the_data_in_the_pipe(
    kafka: str, kafka_log: KafkaLog, session: str
) -> None:
    kafka_log.conversation(session).append([Message("human", {"content": "x" * 200}) for _ in range(50)])
    terminal, stderr = pty.openpty()
    with ThreadPoolExecutor() as readers:
        drawing = readers.submit(all_drawn, terminal)
        done = subprocess.run(
            [*COMMAND, "export", session, "-b", kafka],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**child_environment(), "TERM": "xterm"},
            timeout=60,
            check=True,
        )
        os.close(stderr)
        drawn = drawing.result()
    os.close(terminal)
    assert b"exporting" in drawn
    assert b"50 records as jsonl" in drawn
    assert [json.loads(line).get("offset") for line in done.stdout.splitlines()] == [None, *range(50), None]
