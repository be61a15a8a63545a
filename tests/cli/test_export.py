"""`kchat export` on a broker in memory."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from kchat.cli import ROOM, whole_reads
from kchat.cli.errors import CommandError
from kchat.cli.file_output import NAMED, output
from kchat.cli.group import kchat
from kchat.conversation import conversation
from kchat.core import ErrorKind, Message, TopicSettings
from kchat.testing import Refuse
from tests.cli.formats.conversations import TURNS
from tests.cli.running import ENVIRONMENT, document, invoke

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

    from kchat.conversation import Conversation
    from kchat.testing import FakeBroker


@pytest.fixture
def talk(fake: FakeBroker) -> Conversation[Message]:
    talk = conversation(fake, "s", settings=TopicSettings(partitions=1))
    talk.append(TURNS)
    return talk


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def contents(result: Result) -> list[Any]:
    return [line["message"]["data"]["content"] for line in lines(result.stdout)[1:-1]]


@pytest.mark.usefixtures("talk")
def test_stdout_has_the_conversation_and_stderr_the_rest() -> None:
    result = invoke("export", "s")
    assert result.exit_code == 0
    assert contents(result) == [message.data["content"] for message in TURNS]
    assert result.stderr == "kchat: 5 records as jsonl\n"


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("a.jsonl", '{"kchat_export": 1, "session": "s", "topic": "s"'),
        ("a.md", "# Conversation s\n"),
        ("a.html", "<!DOCTYPE html>"),
        ("a.txt", '{"kchat_export": 1'),
    ],
)
def test_the_ending_of_the_file_says_the_format(tmp_path: Path, name: str, begins: str) -> None:
    path = tmp_path / name
    assert invoke("export", "s", "-o", str(path)).exit_code == 0
    assert path.read_text(encoding="utf-8").startswith(begins)
    assert [found.name for found in tmp_path.iterdir()] == [name]


@pytest.mark.usefixtures("talk")
def test_the_report_says_what_a_format_could_not_carry(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    result = invoke("export", "s", "--format", "openai", "-o", str(path), "--json")
    assert result.exit_code == 0
    report = document(result)
    assert (report["records"], report["format"], report["file"]) == (5, "openai", str(path))
    assert [(loss["what"], loss["first"], loss["whole"]) for loss in report["not_carried"]] == [
        ("usage_metadata", ["0:2"], False),
        ("id", ["0:4"], False),
    ]
    assert "not carried: usage_metadata of 1 message (0:2)" in result.stderr
    assert [message["role"] for message in json.loads(path.read_text())["messages"]][:2] == ["system", "user"]


def test_poison_keeps_its_place_and_is_a_loss_where_it_cannot_be_kept(
    fake: FakeBroker, talk: Conversation[Message]
) -> None:
    fake.cluster.inject("s", b"{poison", key=b"s")
    talk.append([Message("human", {"content": "after"})])
    lossless = invoke("export", "s")
    assert lossless.exit_code == 0
    assert lines(lossless.stdout)[-3]["corrupt"]["base64"] == "e3BvaXNvbg=="
    markdown = invoke("export", "s", "--format", "markdown")
    assert markdown.exit_code == 1
    assert "not carried: 1 record: it is no message (0:5, not JSON" in markdown.stderr
    assert "after" in markdown.stdout
    fake.cluster.inject("s", b"5", key=b"s")
    both = invoke("export", "s", "--format", "markdown")
    assert "(0:5, not JSON, at character 1; 0:7, a JSON number, not" in both.stderr


def test_what_was_removed_is_not_exported(talk: Conversation[Message]) -> None:
    talk.redact(talk.read()[1].position)
    talk.append([Message("remove", {"content": "", "id": "a1"})])
    assert contents(invoke("export", "s")) == [TURNS[i].data["content"] for i in (0, 2, 3)]


def test_a_time_bounds_what_is_exported(fake: FakeBroker, talk: Conversation[Message]) -> None:
    times = [entry.time for entry in talk.read()]
    fake.cluster.inject("s", b'{"type": "human", "data": {"content": "later"}}', key=b"s", timestamp_ms=2**42)
    since = invoke("export", "s", "--since", "2100-01-01")
    assert contents(since) == ["later"]
    until = invoke("export", "s", "--until", "2100-01-01")
    assert len(contents(until)) == len(times)


def test_a_page_is_what_it_takes_and_pages_leave_nothing_out(
    fake: FakeBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole_reads, "PAGE_MESSAGES", 3)
    talk = conversation(fake, "s")
    talk.append([Message("human", {"content": str(number)}) for number in range(20)])
    largest = 0
    for part in whole_reads.whole_read(fake, session="s", topic="s"):
        largest = max(largest, len(part.entries))
    assert largest == 3
    assert contents(invoke("export", "s")) == [str(number) for number in range(20)]


def test_a_failed_export_leaves_the_file_that_was_there(
    fake: FakeBroker, talk: Conversation[Message], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "reopened", lambda: fake)  # so that the plan is the command's
    monkeypatch.setattr(whole_reads, "PAGE_MESSAGES", 2)
    path = tmp_path / "a.jsonl"
    path.write_text("before")
    performed = len(fake.commands)
    assert invoke("export", "s").exit_code == 0
    needed = len(fake.commands) - performed
    assert len(talk.read()) == 5
    fake.plan += [*[None] * (needed - 1), Refuse(ErrorKind.DENIED)]
    result = invoke("export", "s", "-o", str(path))
    assert result.exit_code == 1
    assert "the read failed" in result.stderr
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("talk")
def test_a_new_file_is_its_owners_alone_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    invoke("export", "s", "-o", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    invoke("export", "s", "-o", str(path))
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.usefixtures("talk")
def test_a_link_stays_one_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "target.jsonl")
    assert invoke("export", "s", "-o", str(tmp_path / "link.jsonl")).exit_code == 0
    assert (tmp_path / "link.jsonl").is_symlink()
    assert (tmp_path / "target.jsonl").read_text().startswith('{"kchat_export"')


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("name", ["-", "/dev/stdout"])
def test_stdout_may_be_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("export", "s", "-o", name)
    assert result.exit_code == 0
    assert contents(result) == [message.data["content"] for message in TURNS]
    assert list(tmp_path.iterdir()) == []
    assert invoke("export", "s", "-o", name, "--json").exit_code == 2


@pytest.mark.usefixtures("talk")
def test_a_pipe_is_written_to_as_it_is() -> None:
    reader, writer = os.pipe()
    with open(reader, encoding="utf-8") as pipe:
        result = invoke("export", "s", "-o", f"/dev/fd/{writer}")
        os.close(writer)
        assert result.exit_code == 0
        assert len(lines(pipe.read())) == 2 + len(TURNS)


def test_a_full_stdout_has_a_next_step_of_its_own() -> None:
    with pytest.raises(CommandError) as unnamed, output(None):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert (unnamed.value.next_step, unnamed.value.exit_code) == (ROOM, 1)
    with pytest.raises(CommandError) as named, output("/dev/full") as stream:
        stream.write("x")
    assert named.value.next_step == NAMED


def test_a_pipe_gets_utf_8_whatever_the_terminal_would(fake: FakeBroker) -> None:
    conversation(fake, "s").append([Message("human", {"content": "σαράντα"})])
    runner = CliRunner(charset="latin-1", env={**ENVIRONMENT, "KCHAT_BOOTSTRAP": "in-memory"})
    done = runner.invoke(kchat, ["export", "s", "--format", "html"])
    assert "<p>σαράντα</p>" in done.stdout_bytes.decode()


@pytest.mark.usefixtures("fake")
def test_a_session_that_is_not_there_is_one_sentence_and_no_file(tmp_path: Path) -> None:
    result = invoke("export", "no\x1bwhere", "-o", str(tmp_path / "a.jsonl"))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "kchat: there is no session 'no\\x1bwhere' on this cluster\n"
        "Next step: kchat ls shows those that are there\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("talk")
def test_wrong_usage_and_a_directory_that_is_missing(tmp_path: Path) -> None:
    assert invoke("export", "s", "--json").exit_code == 2
    assert invoke("export", "").exit_code == 2
    nameless = invoke("export", "s", "-o", "")
    assert (nameless.exit_code, "the name of the file is empty" in nameless.stderr) == (2, True)
    missing = invoke("export", "s", "-o", str(tmp_path / "no" / "a.jsonl"))
    assert missing.exit_code == 1
    assert (
        f"kchat: {tmp_path}/no/a.jsonl cannot be written: No such file or directory\nNext" in missing.stderr
    )
    shown = invoke("--debug", "export", "s", "-o", str(tmp_path / "no" / "a.jsonl"))
    assert "\nFileNotFoundError: [Errno 2]" in shown.stderr
