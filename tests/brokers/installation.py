"""Everything `JarsKafka` needs, made once and kept: the jars, and an archive of their parsed classes."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from attrs import evolve

from tests.brokers.distribution import Distribution, cache_directory, fetch, locked
from tests.brokers.jars import JarsKafka
from tests.brokers.process import StartError

JAVA_LIMIT_SECONDS = 10.0


@functools.cache
def installed(java: str) -> Distribution:
    """Find the distribution in the user's cache, or put it there: some ten seconds, once.

    Raises:
        FetchError: if Maven fails.
    """
    directory = cache_directory(os.environ)
    distribution = fetch(java, directory)
    archive = directory / f"classes-{_java_identity(java)}.jsa"
    with locked(directory):
        if not archive.exists():
            with suppress(OSError, StartError):  # the archive halves the start, and nothing depends on it
                _make_archive(distribution, archive)
    return evolve(distribution, archive=archive) if archive.exists() else distribution


def _java_identity(java: str) -> str:
    """Name this Java: another one silently ignores the archive, and would never get its own."""
    said = subprocess.run((java, "-version"), capture_output=True, timeout=JAVA_LIMIT_SECONDS, check=True)
    return hashlib.sha256(said.stderr).hexdigest()[:12]


def _make_archive(distribution: Distribution, archive: Path) -> None:
    """Let Java write the classes of one broker's life to a file, when that broker ends."""
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix="classes-") as scratch:
        unfinished = Path(scratch) / archive.name
        with JarsKafka(distribution, jvm_options=(f"-XX:ArchiveClassesAtExit={unfinished}",)) as kafka:
            kafka.stop()
        unfinished.rename(archive)
