"""A TCP proxy between clients and a broker. It knows where a request begins, so its faults are exact."""

from __future__ import annotations

import asyncio
import time
from enum import Enum, IntEnum, unique
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Self

from attrs import evolve, frozen

from tests.brokers.answers import not_leader
from tests.brokers.ports import HOST, free_ports

if TYPE_CHECKING:
    from collections.abc import Coroutine

FRAME_BYTES_MAX = 64 << 20
FRAMES_MAX = 64
"""Held for one direction of one connection; whoever sends more has to wait, as with a full socket."""

LOOK_SECONDS = 0.005
"""How often a connection that is held up looks whether it still is."""

LAST_ANSWERS_SECONDS = 2.0
"""How long the broker may still answer a client that has gone."""

CONTROL_SECONDS_MAX = 10.0


class Api(IntEnum):
    """Kafka's numbers of the requests that faults are for."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    OFFSET_COMMIT = 8
    OFFSET_FETCH = 9
    FIND_COORDINATOR = 10
    INIT_PRODUCER_ID = 22
    DESCRIBE_TOPIC_PARTITIONS = 75


@unique
class Strike(Enum):
    """What happens to one request."""

    CUT_BEFORE = "the connection is cut, and the broker never gets the request"
    CUT_WITHIN = "the connection is cut when half of the request has been sent on"
    CUT_AFTER = "the broker has answered, and the connection is cut before the client hears of it"
    MUTE = "the broker has answered, and this connection never tells the client anything again"
    NOT_LEADER = "the broker never gets the request, a Produce, and the client hears: not leader"
    HOLD = "it waits for `release` and then reaches the broker, whether the client is there or not"


@frozen(kw_only=True)
class Fault:
    """One strike.

    Attributes:
        api: it strikes a request of this kind,
        passing: after so many of them went by.
        strike: what happens.
        refusing_seconds: afterwards nobody can connect for so long.
    """

    api: Api
    strike: Strike
    passing: int = 0
    refusing_seconds: float = 0.0


@frozen(kw_only=True)
class Line:
    """What the network is like, for all connections.

    Attributes:
        latency_seconds: each way.
        up: bytes get through to the broker; otherwise they wait.
        down: bytes get through to the client; otherwise they wait.
        bytes_per_second: no more than that to each client.
        refusing: who connects is turned away.
    """

    latency_seconds: float = 0.0
    up: bool = True
    down: bool = True
    bytes_per_second: int | None = None
    refusing: bool = False


CLEAR = Line()
BLACKHOLE = Line(up=False, down=False)


class Proxy:
    """Listens on loopback, from `start` to `close`; give it a `target` before the first client comes.

    `struck` lists the faults in the order in which they struck.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self.port = free_ports(1)[0]
        self.line = CLEAR
        self.struck: list[Fault] = []
        self.connections_total = 0
        self.releases = 0
        self._planned: list[Fault] = []
        self._lock = Lock()
        self._refusing_until = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    def start(self) -> None:
        self._thread.start()
        self._run(self._listen())

    def plan(self, *faults: Fault) -> None:
        """Strike as soon as there is such a request; of several for the same kind, one after the other."""
        with self._lock:
            self._planned.extend(faults)

    def forget(self) -> None:
        """Drop what was planned and has not struck."""
        with self._lock:
            self._planned.clear()

    def heal(self) -> None:
        """End all faults: nothing is planned, held or refused, and the line is clear."""
        self.forget()
        self._refusing_until = 0.0
        self.line = CLEAR
        self.release()

    def release(self) -> None:
        """Let the requests that are on hold go on to the broker."""
        self.releases += 1

    def wait_struck(self, count: int, seconds_max: float) -> bool:
        """Wait until so many faults have struck since the start."""
        end = time.monotonic() + seconds_max
        while len(self.struck) < count and time.monotonic() < end:
            time.sleep(LOOK_SECONDS)
        return len(self.struck) >= count

    def cut_all(self) -> None:
        """Cut every connection there is."""
        self._run(self._cut_all())

    def close(self) -> None:
        """End every connection and the loop. Idempotent."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            self._run(self._end())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(CONTROL_SECONDS_MAX)
        self._loop.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def strike_of(self, api: int) -> Fault | None:
        """The fault for a request of this kind, if its turn has come; for the connections."""
        with self._lock:
            fault = next((planned for planned in self._planned if planned.api == api), None)
            if fault is None:
                return None
            at = self._planned.index(fault)
            if fault.passing:
                self._planned[at] = evolve(fault, passing=fault.passing - 1)
                return None
            del self._planned[at]
            return fault

    def note(self, fault: Fault) -> None:
        """A fault has struck."""
        self._refusing_until = max(self._refusing_until, time.monotonic() + fault.refusing_seconds)
        self.struck.append(fault)

    def _run(self, todo: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(todo, self._loop).result(CONTROL_SECONDS_MAX)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accepted, HOST, self.port)

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client, from its first moment to its last: cut at any of them, it leaves no stream open."""
        task = asyncio.current_task()
        if task is None:
            raise AssertionError("a server makes a task for each client")
        self._running.add(task)
        try:
            await self._serve(reader, writer)
        except asyncio.CancelledError:
            pass  # cut_all, or the end; the server's own callback does not expect it
        finally:
            writer.transport.abort()
            self._running.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.line.refusing or time.monotonic() < self._refusing_until:
            return
        try:
            broker = await asyncio.open_connection(*self.target.rsplit(":", 1))
        except OSError:
            return
        self.connections_total += 1
        await _Connection(self, (reader, writer), broker).run()

    async def _cut_all(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        await asyncio.sleep(0)  # whoever was just accepted begins, and is cut like the others
        await self._cut_all()


_Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
_Frames = asyncio.Queue[tuple[float, bytes] | None]


class _Connection:
    """One client's connection and its twin to the broker. What is read waits in a queue until it is due."""

    def __init__(self, proxy: Proxy, client: _Stream, broker: _Stream) -> None:
        self._proxy = proxy
        self._from_client, self._to_client = client
        self._from_broker, self._to_broker = broker
        self._up: _Frames = asyncio.Queue(FRAMES_MAX)
        self._down: _Frames = asyncio.Queue(FRAMES_MAX)
        self._unanswered: dict[bytes, Fault | None] = {}
        self._cut = asyncio.Event()
        self._mute = False

    async def run(self) -> None:
        """Forward until a fault cuts it, the broker hangs up, or a client that has gone is served."""
        feeding = [self._read(self._from_client, self._up), self._read_answers()]
        ending = [self._write_requests(), self._write_answers(), self._cut.wait()]
        tasks = [asyncio.ensure_future(each) for each in (*feeding, *ending)]
        try:
            await asyncio.wait(tasks[len(feeding) :], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for writer in (self._to_client, self._to_broker):
                writer.transport.abort()

    async def _read(self, reader: asyncio.StreamReader, frames: _Frames) -> None:
        while (frame := await _frame(reader)) is not None:
            await frames.put((time.monotonic() + self._proxy.line.latency_seconds, frame))
        await frames.put(None)

    async def _read_answers(self) -> None:
        while (frame := await _frame(self._from_broker)) is not None:
            fault = self._unanswered.pop(frame[4:8], None)
            if fault is not None:
                self._proxy.note(fault)
                if fault.strike is Strike.CUT_AFTER:
                    self._cut.set()
                self._mute = True
            if not self._mute:
                await self._down.put((time.monotonic() + self._proxy.line.latency_seconds, frame))
        await self._down.put(None)

    async def _write_requests(self) -> None:
        while (due := await self._up.get()) is not None:
            await _until(due[0])
            while not self._proxy.line.up:
                await asyncio.sleep(LOOK_SECONDS)
            if not await self._sent_on(due[1]):
                return
        end = time.monotonic() + LAST_ANSWERS_SECONDS
        while self._unanswered and time.monotonic() < end:
            await asyncio.sleep(LOOK_SECONDS)

    async def _sent_on(self, frame: bytes) -> bool:
        """Whether the request went to the broker, so that the connection goes on."""
        fault = self._proxy.strike_of(int.from_bytes(frame[4:6], "big"))
        strike = None if fault is None else fault.strike
        if fault is not None and strike in {Strike.CUT_BEFORE, Strike.CUT_WITHIN}:
            if strike is Strike.CUT_WITHIN:
                self._to_broker.write(frame[: len(frame) // 2])
                await self._to_broker.drain()
            self._proxy.note(fault)
            return False
        if fault is not None and strike is Strike.NOT_LEADER:
            self._proxy.note(fault)
            await self._down.put((time.monotonic() + self._proxy.line.latency_seconds, not_leader(frame)))
            return True
        if fault is not None and strike is Strike.HOLD:
            self._proxy.note(fault)
            releases, fault = self._proxy.releases, None
            while self._proxy.releases == releases:
                await asyncio.sleep(LOOK_SECONDS)
        self._unanswered[frame[8:12]] = fault  # what else strikes does so when the answer comes
        self._to_broker.write(frame)
        await self._to_broker.drain()
        return True

    async def _write_answers(self) -> None:
        gone = False
        while (due := await self._down.get()) is not None:
            await _until(due[0])
            while not self._proxy.line.down:
                await asyncio.sleep(LOOK_SECONDS)
            try:
                if not gone:
                    await self._write_slowly(due[1])
            except ConnectionError:
                gone = True  # what the client has sent before still goes to the broker

    async def _write_slowly(self, frame: bytes) -> None:
        rate = self._proxy.line.bytes_per_second
        step = len(frame) if rate is None else max(1, rate // 20)
        for at in range(0, len(frame), step):
            self._to_client.write(frame[at : at + step])
            await self._to_client.drain()
            if rate is not None:
                await asyncio.sleep(step / rate)


async def _frame(reader: asyncio.StreamReader) -> bytes | None:
    """One request or answer with its length before it, or None at the end."""
    try:
        length = await reader.readexactly(4)
        count = int.from_bytes(length, "big")
        return length + await reader.readexactly(count) if count <= FRAME_BYTES_MAX else None
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


async def _until(moment: float) -> None:
    if (left := moment - time.monotonic()) > 0:
        await asyncio.sleep(left)
