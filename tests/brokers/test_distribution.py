from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.brokers.distribution import KAFKA_VERSION, FetchError, cache_directory, fetch

# A Maven that counts its runs, takes a moment, and puts one jar where it is told.
FAKE_MAVEN = """#!/bin/sh
echo run >> "$RUNS"
sleep 0.2
for argument; do
  case "$argument" in -DoutputDirectory=*) mkdir "${argument#*=}" && touch "${argument#*=}/kafka.jar";; esac
done
"""


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let a fake Maven be found, and give the file with a line for each of its runs."""
    bin_directory = tmp_path / "bin"
    bin_directory.mkdir()
    install_maven(bin_directory, FAKE_MAVEN)
    monkeypatch.setenv("PATH", str(bin_directory), prepend=":")
    monkeypatch.setenv("RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def install_maven(directory: Path, text: str) -> None:
    path = directory / "mvn"
    path.write_text(text)
    path.chmod(0o755)


def test_the_cache_is_named_after_the_version_in_the_pom() -> None:
    pom = ET.parse(Path(__file__).with_name("pom.xml"))
    versions = {
        dependency.findtext("{*}artifactId"): dependency.findtext("{*}version")
        for dependency in pom.iter("{http://maven.apache.org/POM/4.0.0}dependency")
    }
    assert versions["kafka_2.13"] == KAFKA_VERSION


def test_the_cache_is_where_the_user_keeps_caches() -> None:
    assert cache_directory({"XDG_CACHE_HOME": "/caches"}) == Path(f"/caches/kchat/kafka-{KAFKA_VERSION}")
    assert cache_directory({}) == Path.home() / ".cache" / "kchat" / f"kafka-{KAFKA_VERSION}"


def test_jars_are_fetched_once(tmp_path: Path, runs: Path) -> None:
    for _ in range(2):
        assert (fetch("java", tmp_path / "cache").libs / "kafka.jar").exists()
    assert runs.read_text() == "run\n"


def test_two_at_once_fetch_once(tmp_path: Path, runs: Path) -> None:
    threads = [threading.Thread(target=fetch, args=("java", tmp_path / "cache")) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert runs.read_text() == "run\n"
    assert sorted(path.name for path in (tmp_path / "cache").iterdir()) == ["libs", "lock"]


@pytest.mark.usefixtures("runs")
def test_a_maven_that_fails_is_quoted_and_leaves_nothing(tmp_path: Path) -> None:
    install_maven(tmp_path / "bin", "#!/bin/sh\necho 'Unknown host'; exit 1\n")
    with pytest.raises(FetchError, match=r"ended with code 1:\nUnknown host"):
        fetch("java", tmp_path / "cache")
    assert not (tmp_path / "cache" / "libs").exists()
