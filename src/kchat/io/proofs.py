"""Where a producer is known to the broker: on partitions that have acknowledged a record of it.

Until then no second request may be on the way. A broker that has nothing of a producer takes a batch of any
sequence number: if the first one is refused, for the partition's leader is not ready, and the second one is
taken, the client infers that the first was stored, too ("implicitly acked by subsequent batch success"), and
reports it so. It is lost. Seen on new topics and after changes of a leader, with confluent-kafka 2.16.1 and
Kafka 4.3.1: of 1,200 new sessions in 16 threads 5 lost their first message.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from kchat.core import Produce

KNOWN_MAX = 10_000
"""Places of one producer; one that is forgotten costs a round trip at its next append."""

VALID_SECONDS = 60.0
"""A topic that another program has deleted and created again knows nothing of its producers, and brokers
forget one that a partition has not heard of for a day (`producer.id.expiration.ms`)."""

LOST_SECONDS = 1.0
"""How long after its time a call is taken to be proving still: Ctrl-C may have kept it from saying `end`."""


Place = tuple[str, int | bytes | None]
"""A topic and what chooses the partition there: its number, or the key."""


def place_of(command: Produce, index: int) -> Place:
    """Where a record goes."""
    chosen = command.records[index].key if command.partition is None else command.partition
    return command.topic, chosen


class Proofs:
    """Which places have acknowledged a record of this producer, and which call is finding out."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._proven: OrderedDict[Place, float] = OrderedDict()
        self._proving: dict[Place, float] = {}
        self._waiting: dict[Place, set[Callable[[], object]]] = {}

    def holds(self, place: Place) -> bool:
        """Whether requests to this place may follow each other unanswered."""
        with self._lock:
            return time.monotonic() - self._proven.get(place, -VALID_SECONDS) < VALID_SECONDS

    def begin(self, place: Place, seconds: float, wake: Callable[[], object] | None = None) -> bool:
        """Take on the proof, for one record and so long. Where another call has it, `wake` comes after."""
        with self._lock:
            now = time.monotonic()
            if now < self._proving.get(place, 0.0):
                if wake is not None:
                    self._waiting.setdefault(place, set()).add(wake)
                return False
            self._proving[place] = now + seconds + LOST_SECONDS
            return True

    def extend(self, place: Place, seconds: float) -> None:
        """It takes longer."""
        with self._lock:
            self._proving[place] = time.monotonic() + seconds + LOST_SECONDS

    def end(self, place: Place) -> None:
        """The record was reported, or will not be: another call may try."""
        with self._lock:
            self._proving.pop(place, None)
            waiting = self._waiting.pop(place, ())
        for wake in waiting:
            wake()

    def add(self, place: Place) -> None:
        """A record was acknowledged."""
        with self._lock:
            self._proven[place] = time.monotonic()
            self._proven.move_to_end(place)
            if len(self._proven) > KNOWN_MAX:
                self._proven.popitem(last=False)

    def drop(self, topic: str) -> None:
        """The topic is not there, or a new one: it knows nothing of this producer."""
        with self._lock:
            for place in [place for place in self._proven if place[0] == topic]:
                del self._proven[place]
