"""Watching many sessions for new records, with one consumer and one thread for all of them.

A watch says when it is worth reading again; the read itself is an ordinary one. So the records that arrive
here are thrown away, and a thousand followers cost what one does (docs/adr/0022-watching.md).
"""

import asyncio
import time
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from threading import Lock

from attrs import define, field
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from kchat.core import Closed, Ending, InvalidConfig, WatchRequest
from kchat.io.clients import Client, Clients
from kchat.io.waking import settle, settled_within

POLL_SECONDS = 0.1
"""How long the thread waits for records before it looks for new watches: assigning from another thread blocks
that one, an event loop say, until the poll is over (measured)."""

RECORDS_MAX = 500
IDLE_SECONDS_MAX = 30.0
"""A partition that nobody watches for so long is given up; without any, the thread and the consumer end."""

PLACES_MAX = 10_000
"""With more partitions than this, one that nobody watches is given up at once."""

CLOSE_SECONDS_MAX = 1.0
"""How long `close` waits for the thread to hand over its consumer; one poll is what it takes."""

WATCH_SECONDS_MAX = 86_400.0
"""A lock takes no time of any length; whoever waits longer than a day watches again."""

UNKNOWN_SECONDS = 0.25
"""How often it is worth looking for a topic whose partitions are not known."""

Key = tuple[str, int]


@define(eq=False)
class Place:
    """Where the consumer stands in one partition, who waits there, and since when nobody does."""

    position: int
    waiting: set["Waiting"] = field(factory=set)
    left: float = 0.0
    assigned: bool = False


@define(eq=False)
class Waiting:
    """One watch under way. `wake` may be called from any thread, and more than once; `loop` is its task's."""

    positions: dict[Key, int]
    wake: Callable[[], None]
    ending: Ending | None = None
    loop: asyncio.AbstractEventLoop | None = None


@define(eq=False)
class Turn:
    """One thread's time with a consumer; `over` is released when it has handed that over to be ended."""

    over: Lock = field(factory=Lock)


class Watcher:
    """All watches of one log in one process. It makes its consumer at the first one."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = Lock()
        self._places: dict[Key, Place] = {}
        self._new: list[Key] = []
        self._turn: Turn | None = None
        self._looked = 0.0
        self._closed = False

    def watch(self, request: WatchRequest) -> bool:
        """Wait until there may be a record at or beyond a position; False when the time is over first."""
        # A plain lock: Ctrl-C inside an Event, which is Python code, can leave it locked for good.
        asleep = Lock()
        asleep.acquire()

        def wake() -> None:
            with suppress(RuntimeError):  # it was woken already
                asleep.release()

        self._check_open()
        waiting = _waiting(request, wake)
        try:
            self._enter(waiting)
            news = asleep.acquire(timeout=_seconds(request))
        finally:
            self._leave(waiting)
        self._check_open()
        return news or not waiting.positions

    async def awatch(self, request: WatchRequest) -> bool:
        """The same, without a thread of its own for each."""
        loop = asyncio.get_running_loop()
        woken: asyncio.Future[bool] = loop.create_future()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is over
                loop.call_soon_threadsafe(settle, woken, True)

        self._check_open()
        waiting = _waiting(request, wake, loop)
        try:
            self._enter(waiting)
            news = await settled_within(woken, _seconds(request))
        finally:
            self._leave(waiting)
        self._check_open()
        return news or not waiting.positions

    def close(self) -> None:
        """Wake everybody, and wait until the thread has handed its consumer over to be ended."""
        with self._lock:
            self._closed = True
            turn = self._turn
            for place in self._places.values():
                _wake(place, None)
        if turn is not None and turn.over.acquire(timeout=CLOSE_SECONDS_MAX):
            turn.over.release()

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the log was closed", next_step="open a new one")

    def _enter(self, waiting: Waiting) -> None:
        with self._lock:
            self._check_open()
            if waiting.positions:
                self._run()
            for key, offset in waiting.positions.items():
                if key not in self._places:
                    self._new.append(key)  # first: interrupted here, it names nothing and does no harm
                    self._places[key] = Place(offset)
                place = self._places[key]
                place.waiting.add(waiting)
                if place.position > offset:
                    waiting.wake()  # what came since then was thrown away
        if waiting.ending is not None:
            waiting.ending.expect(waiting.wake)

    def _leave(self, waiting: Waiting) -> None:
        """It waits no more.

        Takes no lock: a coroutine whose event loop was closed is freed at any moment, in a thread that may
        hold it just then.
        """
        if waiting.ending is not None:
            waiting.ending.forget(waiting.wake)
        for key in waiting.positions:
            place = self._places.get(key)
            if place is not None:
                place.left = time.monotonic()  # first: without both it counts as left long ago
                place.waiting.discard(waiting)

    def _run(self) -> None:
        """See that a thread polls a consumer. It makes that itself: the caller may be an event loop."""
        if self._turn is None:
            turn = Turn()
            turn.over.acquire()
            # Not a Thread, whose start() waits in Python code. It stops by itself if it never gets its turn.
            start_new_thread(self._poll, (turn,))
            self._turn = turn

    def _poll(self, turn: Turn) -> None:
        client: Client[Consumer] | None = None
        # Without a consumer watches end when their time is over, and the reads then tell what is wrong.
        with suppress(KafkaException, InvalidConfig, RuntimeError):
            try:
                while self._goes_on(turn, client):
                    client = client or self._clients.watcher()
                    self._assign(client)
                    first = client.handle.poll(POLL_SECONDS)
                    if first is not None:
                        self._sort(client, [first, *client.handle.consume(RECORDS_MAX, 0)])
            finally:
                self._give_up(turn, client)

    def _goes_on(self, turn: Turn, client: Client[Consumer] | None) -> bool:
        """Give up what nobody watches; whether anything is left."""
        now = time.monotonic()
        if now >= self._looked + IDLE_SECONDS_MAX:
            self._looked = now
            self._leave_closed()
        with self._lock:
            before = now if len(self._places) > PLACES_MAX else now - IDLE_SECONDS_MAX
            idle = [key for key, place in self._places.items() if not place.waiting and place.left < before]
            self._unassign(client, idle)
            if self._turn is turn and (self._closed or not self._places):
                self._turn = None
            return self._turn is turn

    def _leave_closed(self) -> None:
        """Let go of the watches of closed event loops: nobody ever ends them, and they keep their loops."""
        with self._lock:
            waiting = {one for place in self._places.values() for one in list(place.waiting)}
        for one in waiting:
            if one.loop is not None and one.loop.is_closed():
                self._leave(one)

    def _assign(self, client: Client[Consumer]) -> None:
        """Begin to look at what is watched newly."""
        with self._lock:
            places = {key: self._places[key] for key in self._new if key in self._places}
            self._new = []
            new = [TopicPartition(*key, place.position) for key, place in places.items()]
            for place in places.values():
                place.assigned = True
        if new:
            client.handle.incremental_assign(new)

    def _unassign(self, client: Client[Consumer] | None, keys: list[Key]) -> list[Place]:
        """Forget these places; one that is not assigned would make the client refuse all of them."""
        assigned = [TopicPartition(*key) for key in keys if self._places[key].assigned]
        if client is not None and assigned:
            client.handle.incremental_unassign(
                assigned
            )  # should it fail, `_give_up` wakes who waits for them
        return [self._places.pop(key) for key in keys]

    def _give_up(self, turn: Turn, client: Client[Consumer] | None) -> None:
        """The thread ends, for whatever reason: nobody may wait for it."""
        with self._lock:
            if self._turn is turn:
                self._turn, self._new = None, []
                for place in self._places.values():
                    _wake(place, None)
                self._places.clear()
        if client is not None:
            self._clients.end_watcher(client)
        turn.over.release()

    def _sort(self, client: Client[Consumer], messages: list[Message]) -> None:
        with self._lock:
            gone: list[Key] = []
            for message in messages:
                key = (message.topic() or "", message.partition() or 0)
                place, error = self._places.get(key), message.error()
                if place is None:
                    continue
                if error is None:
                    offset = message.offset() or 0
                    place.position = max(place.position, offset + 1)
                    _wake(place, (key, offset))
                elif error.code() != KafkaError._PARTITION_EOF and key not in gone:
                    gone.append(key)  # it would come again and again; a reader is told what is wrong
            for place in self._unassign(client, gone):
                _wake(place, None)


def _waiting(
    request: WatchRequest, wake: Callable[[], None], loop: asyncio.AbstractEventLoop | None = None
) -> Waiting:
    positions = {(request.topic, p.partition): p.offset for p in request.positions}
    return Waiting(positions, wake, request.ending, loop)


def _seconds(request: WatchRequest) -> float:
    most = WATCH_SECONDS_MAX if request.positions else UNKNOWN_SECONDS
    return min(request.wait_ms_max / 1000, most)


def _wake(place: Place, record: tuple[Key, int] | None) -> None:
    """Wake those who wait for this record, or everybody."""
    for waiting in list(place.waiting):
        if record is None or record[1] >= waiting.positions[record[0]]:
            waiting.wake()
