"""A PostgreSQL as `initdb` leaves it: fsync on, synchronous commits."""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.brokers.ports import HOST, free_ports
from tests.brokers.process import ChildProcess
from tests.brokers.scratch import scratch_directory

from bench.servers.absence import NotHereError
from bench.servers.redis import wait_listening

USER = "postgres"
INITDB_SECONDS_MAX = 60.0
READY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 10.0
DEBIAN = Path("/usr/lib/postgresql")
"""Debian keeps the server's programs here, by version and not on the search path."""


class _Owner:
    """Has the directory for as long as the server runs."""


@contextmanager
def open_postgres() -> Iterator[str]:
    """Give the SQLAlchemy URL of a new, empty PostgreSQL; it is ended afterwards.

    Raises:
        NotHereError: it is not installed, or there is no user that it would run as.
        StartError: it did not start.
    """
    programs, prefix = _programs(), _as_somebody_else()
    owner = _Owner()
    directory, remove = scratch_directory(owner)
    try:
        cluster = directory / "cluster"
        cluster.mkdir(mode=0o700)
        if prefix:
            for each in (directory, cluster):
                shutil.chown(each, USER)
        # "trust" because it listens on loopback only, for the minutes of one run.
        _run((*prefix, str(programs / "initdb"), "-D", str(cluster), "-U", USER, "-A", "trust", "-E", "UTF8"))
        with _running(programs, prefix, cluster, directory) as port:
            yield f"postgresql+psycopg://{USER}@{HOST}:{port}/postgres"
    finally:
        remove()


def postgres_version() -> str:
    """As the program says it. Raises NotHereError."""
    return _run((str(_programs() / "postgres"), "--version")).split()[2]


@contextmanager
def _running(programs: Path, prefix: Sequence[str], cluster: Path, directory: Path) -> Iterator[int]:
    port = free_ports(1)[0]
    settings = (f"listen_addresses={HOST}", f"port={port}", "unix_socket_directories=")
    arguments = [word for setting in settings for word in ("-c", setting)]
    child = ChildProcess(
        (*prefix, str(programs / "postgres"), "-D", str(cluster), *arguments), directory / "postgres.log"
    )
    try:
        child.wait_for_line("ready to accept connections", READY_SECONDS_MAX)
        wait_listening(port, READY_SECONDS_MAX)
        yield port
    finally:
        if child.running:
            os.kill(child.pid, signal.SIGINT)  # SIGTERM would wait for connections that pools keep
        if not child.wait(STOP_SECONDS_MAX):
            child.kill()


def _programs() -> Path:
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    newest = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if not newest:
        raise NotHereError("PostgreSQL is not installed")
    return newest[-1].parent


def _as_somebody_else() -> tuple[str, ...]:
    """What to put before a command: PostgreSQL refuses to run as root.

    setpriv, not runuser: it becomes the server, so that the child that is ended is the server itself.
    """
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        raise NotHereError("PostgreSQL does not run as root, and there is no setpriv to become another user")
    try:
        pwd.getpwnam(USER)
    except KeyError:
        raise NotHereError(f"PostgreSQL does not run as root, and there is no user {USER}") from None
    return ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--")


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INITDB_SECONDS_MAX,
        cwd="/",  # a directory that its user may be in
        check=False,
    )
    if done.returncode:
        raise NotHereError(f"PostgreSQL cannot be set up: {done.stderr.strip()[-200:]}")
    return done.stdout
