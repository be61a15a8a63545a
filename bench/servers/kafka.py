"""A Kafka for this run alone, with one listener more behind a proxy that counts round trips."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import frozen
from tests.brokers import Missing, choose_jars_here
from tests.brokers.choice import BOOTSTRAP_VARIABLE
from tests.brokers.distribution import KAFKA_VERSION
from tests.brokers.installation import installed
from tests.brokers.jars import PLAINTEXT, JarsKafka

from bench.round_trips import RoundTrips
from bench.servers.absence import NotHereError

COUNTED = "COUNTED"
HEAP = "512m"
"""The tests' 128 MB would let a broker of this many records spend its time in its garbage collector."""


@frozen(kw_only=True)
class Kafka:
    """Its address, and the counter in front of its other one: None where the cluster is somebody else's."""

    bootstrap: str
    round_trips: RoundTrips | None


@contextmanager
def open_kafka() -> Iterator[Kafka]:
    """Give a real Kafka: the one that `KCHAT_TEST_BOOTSTRAP` names, or one from jars, ended afterwards.

    Raises:
        NotHereError: there is no Java or no Maven.
    """
    named = os.environ.get(BOOTSTRAP_VARIABLE, "").strip()
    if named:
        yield Kafka(bootstrap=named, round_trips=None)
        return
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        raise NotHereError(str(choice))
    with (
        RoundTrips() as round_trips,
        JarsKafka(
            installed(choice.java),
            heap=HEAP,
            listeners=(PLAINTEXT, COUNTED),
            advertised={COUNTED: round_trips.address},
        ) as kafka,
    ):
        round_trips.target = kafka.listeners[COUNTED]
        yield Kafka(bootstrap=kafka.bootstrap, round_trips=round_trips)


def kafka_version() -> str:
    """The version of the jars; "unknown" for a cluster that somebody else runs."""
    if os.environ.get(BOOTSTRAP_VARIABLE, "").strip():
        return "unknown"
    return KAFKA_VERSION
