"""Look at this machine. Probes are quick, quiet, and never raise: what cannot be told is not there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

DOCKER_LIMIT_SECONDS = 3.0
JAVA_LIMIT_SECONDS = 10.0

_DOCKER_PING = Path(__file__).with_name("docker_ping.py")
_JAVA_VERSION = re.compile(r'version "(?:1\.)?(\d+)')


def docker_answers(command: tuple[str, ...] = (sys.executable, "-P", str(_DOCKER_PING))) -> bool:
    """Tell whether a Docker engine answers.

    In a child process: the client may hang in name resolution, print, or leave sockets open.
    """
    return _output_of(command, DOCKER_LIMIT_SECONDS) is not None


def java_version(java: str) -> int | None:
    """Give Java's feature version, 8 for "1.8.0_392", or None when it does not run."""
    output = _output_of((java, "-version"), JAVA_LIMIT_SECONDS)
    return None if output is None else parse_java_version(output)


def parse_java_version(output: str) -> int | None:
    match = _JAVA_VERSION.search(output)
    return int(match[1]) if match else None


def maven_present() -> bool:
    return shutil.which("mvn") is not None


def _output_of(command: tuple[str, ...], limit_seconds: float) -> str | None:
    """Run a command; what it said on both channels, or None when it failed."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit_seconds,
            check=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout.decode(errors="replace")
