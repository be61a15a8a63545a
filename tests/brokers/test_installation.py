from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.brokers import installation
from tests.brokers.distribution import Distribution
from tests.brokers.installation import installed
from tests.brokers.process import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Java that only tells its version, jars that are there, and a cache of the test's own."""
    program = tmp_path / "java"
    program.write_text("#!/bin/sh\necho 'openjdk version \"17\"' >&2\n")
    program.chmod(0o755)
    monkeypatch.setattr(installation, "cache_directory", lambda _environ: tmp_path / "cache")
    monkeypatch.setattr(installation, "fetch", lambda java, directory: Distribution(java, directory / "libs"))
    installed.cache_clear()
    yield str(program)
    installed.cache_clear()


def test_the_archive_of_classes_is_made_once(java: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Path] = []

    def make(_distribution: Distribution, archive: Path) -> None:
        made.append(archive)
        archive.touch()

    monkeypatch.setattr(installation, "_make_archive", make)
    first = installed(java)
    installed.cache_clear()
    assert installed(java) == first
    assert made == [first.archive]
    assert f"-XX:SharedArchiveFile={first.archive}" in first.command("kafka.Kafka")


def test_kafka_runs_without_an_archive_where_none_can_be_made(
    java: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_distribution: Distribution, _archive: Path) -> None:
        raise StartError("no archive")

    monkeypatch.setattr(installation, "_make_archive", fail)
    distribution = installed(java)
    assert distribution.archive is None
    assert not any("SharedArchiveFile" in word for word in distribution.command("kafka.Kafka"))
