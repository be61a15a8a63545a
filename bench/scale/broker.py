"""One broker with Kafka's own settings, as far as they matter here, that can be stopped in good order."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen
from tests.brokers import Missing, choose_jars_here
from tests.brokers.installation import installed
from tests.brokers.jars import JarsKafka
from tests.brokers.pids import is_running
from tests.brokers.scratch import scratch_directory

from bench.scale.census import Census, taken
from bench.servers.absence import NotHereError

HEAP = "1g"
STOP_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.02
SETTINGS = {
    # Kafka's defaults, where the tests' brokers have others for the sake of speed.
    "broker.heartbeat.interval.ms": "2000",
    "log.retention.check.interval.ms": "300000",
    "num.io.threads": "8",
    "num.network.threads": "3",
    # Not its defaults, 30 s and 60 s: only waiting.
    "log.initial.task.delay.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
}
JAVA = ("-XX:-UseSerialGC", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=4")
"""As Kafka's own scripts run it; the tests' brokers live too short for that."""


@frozen(kw_only=True)
class Restarted:
    """Seconds of a stop in good order, and of the start after it."""

    stop: float
    start: float


class Broker:
    """A running broker and its data directory."""

    def __init__(self, kafka: JarsKafka, directory: Path) -> None:
        self._kafka = kafka
        self.directory = directory

    @property
    def bootstrap(self) -> str:
        """Its address."""
        return self._kafka.bootstrap

    def census(self) -> Census:
        """What it holds now."""
        return taken(self._pid(), self.directory)

    def restart(self) -> Restarted:
        """Stop it in good order, however long that takes, and start it."""
        begun = time.monotonic()
        pid = self._pid()
        os.kill(pid, signal.SIGTERM)
        while is_running(pid):
            if time.monotonic() - begun > STOP_SECONDS_MAX:
                raise TimeoutError("the broker did not stop")
            time.sleep(LOOK_SECONDS)
        stopped = time.monotonic()
        self._kafka.restart()
        return Restarted(stop=stopped - begun, start=time.monotonic() - stopped)

    def _pid(self) -> int:
        pid = self._kafka.pid
        if pid is None:
            raise RuntimeError("the broker is not running")
        return pid


class _Owner:
    """Has the data directory for as long as the broker runs."""


@contextmanager
def open_broker(heap: str = HEAP) -> Iterator[Broker]:
    """Give a new, empty broker; it and its files are gone afterwards.

    Raises:
        NotHereError: there is no Java or no Maven.
    """
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        raise NotHereError(str(choice))
    owner = _Owner()
    scratch, remove = scratch_directory(owner)
    directory = scratch / "log"
    try:
        settings = {**SETTINGS, "log.dirs": str(directory)}
        with JarsKafka(installed(choice.java), heap=heap, extra=settings, jvm_options=JAVA) as kafka:
            yield Broker(kafka, directory)
    finally:
        remove()
