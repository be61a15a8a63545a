"""Which real Kafka the tests use: a pure decision over what the machine offers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JAVA_VERSION_MIN = 17  # Kafka 4 brokers do not start on less

BOOTSTRAP_VARIABLE = "KCHAT_TEST_BOOTSTRAP"
SOURCE_VARIABLE = "KCHAT_TEST_KAFKA"
SOURCES = ("docker", "jars", "none")


@frozen
class External:
    """A cluster that somebody else runs."""

    bootstrap: str


@frozen
class Container:
    """A container, started through testcontainers."""


@frozen
class Jars:
    """Kafka's own jars, fetched by Maven and run by this Java."""

    java: str


@frozen
class Missing:
    """No real Kafka: why, and what would help."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"no real Kafka: {self.reason}; {self.remedy}"


Choice: TypeAlias = External | Container | Jars | Missing


def java_command(environ: Mapping[str, str]) -> str:
    """Java as Maven would find it: `JAVA_HOME` first, then the search path."""
    home = environ.get("JAVA_HOME", "")
    return f"{home}/bin/java" if home else "java"


def choose(
    environ: Mapping[str, str],
    docker_answers: Callable[[], bool],
    java_version: Callable[[], int | None],
    maven_present: Callable[[], bool],
) -> Choice:
    """Take the first that is there: a named cluster, Docker, Kafka's jars.

    `KCHAT_TEST_KAFKA` (docker, jars, none) restricts the choice to that one source.

    Raises:
        ValueError: if `KCHAT_TEST_KAFKA` is set to something else; a typing error must not skip tests.
    """
    source = environ.get(SOURCE_VARIABLE, "")
    bootstrap = environ.get(BOOTSTRAP_VARIABLE, "").strip()
    if source == "docker":
        return Container() if docker_answers() else _no_docker()
    if source == "jars":
        return choose_jars(environ, java_version, maven_present)
    if source == "none":
        return Missing(f"{SOURCE_VARIABLE}=none asks for none", f"unset {SOURCE_VARIABLE}")
    if source:
        raise ValueError(f"{SOURCE_VARIABLE}={source!r}: expected one of {', '.join(SOURCES)}")
    if bootstrap:
        return External(bootstrap)
    if docker_answers():
        return Container()
    jars = choose_jars(environ, java_version, maven_present)
    return jars if isinstance(jars, Jars) else _nothing_at_all(jars)


def choose_jars(
    environ: Mapping[str, str],
    java_version: Callable[[], int | None],
    maven_present: Callable[[], bool],
) -> Jars | Missing:
    """Decide for tests that must own the broker's process: they kill it, hang it, restart it."""
    version = java_version()
    lacks = []
    if version is None:
        lacks.append(f"no Java ({java_command(environ)} does not run)")
    elif version < JAVA_VERSION_MIN:
        lacks.append(f"Java {version} is too old")
    if not maven_present():
        lacks.append("no Maven (mvn is not on the search path)")
    if lacks:
        return Missing(", ".join(lacks), f"install Java {JAVA_VERSION_MIN} or newer and Maven")
    return Jars(java_command(environ))


def _no_docker() -> Missing:
    return Missing("no Docker engine answers", "start Docker")


def _nothing_at_all(jars: Missing) -> Missing:
    docker = _no_docker()
    return Missing(
        f"{docker.reason}, {jars.reason}",
        f"{docker.remedy}, or {jars.remedy}, or set {BOOTSTRAP_VARIABLE} to a cluster's host:port",
    )
