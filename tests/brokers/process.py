"""A child process that cannot outlive the tests."""

from __future__ import annotations

import atexit
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

POLL_SECONDS = 0.01
TAIL_LINES_MAX = 40


class StartError(Exception):
    """A child process ended early or was not ready in time; the text holds the end of its log."""


class ChildProcess:
    """A running program, its output in a file.

    It is ended at exit, and killed when this process is itself killed. It has a session of its own,
    so that Ctrl-C in the terminal reaches the tests only.
    """

    def __init__(self, command: Sequence[str], log_path: Path) -> None:
        self.log_path = log_path
        self._command_name = os.path.basename(command[0])
        self._owner_pid = os.getpid()
        with log_path.open("wb") as log:
            self._popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=log_path.parent,
                start_new_session=True,
            )
        self._guard = _kill_when_we_are_gone(self._popen.pid)
        atexit.register(self._kill_at_exit)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def wait_for_line(self, text: str, timeout_seconds: float) -> None:
        """Wait until the log holds a text.

        Raises:
            StartError: if the process ends before, or the time is up.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            ended = not self.running  # asked before the log is read: its last words count
            if text in self.log_path.read_text(errors="replace"):
                return
            if ended:
                raise self._start_failed(f"ended with code {self._popen.returncode}")
            if time.monotonic() > deadline:
                raise self._start_failed(f"was not ready after {timeout_seconds:g} s")
            time.sleep(POLL_SECONDS)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for the end; tell whether it came."""
        try:
            self._popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            return False
        self._release()
        return True

    def terminate(self, timeout_seconds: float) -> None:
        """Ask it to end (SIGTERM), and kill it when it does not."""
        self.resume()  # a stopped process would not see the request
        self._popen.terminate()
        if not self.wait(timeout_seconds):
            self.kill()

    def kill(self) -> None:
        """End it without warning (SIGKILL)."""
        self._popen.kill()
        self._popen.wait()
        self._release()

    def pause(self) -> None:
        """Let it hang (SIGSTOP): its sockets stay open, nothing is answered."""
        self._popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._popen.send_signal(signal.SIGCONT)

    def _start_failed(self, what: str) -> StartError:
        lines = self.log_path.read_text(errors="replace").splitlines()[-TAIL_LINES_MAX:]
        return StartError("\n".join([f"{self._command_name} {what}; the end of its log:", *lines]))

    def _release(self) -> None:
        atexit.unregister(self._kill_at_exit)
        if self._guard.stdin is not None and not self._guard.stdin.closed:
            self._guard.kill()  # before its input closes: the pid it guards may belong to another by then
            self._guard.wait()
            self._guard.stdin.close()

    def _kill_at_exit(self) -> None:
        if os.getpid() == self._owner_pid:  # a fork inherits the exit hooks, but not the child
            self.kill()


def _kill_when_we_are_gone(pid: int) -> subprocess.Popen[bytes]:
    """Start a watcher that kills a process once our end of its input closes, however we end.

    Not PR_SET_PDEATHSIG: it is Linux's only, and fires when the *thread* that started the child ends.
    """
    return subprocess.Popen(
        ("/bin/sh", "-c", 'read -r _; kill -KILL "$1"', "sh", str(pid)),
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
