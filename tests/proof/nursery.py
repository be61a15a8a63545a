"""Children in milliseconds: a warm process that has imported kchat, and made no client, forks them.

A child runs a function of a module and ends as Python ends, so its exit code and its exit time are Python's.
What it prints is its report.
"""

import faulthandler
import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from attrs import frozen

LAST_WORDS_SECONDS = 2.0

KEPT_BYTES = 2_000_000
"""How much of what a child prints is kept."""


@frozen
class Ended:
    """How a child ended.

    Attributes:
        code: exit code; that of a death by signal is negative, as in `subprocess`.
        hung: it did not end in its time and was killed.
        seconds: how long it ran, after its "ready" if it printed one; `exit_seconds`: the part of it after
            its last output.
    """

    code: int
    out: str
    err: str
    hung: bool
    seconds: float
    exit_seconds: float

    @property
    def lines(self) -> list[Any]:
        """The lines that it printed and that are JSON."""
        lines: list[Any] = []
        for line in self.out.splitlines():
            with suppress(ValueError):
                lines.append(json.loads(line))
        return lines

    @property
    def report(self) -> Any:
        """The last of them; None where there is none."""
        lines = self.lines
        return lines[-1] if lines else None


class Nursery:
    """One case at a time. Close it in the end."""

    def __init__(self, *modules: str) -> None:
        self._popen = subprocess.Popen(
            [sys.executable, "-m", "tests.proof.nursery", *modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def run(
        self,
        function: str,
        *arguments: object,
        seconds_max: float,
        signal_after: float | None = None,
        signal_number: int = signal.SIGINT,
    ) -> Ended:
        """Run "module:function" in a child of its own.

        Args:
            seconds_max: it is killed after so long.
            signal_after: a signal comes so many seconds after the child has printed "ready".
        """
        if self._popen.stdin is None or self._popen.stdout is None:
            raise AssertionError("no pipes")
        case = [function, list(arguments), seconds_max, signal_after, signal_number]
        self._popen.stdin.write(json.dumps(case).encode() + b"\n")
        self._popen.stdin.flush()
        line = self._popen.stdout.readline()
        if not line:
            raise AssertionError(f"the nursery ended with {self._popen.wait()} over {case}")
        return Ended(**json.loads(line))

    def close(self) -> None:
        """End it; no child is left, as each run waits for its own."""
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
        self._popen.wait(10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _serve(modules: list[str]) -> None:
    """Fork a child for each line of stdin. This returns in the child, after its function."""
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    cases = os.fdopen(0, "rb", buffering=0, closefd=False)  # unbuffered: a child finds none of it
    while line := cases.readline():
        function, arguments, seconds_max, signal_after, signal_number = json.loads(line)
        (out, out_end), (err, err_end) = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            for taken, wanted in ((os.open(os.devnull, os.O_RDONLY), 0), (out_end, 1), (err_end, 2)):
                os.dup2(taken, wanted)
                os.close(taken)
            os.close(out)
            os.close(err)
            faulthandler.register(signal.SIGUSR1)
            module, _, name = function.partition(":")
            getattr(sys.modules[module], name)(*arguments)
            return
        os.close(out_end)
        os.close(err_end)
        ended = _watch(child, out, err, seconds_max, signal_after, signal_number)
        os.write(1, json.dumps(ended).encode() + b"\n")


def _watch(
    child: int, out: int, err: int, seconds_max: float, signal_after: float | None, signal_number: int
) -> dict[str, Any]:
    """Read what a child prints until it has ended; kill it when its time is over."""
    begun = spoken = time.monotonic()
    printed = {out: b"", err: b""}
    speaking = {out, err}
    due: float | None = None
    status: int | None = None
    hung = False
    while status is None:
        now = time.monotonic()
        if signal_after is not None and due is None and b"ready\n" in printed[out]:
            due, begun = now + signal_after, now
        if due is not None and now >= due:
            os.kill(child, signal_number)
            signal_after = due = None
        if now - begun > seconds_max and not hung:
            hung = True
            os.kill(child, signal.SIGUSR1)  # it prints where it stands
        elif now - begun > seconds_max + LAST_WORDS_SECONDS:
            os.kill(child, signal.SIGKILL)
        wait = 0.02 if due is None else max(0.0, min(0.02, due - now))
        for ready in select.select([*speaking], [], [], wait)[0]:
            more = os.read(ready, 65_536)
            printed[ready] = (printed[ready] + more)[:KEPT_BYTES]
            if more:
                spoken = time.monotonic()
            else:
                speaking.discard(ready)
        pid, found = os.waitpid(child, os.WNOHANG)
        status = found if pid else None
    ended = time.monotonic()
    for pipe in printed:
        os.set_blocking(pipe, False)
        while len(printed[pipe]) < KEPT_BYTES:
            try:
                more = os.read(pipe, 65_536)
            except BlockingIOError:  # a grandchild holds the other end
                break
            if not more:
                break
            printed[pipe] += more
        os.close(pipe)
    return {
        "code": os.waitstatus_to_exitcode(status),
        "out": printed[out].decode(errors="replace"),
        "err": printed[err].decode(errors="replace"),
        "hung": hung,
        "seconds": ended - begun,
        "exit_seconds": ended - spoken,
    }


if __name__ == "__main__":
    # As a module of its own name: what a child pickles must be found again by another Python.
    from tests.proof import nursery

    nursery._serve(sys.argv[1:])
