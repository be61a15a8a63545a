from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.brokers import probes

if TYPE_CHECKING:
    from pathlib import Path

OPENJDK = 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment (build 17.0.15+6)\n'
ORACLE_8 = 'java version "1.8.0_392"\nJava(TM) SE Runtime Environment (build 1.8.0_392-b08)\n'
EARLY_ACCESS = 'Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "27-ea" 2027-03-16\n'


@pytest.mark.parametrize(
    ("output", "version"), [(OPENJDK, 17), (ORACLE_8, 8), (EARLY_ACCESS, 27), ("", None)]
)
def test_java_version_is_read(output: str, version: int | None) -> None:
    assert probes.parse_java_version(output) == version


def write_program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_java_speaks_on_standard_error(tmp_path: Path) -> None:
    java = write_program(tmp_path / "java", """echo 'openjdk version "21.0.1"' >&2""")
    assert probes.java_version(java) == 21


def test_java_that_fails_is_none(tmp_path: Path) -> None:
    java = write_program(tmp_path / "java", "echo 'Unable to locate a Java Runtime' >&2; exit 1")
    assert probes.java_version(java) is None


def test_java_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert probes.java_version(str(tmp_path / "java")) is None


def test_java_that_hangs_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "JAVA_LIMIT_SECONDS", 0.1)
    assert probes.java_version(write_program(tmp_path / "java", "exec sleep 10")) is None


def test_maven_is_looked_for_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not probes.maven_present()
    write_program(tmp_path / "mvn", "exit 0")
    assert probes.maven_present()


def test_docker_that_is_not_there_is_told_quickly_and_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where testcontainers and Docker keep other addresses
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody.sock")
    began = time.monotonic()
    assert not probes.docker_answers()
    assert time.monotonic() - began < probes.DOCKER_LIMIT_SECONDS + 0.5
    assert capfd.readouterr() == ("", "")


def test_docker_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "DOCKER_LIMIT_SECONDS", 0.2)
    began = time.monotonic()
    assert not probes.docker_answers((sys.executable, "-c", "import time; time.sleep(10)"))
    assert time.monotonic() - began < 2


def test_docker_that_answers_is_found() -> None:
    assert probes.docker_answers((sys.executable, "-c", ""))
