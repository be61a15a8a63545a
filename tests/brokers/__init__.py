"""A real Apache Kafka for the tests: found, or started here.

Its use, once per test run:

@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    choice = choose_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with open_kafka(choice) as bootstrap:
        yield bootstrap
"""

from __future__ import annotations

import functools
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, assert_never

from tests.brokers.choice import (
    Choice,
    Container,
    External,
    Jars,
    Missing,
    choose,
    choose_jars,
    java_command,
)
from tests.brokers.probes import docker_answers, java_version, maven_present

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Choice",
    "Container",
    "External",
    "Jars",
    "KafkaMissingError",
    "Missing",
    "choose_here",
    "choose_jars_here",
    "open_kafka",
]


class KafkaMissingError(Exception):
    """No real Kafka can be had here; the text says what to install."""


@functools.cache
def choose_here() -> Choice:
    """Choose for this machine and this environment; the machine is looked at once."""
    return choose(os.environ, docker_answers, _java_version_here, maven_present)


@functools.cache
def choose_jars_here() -> Jars | Missing:
    """Choose for tests that kill, hang and restart their broker: only jars will do."""
    return choose_jars(os.environ, _java_version_here, maven_present)


@contextmanager
def open_kafka(choice: Choice) -> Iterator[str]:
    """Give the bootstrap address of the chosen Kafka; what was started for it is ended afterwards.

    Raises:
        KafkaMissingError: if the choice is that there is none.
    """
    # Imported where used: testcontainers loads slowly, and jars need a POSIX system.
    match choice:
        case External(bootstrap):
            yield bootstrap
        case Container():
            from tests.brokers.container import open_container

            with open_container() as bootstrap:
                yield bootstrap
        case Jars(java):
            from tests.brokers.installation import installed
            from tests.brokers.jars import JarsKafka

            # Some thousand topics are created in one run.
            with JarsKafka(installed(java), heap="512m") as kafka:
                yield kafka.bootstrap
        case Missing():
            raise KafkaMissingError(str(choice))
        case _:
            assert_never(choice)


def _java_version_here() -> int | None:
    return java_version(java_command(os.environ))
