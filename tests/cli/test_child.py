"""The command as a user runs it: a process of its own."""

from __future__ import annotations

import json
import shlex
import signal
import socket
import subprocess
import sys
import time

import pytest

from kchat.cli import ROOM
from tests.cli.running import COMMAND, child_environment, contents, run_child

WITHOUT = """
import sys
sys.modules[{missing!r}] = None
from kchat.cli import main
main()
"""


HEARD_SECONDS = 1.0
"""Ctrl-C works within this."""


def process_seconds() -> float:
    """What a process of the command costs on this machine now, however busy it is: to end one costs less."""
    begun = time.monotonic()
    run_child("--version")
    return time.monotonic() - begun


def test_the_demo_runs_without_a_kafka_and_without_a_warning() -> None:
    done = run_child("demo", "--json", "--say", "hello", "--say", "\x1b]0;title\x07")
    assert done.returncode == 0
    parsed = json.loads(done.stdout)
    assert contents(parsed["steps"][1]) == ["hello", "\x1b]0;title\x07"]
    assert [line.partition(" ")[0] for line in done.stderr.splitlines()] == ["An", "Session", "The"]


def test_help_and_version() -> None:
    assert "demo" in run_child("--help").stdout
    assert "--bootstrap HOST:PORT" in run_child("demo", "-h").stdout
    assert run_child("--version").stdout.startswith("kchat, version ")


@pytest.mark.parametrize("missing", ["click", "confluent_kafka", "langchain_core", "rich"])
def test_a_missing_extra_is_one_sentence(missing: str) -> None:
    code = WITHOUT.format(missing=missing)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == f"kchat: the package {missing} is missing; the extra kchat[cli] brings it\n"


@pytest.mark.parametrize(
    ("arguments", "after"),
    [
        pytest.param(["--bootstrap", "127.0.0.1:1"], "Session", id="unreachable"),
        pytest.param([], "messages_from_last_consumed()", id="waiting"),
    ],
)
def test_ctrl_c_ends_it_with_130(arguments: list[str], after: str) -> None:
    before = process_seconds()
    child = subprocess.Popen(
        [*COMMAND, "demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=child_environment(),
        restore_signals=True,
    )
    with child:
        assert child.stdout is not None
        for line in child.stdout:
            if after in line:
                break
        time.sleep(0.05)
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, told = child.communicate(timeout=10)
        took = time.monotonic() - begun
    assert child.returncode == 130
    assert took < HEARD_SECONDS + max(before, process_seconds())
    assert told == "\nkchat: interrupted\n"


def test_ctrl_c_is_heard_while_a_cluster_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        servers = f"127.0.0.1:{silent.getsockname()[1]}"
        child = subprocess.Popen(
            [*COMMAND, "ls", "-b", servers],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        with child:
            connection, _ = silent.accept()
            with connection:  # it waits for an answer that does not come
                time.sleep(0.3)
                begun = time.monotonic()
                child.send_signal(signal.SIGINT)
                _, told = child.communicate(timeout=10)
    assert child.returncode == 130
    assert time.monotonic() - begun < 3
    assert told == "\nkchat: interrupted\n"


def test_the_reader_of_a_pipe_may_go() -> None:
    child = subprocess.Popen(
        [*COMMAND, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=child_environment()
    )
    with child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.readline()
        child.stdout.close()
        assert child.stderr.read() == ""
    assert child.returncode == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{} ls -b 127.0.0.1:1 >&-", "stdout is closed; /dev/null takes what is not wanted"),
        ("{} --version >&-", "stdout is closed; /dev/null takes what is not wanted"),
        ("{} --help >/dev/full", f"No space left on device\nNext step: {ROOM}"),
        ("{} ls --help >/dev/full", f"No space left on device\nNext step: {ROOM}"),
    ],
)
def test_a_stdout_that_takes_nothing_is_one_sentence(line: str, told: str) -> None:
    done = run_shell(line)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"kchat: cannot write: {told}\n"


def test_closed_streams_are_no_defect() -> None:
    asked = run_shell("{} rm s -b 127.0.0.1:1 <&-")
    assert asked.returncode == 2
    assert "kchat: nobody can be asked here" in asked.stderr
    assert run_shell("{} export s -b 127.0.0.1:1 2>&-").returncode == 1
    assert run_shell("{} --version >&- 2>&-").returncode == 1


def test_a_password_is_not_asked_for_where_there_is_no_terminal() -> None:
    """Python would warn with a line of its own code, and read what stdin has."""
    done = subprocess.run(
        [*COMMAND, "ls", "-b", "127.0.0.1:1", "-X", "sasl.password=@"],
        input="hunter2\n",
        capture_output=True,
        text=True,
        timeout=60,
        env=child_environment(),
        start_new_session=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        "Invalid value for '-X': nobody can be asked for sasl.password: there is no terminal" in done.stderr
    )
    assert "getpass" not in done.stderr


def run_shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", line.format(shlex.join(COMMAND))],
        capture_output=True,
        text=True,
        timeout=60,
        env=child_environment(),
        check=False,
    )
