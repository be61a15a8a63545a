"""Runs a piece of Python in a process of its own: for deaths, signals, forks and exits."""

import subprocess
import sys
import textwrap
import time

CHILD_SECONDS_MAX = 40


def start(code: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start it; the caller waits for it or ends it."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(code: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run it to its end; one that does not end is killed, and fails the test."""
    process = start(code, *arguments)
    try:
        out, err = process.communicate(timeout=CHILD_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for_line(process: "subprocess.Popen[str]", line: str) -> None:
    """Wait until the process has printed a line: it is where the test wants it."""
    if process.stdout is None:
        raise AssertionError("no pipe")
    end = time.monotonic() + CHILD_SECONDS_MAX
    while time.monotonic() < end:
        printed = process.stdout.readline()
        if printed.strip() == line:
            return
        if not printed:
            break
    process.kill()
    raise AssertionError(f"{line!r} was not printed: {process.communicate()}")
