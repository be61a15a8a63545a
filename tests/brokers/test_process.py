from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.brokers.pids import is_running
from tests.brokers.process import ChildProcess, StartError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
GONE_LIMIT_SECONDS = 5.0

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""

# Starts a child, tells its pid, and then ends in the way its argument says.
PARENT = """
import os, pathlib, signal, sys, time
from tests.brokers.pids import is_running
from tests.brokers.process import ChildProcess
child = ChildProcess(("sleep", "60"), pathlib.Path(sys.argv[1]) / "log")
print(child.pid, flush=True)
match sys.argv[2]:
    case "killed": os.kill(os.getpid(), signal.SIGKILL)
    case "interrupted": os.kill(os.getpid(), signal.SIGINT); time.sleep(10)
    case "terminated": os.kill(os.getpid(), signal.SIGTERM); time.sleep(10)
    case "forked":
        if os.fork() == 0:
            sys.exit()
        os.wait()
        print(child.running, flush=True)
"""


def python(code: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code)


def is_gone_soon(pid: int) -> bool:
    deadline = time.monotonic() + GONE_LIMIT_SECONDS
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not is_running(pid)


@pytest.fixture
def deaf(tmp_path: Path) -> Iterator[ChildProcess]:
    """A process that does not heed SIGTERM."""
    child = ChildProcess(python(DEAF), tmp_path / "log")
    child.wait_for_line("ready", 10)
    yield child
    child.kill()


def test_a_child_that_ignores_sigterm_is_killed(deaf: ChildProcess) -> None:
    deaf.terminate(timeout_seconds=0.1)
    assert not deaf.running
    assert not is_running(deaf.pid)


def test_a_child_that_hangs_can_be_ended(tmp_path: Path) -> None:
    child = ChildProcess(("sleep", "60"), tmp_path / "log")
    child.pause()
    child.terminate(timeout_seconds=5)
    assert not is_running(child.pid)


def test_ending_twice_does_no_harm(deaf: ChildProcess) -> None:
    deaf.kill()
    deaf.kill()
    deaf.terminate(timeout_seconds=1)
    deaf.pause()


def test_an_early_end_shows_the_end_of_the_log(tmp_path: Path) -> None:
    child = ChildProcess(
        python("for i in range(100): print('line', i)\nraise SystemExit(3)"), tmp_path / "log"
    )
    with pytest.raises(StartError, match=r"ended with code 3(?s:.)*line 60\n(?s:.)*line 99$") as raised:
        child.wait_for_line("ready", 10)
    child.kill()
    assert "line 59\n" not in str(raised.value)


def test_a_child_that_is_never_ready_is_told_of(deaf: ChildProcess) -> None:
    with pytest.raises(StartError, match=r"was not ready after 0\.05 s"):
        deaf.wait_for_line("something else", 0.05)


@pytest.mark.parametrize("how", ["killed", "interrupted", "terminated", "left"])
def test_a_child_does_not_outlive_its_parent(tmp_path: Path, how: str) -> None:
    parent = subprocess.run(
        (*python(PARENT), str(tmp_path), how), cwd=ROOT, capture_output=True, check=False, timeout=30
    )
    assert is_gone_soon(int(parent.stdout))


def test_a_fork_of_the_parent_does_not_end_the_child(tmp_path: Path) -> None:
    parent = subprocess.run(
        (*python(PARENT), str(tmp_path), "forked"), cwd=ROOT, capture_output=True, check=True, timeout=30
    )
    pid, running = parent.stdout.split()
    assert running == b"True"
    assert is_gone_soon(int(pid))
