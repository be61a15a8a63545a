"""The counter, in front of a broker that answers every request with as many bytes as it was told."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

import pytest
from bench.round_trips import Asked, Counted, RoundTrips

from tests.brokers.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator

FETCH, LIST_OFFSETS, METADATA = 1, 2, 3
SECONDS_MAX = 5.0
RECORDS = 1_000
REQUEST_BYTES = 6


class Broker:
    """Takes a request and answers it when it is told to."""

    def __init__(self) -> None:
        self._listening = socket.create_server((HOST, 0))
        self.address = f"{HOST}:{self._listening.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        Thread(target=self._accept, daemon=True).start()

    def answer(self, connection: int = 0, size: int = 50) -> None:
        end = time.monotonic() + SECONDS_MAX
        while len(self._connections) <= connection and time.monotonic() < end:
            time.sleep(0.001)
        asked = self._connections[connection].recv(REQUEST_BYTES, socket.MSG_WAITALL)
        assert len(asked) == REQUEST_BYTES
        self._connections[connection].sendall(size.to_bytes(4, "big") + bytes(size))

    def close(self) -> None:
        for each in (self._listening, *self._connections):
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                self._connections.append(self._listening.accept()[0])


class Client:
    def __init__(self, address: str) -> None:
        host, port = address.split(":")
        self.socket = socket.create_connection((host, int(port)), SECONDS_MAX)

    def ask(self, kind: int) -> None:
        self.socket.sendall((2).to_bytes(4, "big") + kind.to_bytes(2, "big"))

    def hear(self, size: int = 50) -> None:
        left = 4 + size
        while left:
            part = self.socket.recv(left)
            assert part
            left -= len(part)


@pytest.fixture
def broker() -> Iterator[Broker]:
    opened = Broker()
    yield opened
    opened.close()


@pytest.fixture
def counter(broker: Broker) -> Iterator[RoundTrips]:
    with RoundTrips(broker.address) as opened:
        yield opened


@pytest.fixture
def client(counter: RoundTrips) -> Iterator[Client]:
    opened = Client(counter.address)
    yield opened
    opened.socket.close()


def wait_asked(counter: RoundTrips, count: int) -> None:
    end = time.monotonic() + SECONDS_MAX
    while sum(map(len, counter.counted().rounds)) < count and time.monotonic() < end:
        time.sleep(0.001)


def test_one_after_the_other_are_two(broker: Broker, counter: RoundTrips, client: Client) -> None:
    for kind in (METADATA, LIST_OFFSETS):
        client.ask(kind)
        broker.answer()
        client.hear()
    counted = counter.counted()
    assert counted.round_trips == 2
    assert counted.in_words == "Metadata, then ListOffsets"


def test_what_is_asked_while_another_is_unanswered_is_one(
    broker: Broker, counter: RoundTrips, client: Client
) -> None:
    client.ask(LIST_OFFSETS)
    client.ask(LIST_OFFSETS)
    wait_asked(counter, 2)
    for _ in range(2):
        broker.answer()
        client.hear()
    assert counter.counted().in_words == "2 ListOffsets"


def test_connections_count_together(broker: Broker, counter: RoundTrips, client: Client) -> None:
    client.ask(LIST_OFFSETS)
    wait_asked(counter, 1)
    other = Client(counter.address)
    other.ask(METADATA)
    wait_asked(counter, 2)
    broker.answer()
    client.hear()
    broker.answer(connection=1)
    other.hear()
    other.socket.close()
    assert counter.counted().round_trips == 1


def test_a_count_begins_anew(broker: Broker, counter: RoundTrips, client: Client) -> None:
    client.ask(METADATA)
    broker.answer()
    client.hear()
    counter.reset()
    assert counter.counted().round_trips == 0
    assert counter.counted().in_words == "none"


def test_what_is_never_answered_ends_with_its_connection(
    broker: Broker, counter: RoundTrips, client: Client
) -> None:
    left = Client(counter.address)
    left.ask(METADATA)
    wait_asked(counter, 1)
    left.socket.close()
    time.sleep(0.2)
    client.ask(LIST_OFFSETS)
    broker.answer()
    client.hear()
    assert counter.counted().round_trips == 2


def test_reading_ahead_after_the_last_record_is_nobodys_round_trip() -> None:
    rounds = [[Asked("ListOffsets", 60)], [Asked("Fetch", RECORDS)], [Asked("Fetch", 60)], [Asked("Fetch")]]
    assert Counted.of(rounds).in_words == "ListOffsets, then Fetch"


def test_a_fetch_that_finds_nothing_counts_while_records_are_to_come() -> None:
    rounds = [[Asked("ListOffsets", 60)], [Asked("Fetch", 60)], [Asked("Fetch", RECORDS)]]
    assert Counted.of(rounds).round_trips == 3
