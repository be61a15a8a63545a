"""A Redis that keeps what it was told: every write is on the disk before it is answered."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.brokers.ports import HOST, free_ports
from tests.brokers.process import ChildProcess
from tests.brokers.scratch import scratch_directory

from bench.servers.absence import NotHereError

READY_SECONDS_MAX = 10.0
STOP_SECONDS_MAX = 3.0
VERSION_SECONDS_MAX = 10.0
LOOK_SECONDS = 0.02


class _Owner:
    """Has the directory for as long as the server runs."""


@contextmanager
def open_redis() -> Iterator[str]:
    """Give the URL of a new, empty Redis; it is ended afterwards.

    Raises:
        NotHereError: no `redis-server` is installed.
        StartError: it did not start.
    """
    command = _command()
    owner = _Owner()
    directory, remove = scratch_directory(owner)
    port = free_ports(1)[0]
    # Kafka and PostgreSQL answer when a write is safe, and Redis shall do the same.
    durable = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
    where = ("--port", str(port), "--bind", HOST, "--dir", str(directory))
    child = ChildProcess((command, *where, *durable), directory / "redis.log")
    try:
        child.wait_for_line("Ready to accept connections", READY_SECONDS_MAX)
        wait_listening(port, READY_SECONDS_MAX)
        yield f"redis://{HOST}:{port}/0"
    finally:
        child.terminate(STOP_SECONDS_MAX)
        remove()


def redis_version() -> str:
    """As the program says it. Raises NotHereError."""
    said = subprocess.run(  # noqa: S603
        (_command(), "--version"), capture_output=True, text=True, timeout=VERSION_SECONDS_MAX, check=True
    ).stdout
    return next((word.removeprefix("v=") for word in said.split() if word.startswith("v=")), "unknown")


def wait_listening(port: int, seconds_max: float) -> None:
    """Wait until somebody listens on this port of loopback."""
    end = time.monotonic() + seconds_max
    while True:
        try:
            socket.create_connection((HOST, port), 1.0).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(LOOK_SECONDS)
        else:
            return


def _command() -> str:
    found = shutil.which("redis-server")
    if found is None:
        raise NotHereError("redis-server is not installed")
    return found
