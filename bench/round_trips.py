"""A TCP proxy in front of a broker that counts round trips: the requests that had to wait for an answer."""

import socket
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Thread
from typing import Self

from attrs import define, frozen
from tests.brokers.ports import HOST, free_ports

LENGTH_BYTES = 4
API_NAMES = {
    0: "Produce",
    1: "Fetch",
    2: "ListOffsets",
    3: "Metadata",
    8: "OffsetCommit",
    9: "OffsetFetch",
    10: "FindCoordinator",
    18: "ApiVersions",
    22: "InitProducerId",
}
"""Kafka's numbers of the requests that are worth a name here."""


RECORDS_BYTES_MIN = 300
"""An answer to Fetch that is smaller has no record of `bench.conversation` in it."""


@define
class Asked:
    """One request: its kind, and the size of its answer, 0 until that is there."""

    kind: str
    answer_bytes: int = 0

    @property
    def finds_nothing(self) -> bool:
        """Whether this is a Fetch that brought no record."""
        return self.kind == "Fetch" and self.answer_bytes < RECORDS_BYTES_MIN


@frozen(kw_only=True)
class Counted:
    """What was sent since the count began.

    Attributes:
        rounds: the kinds of requests of each round trip, one after the other. Those that were sent while
            another was unanswered belong to the same one.
    """

    rounds: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, rounds: Sequence[Sequence[Asked]]) -> "Counted":
        """Those that a read waited for.

        A consumer goes on asking without being told to, until its assignment is taken away: what is asked in
        that way after the last record came is nobody's round trip.
        """
        brought = [n for n, asked in enumerate(rounds) if any(not each.finds_nothing for each in asked)]
        waited_for = rounds[: brought[-1] + 1] if brought else rounds
        return cls(rounds=tuple(tuple(each.kind for each in asked) for asked in waited_for))

    @property
    def round_trips(self) -> int:
        """How many there were, one after the other."""
        return len(self.rounds)

    @property
    def in_words(self) -> str:
        """Such as "ListOffsets, then 2 Fetch"."""
        return ", then ".join(_in_words(kinds) for kinds in self.rounds) or "none"


def _in_words(kinds: tuple[str, ...]) -> str:
    counts = Counter(kinds)
    return " + ".join(kind if count == 1 else f"{count} {kind}" for kind, count in sorted(counts.items()))


class RoundTrips:
    """Listens on loopback, from `start` to `close`; give it a `target` before the first client comes.

    It knows Kafka's framing: a request begins with its length and its kind, and has one answer.
    """

    def __init__(self, target: str = "") -> None:
        self.target = target
        self._port = free_ports(1)[0]
        self._lock = Lock()
        self._unanswered = 0
        self._rounds: list[list[Asked]] = []
        self._listening = socket.socket()
        self._sockets: list[socket.socket] = []

    @property
    def address(self) -> str:
        """Where clients come to, "host:port"."""
        return f"{HOST}:{self._port}"

    def start(self) -> None:
        """Listen, on a thread."""
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listening.bind((HOST, self._port))
        self._listening.listen()
        Thread(target=self._accept, name="round-trips", daemon=True).start()

    def reset(self) -> None:
        """Begin a new count."""
        with self._lock:
            self._rounds = []

    def counted(self) -> Counted:
        """The count so far."""
        with self._lock:
            return Counted.of(self._rounds)

    def close(self) -> None:
        """End every connection. Idempotent."""
        for each in (self._listening, *self._sockets):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        host, port = self.target.rsplit(":", 1)
        try:
            broker = socket.create_connection((host, int(port)))
        except OSError:
            client.close()
            return
        self._sockets += [client, broker]
        connection = _Connection(self, client, broker)
        for each in (client, broker):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for run in (connection.up, connection.down):
            Thread(target=run, name="round-trips", daemon=True).start()

    def sent(self, kind: int) -> Asked:
        """A request is on its way; for the connections."""
        asked = Asked(API_NAMES.get(kind, f"kind {kind}"))
        with self._lock:
            if self._unanswered == 0 or not self._rounds:
                self._rounds.append([])
            self._unanswered += 1
            self._rounds[-1].append(asked)
        return asked

    def answered(self, asked: Asked, size: int) -> None:
        """A request has its answer, or will never have one; for the connections."""
        with self._lock:
            self._unanswered -= 1
            asked.answer_bytes = size


class _Connection:
    """One client's connection and its twin to the broker; each direction has a thread."""

    def __init__(self, counting: RoundTrips, client: socket.socket, broker: socket.socket) -> None:
        self._counting = counting
        self._client = client
        self._broker = broker
        self._open: deque[Asked] = deque()  # Kafka answers a connection's requests in their order

    def up(self) -> None:
        """Requests, until the client hangs up."""
        while (frame := _frame(self._client)) is not None:
            kind = int.from_bytes(frame[LENGTH_BYTES : LENGTH_BYTES + 2], "big")
            self._open.append(self._counting.sent(kind))
            if not _sent_on(self._broker, frame):
                break
        _hang_up(self._broker)

    def down(self) -> None:
        """Answers, until the broker hangs up; what has none by then is no longer waited for."""
        while (frame := _frame(self._broker)) is not None:
            # Before the client has it: what it sends next is the next round.
            self._counting.answered(self._open.popleft(), len(frame))
            if not _sent_on(self._client, frame):
                break
        while self._open:
            self._counting.answered(self._open.popleft(), 0)
        _hang_up(self._client)


def _frame(connection: socket.socket) -> bytes | None:
    """One request or answer with its length before it, or None at the end."""
    length = _exactly(connection, LENGTH_BYTES)
    if length is None:
        return None
    rest = _exactly(connection, int.from_bytes(length, "big"))
    return None if rest is None else length + rest


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    parts: list[bytes] = []
    while count:
        try:
            part = connection.recv(min(count, 1 << 20))
        except OSError:
            return None
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _sent_on(connection: socket.socket, frame: bytes) -> bool:
    try:
        connection.sendall(frame)
    except OSError:
        return False
    return True


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
