"""Watching many sessions for new records, with one consumer and one thread for all of them.

A watch says when it is worth reading again; the read itself is an ordinary one. So the records that arrive
here are thrown away, and a thousand followers cost what one does (docs/adr/0022-watching.md).
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Event, Lock, Thread

from attrs import define, field
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from kchat.core import Closed, InvalidConfig, WatchRequest
from kchat.io.clients import Client, Clients

POLL_SECONDS = 0.1
"""How long the thread waits for records before it looks for new watches: assigning from another thread blocks
that one, an event loop say, until the poll is over (measured)."""

RECORDS_MAX = 500
IDLE_SECONDS_MAX = 30.0
"""A partition that nobody watches for so long is given up; without any, the thread and the consumer end."""

UNKNOWN_SECONDS = 0.25
"""How often it is worth looking for a topic whose partitions are not known."""

Key = tuple[str, int]


@define(eq=False)
class Place:
    """Where the consumer stands in one partition, who waits there, and since when nobody does."""

    position: int
    waiting: set["Waiting"] = field(factory=set)
    left: float = 0.0


@define(eq=False)
class Waiting:
    """One watch under way. `wake` may be called from any thread, and more than once."""

    positions: dict[Key, int]
    wake: Callable[[], None]


class Watcher:
    """All watches of one log in one process. It makes its consumer at the first one."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = Lock()
        self._places: dict[Key, Place] = {}
        self._new: list[Key] = []
        self._turn: object | None = None
        self._closed = False

    def watch(self, request: WatchRequest) -> bool:
        """Wait until there may be a record at or beyond a position; False when the time is over first."""
        woken = Event()
        seconds = request.wait_ms_max / 1000
        if not request.positions:
            woken.wait(min(seconds, UNKNOWN_SECONDS))
            return True
        waiting = self._enter(request, woken.set)
        try:
            news = woken.wait(seconds)
        finally:
            self._leave(waiting)
        self._check_open()
        return news

    async def awatch(self, request: WatchRequest) -> bool:
        """The same, without a thread of its own for each."""
        seconds = request.wait_ms_max / 1000
        if not request.positions:
            await asyncio.sleep(min(seconds, UNKNOWN_SECONDS))
            return True
        loop = asyncio.get_running_loop()
        woken = asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(woken.set)

        waiting = self._enter(request, wake)
        try:
            async with asyncio.timeout(seconds):
                await woken.wait()
        except TimeoutError:
            pass
        finally:
            self._leave(waiting)
        self._check_open()
        return woken.is_set()

    def close(self) -> None:
        """Wake everybody. The thread ends the consumer as soon as it sees that."""
        with self._lock:
            self._closed = True
            for place in self._places.values():
                _wake(place, None)

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the log was closed", next_step="open a new one")

    def _enter(self, request: WatchRequest, wake: Callable[[], None]) -> Waiting:
        positions = {(request.topic, p.partition): p.offset for p in request.positions}
        waiting = Waiting(positions, wake)
        with self._lock:
            self._check_open()
            self._run()
            for key, offset in positions.items():
                place = self._places.get(key)
                if place is None:
                    place = self._places[key] = Place(offset)
                    self._new.append(key)
                elif place.position > offset:
                    wake()  # what came since then was thrown away
                place.waiting.add(waiting)
        return waiting

    def _leave(self, waiting: Waiting) -> None:
        with self._lock:
            for key in waiting.positions:
                place = self._places.get(key)
                if place is not None:
                    place.waiting.discard(waiting)
                    place.left = time.monotonic()

    def _run(self) -> None:
        """See that a thread polls a consumer. It makes that itself: the caller may be an event loop."""
        if self._turn is None:
            self._turn = turn = object()
            Thread(target=self._poll, args=(turn,), name="kchat-watch", daemon=True).start()

    def _poll(self, turn: object) -> None:
        client: Client[Consumer] | None = None
        # Without a consumer watches end when their time is over, and the reads then tell what is wrong.
        with suppress(KafkaException, InvalidConfig, RuntimeError):
            try:
                client = self._clients.watcher()
                while self._goes_on(client):
                    self._assign(client)
                    first = client.handle.poll(POLL_SECONDS)
                    if first is not None:
                        self._sort(client, [first, *client.handle.consume(RECORDS_MAX, 0)])
            finally:
                self._give_up(turn, client)

    def _goes_on(self, client: Client[Consumer]) -> bool:
        """Give up what nobody watches; whether anything is left."""
        before = time.monotonic() - IDLE_SECONDS_MAX
        with self._lock:
            idle = [key for key, place in self._places.items() if not place.waiting and place.left < before]
            for key in idle:
                del self._places[key]
            if idle and self._places:
                client.handle.incremental_unassign([TopicPartition(*key) for key in idle])
            self._new = [key for key in self._new if key in self._places]
            if self._closed or not self._places:
                self._turn = None
                return False
            return True

    def _assign(self, client: Client[Consumer]) -> None:
        """Begin to look at what is watched newly."""
        with self._lock:
            new = [TopicPartition(*key, self._places[key].position) for key in dict.fromkeys(self._new)]
            self._new = []
        if new:
            client.handle.incremental_assign(new)

    def _give_up(self, turn: object, client: Client[Consumer] | None) -> None:
        """The thread ends, for whatever reason: nobody may wait for it."""
        with self._lock:
            if self._turn is turn:
                self._turn, self._new = None, []
                for place in self._places.values():
                    _wake(place, None)
                self._places.clear()
        if client is not None:
            self._clients.end_watcher(client)

    def _sort(self, client: Client[Consumer], messages: list[Message]) -> None:
        with self._lock:
            gone = []
            for message in messages:
                key = (message.topic() or "", message.partition() or 0)
                place, error = self._places.get(key), message.error()
                if place is None:
                    continue
                if error is None:
                    offset = message.offset() or 0
                    place.position = max(place.position, offset + 1)
                    _wake(place, (key, offset))
                elif error.code() != KafkaError._PARTITION_EOF:
                    gone.append(key)  # it would come again and again; a reader is told what is wrong
            self._drop(client, gone)

    def _drop(self, client: Client[Consumer], keys: list[Key]) -> None:
        dropped = [(key, self._places.pop(key)) for key in dict.fromkeys(keys)]
        for _, place in dropped:
            _wake(place, None)
        if dropped:
            with suppress(KafkaException):
                client.handle.incremental_unassign([TopicPartition(*key) for key, _ in dropped])


def _wake(place: Place, record: tuple[Key, int] | None) -> None:
    """Wake those who wait for this record, or everybody."""
    for waiting in list(place.waiting):
        if record is None or record[1] >= waiting.positions[record[0]]:
            waiting.wake()
