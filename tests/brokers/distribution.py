"""Kafka's jars: fetched once by Maven, kept in the user's cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KAFKA_VERSION = "4.3.1"  # as in pom.xml
FETCH_LIMIT_SECONDS = 600.0

_POM = Path(__file__).with_name("pom.xml")


class FetchError(Exception):
    """Maven could not fetch the jars; the text holds what it said."""


@frozen
class Distribution:
    """What is needed to run Kafka."""

    java: str
    libs: Path
    archive: Path | None = None

    def command(self, main_class: str, *arguments: str, jvm_options: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give the command line that runs one of Kafka's programs."""
        sharing = () if self.archive is None else (f"-XX:SharedArchiveFile={self.archive}",)
        classpath = os.path.join(self.libs, "*")
        return (self.java, *_JVM_OPTIONS, *sharing, *jvm_options, "-cp", classpath, main_class, *arguments)


_JVM_OPTIONS = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # these brokers live for seconds: the second compiler never pays
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",  # a broker without memory must die, not hang
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=error",
    "-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info",  # says when it is ready
)


def cache_directory(environ: Mapping[str, str]) -> Path:
    home = environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if home else Path.home() / ".cache") / "kchat" / f"kafka-{KAFKA_VERSION}"


def fetch(java: str, directory: Path) -> Distribution:
    """Find the jars in the directory, or let Maven put them there.

    Raises:
        FetchError: if Maven fails.
    """
    libs = directory / "libs"
    with locked(directory):
        if not libs.is_dir():
            with tempfile.TemporaryDirectory(dir=directory, prefix="fetch-") as scratch:
                fetched = _copy_dependencies(Path(scratch))
                fetched.rename(libs)  # atomic: a run that is killed leaves no half a library
    return Distribution(java, libs)


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Keep other runs out of the directory. The lock ends with its process, so none is ever stale."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _copy_dependencies(scratch: Path) -> Path:
    libs = scratch / "libs"
    command = (
        shutil.which("mvn") or "mvn",
        "--quiet",
        "--batch-mode",
        f"--file={shutil.copy(_POM, scratch)}",  # Maven may write beside its pom
        "dependency:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={libs}",
    )
    try:
        subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=FETCH_LIMIT_SECONDS,
            check=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"Maven: {error}") from error
    except subprocess.CalledProcessError as error:
        said = bytes(error.stdout).decode(errors="replace")
        raise FetchError(f"Maven ended with code {error.returncode}:\n{said}") from error
    return libs
