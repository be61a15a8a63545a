from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import pytest

from tests.brokers.ports import HOST
from tests.brokers.proxy import BLACKHOLE, CLEAR, Api, Fault, Line, Proxy, Strike

SILENCE_SECONDS = 0.2
SECONDS_MAX = 5.0


class Echo(ThreadingTCPServer):
    """Stands for a broker: it answers each request with the request's correlation id and 1,000 bytes."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        self.received: list[int] = []
        super().__init__((HOST, 0), EchoConnection)


class EchoConnection(BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Echo)
        while len(head := self.request.recv(12, socket.MSG_WAITALL)) == 12:
            count = int.from_bytes(head[:4], "big") - 8
            if len(self.request.recv(count, socket.MSG_WAITALL)) < count:
                return
            self.server.received.append(int.from_bytes(head[8:], "big"))
            self.request.sendall((1004).to_bytes(4, "big") + head[8:] + bytes(1000))


class Client:
    def __init__(self, proxy: Proxy) -> None:
        self.socket = socket.create_connection((HOST, proxy.port), SECONDS_MAX)

    def ask(self, correlation: int, api: Api = Api.PRODUCE) -> None:
        body = int(api).to_bytes(2, "big") + bytes(2) + correlation.to_bytes(4, "big") + bytes(20)
        self.socket.sendall(len(body).to_bytes(4, "big") + body)

    def answer(self) -> int | None:
        """The next answer's correlation id; None when the connection is cut."""
        frame = b""
        while len(frame) < 1008:
            try:
                more = self.socket.recv(1008 - len(frame))
            except ConnectionError:
                return None
            if not more:
                return None
            frame += more
        return int.from_bytes(frame[4:8], "big")

    def hears_nothing(self) -> bool:
        self.socket.settimeout(SILENCE_SECONDS)
        try:
            self.socket.recv(1)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(SECONDS_MAX)
        return False


@pytest.fixture
def broker() -> Iterator[Echo]:
    with Echo() as server:
        thread = Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(broker: Echo) -> Iterator[Proxy]:
    with Proxy(f"{HOST}:{broker.server_address[1]}") as proxy:
        yield proxy


@pytest.fixture
def client(proxy: Proxy) -> Iterator[Client]:
    client = Client(proxy)
    yield client
    client.socket.close()


def wait_received(broker: Echo, wanted: list[int]) -> None:
    end = time.monotonic() + SECONDS_MAX
    while broker.received != wanted and time.monotonic() < end:
        time.sleep(0.01)
    assert broker.received == wanted


def test_requests_and_answers_pass(broker: Echo, client: Client) -> None:
    for correlation in range(3):
        client.ask(correlation)
    assert [client.answer() for _ in range(3)] == [0, 1, 2]
    assert broker.received == [0, 1, 2]


@pytest.mark.parametrize(
    ("strike", "received"),
    [(Strike.CUT_BEFORE, [1]), (Strike.CUT_WITHIN, [1]), (Strike.CUT_AFTER, [1, 2])],
)
def test_a_cut_strikes_the_request_that_it_is_for(
    broker: Echo, proxy: Proxy, client: Client, strike: Strike, received: list[int]
) -> None:
    proxy.plan(Fault(api=Api.PRODUCE, strike=strike, passing=1))
    client.ask(1)
    assert client.answer() == 1
    client.ask(2)
    assert client.answer() is None
    wait_received(broker, received)
    assert [struck.strike for struck in proxy.struck] == [strike]


def test_other_requests_are_spared(proxy: Proxy, client: Client) -> None:
    proxy.plan(Fault(api=Api.OFFSET_COMMIT, strike=Strike.CUT_BEFORE))
    client.ask(1, Api.PRODUCE)
    assert client.answer() == 1
    client.ask(2, Api.OFFSET_COMMIT)
    assert client.answer() is None


def test_a_muted_connection_delivers_and_tells_nothing(broker: Echo, proxy: Proxy, client: Client) -> None:
    proxy.plan(Fault(api=Api.PRODUCE, strike=Strike.MUTE))
    client.ask(1)
    assert proxy.wait_struck(1, SECONDS_MAX)
    client.ask(2)
    wait_received(broker, [1, 2])
    assert client.hears_nothing()


@pytest.mark.parametrize("gone", [False, True])
def test_a_held_request_arrives_when_it_is_released(
    broker: Echo, proxy: Proxy, client: Client, gone: bool
) -> None:
    proxy.plan(Fault(api=Api.PRODUCE, strike=Strike.HOLD))
    client.ask(1)
    assert proxy.wait_struck(1, SECONDS_MAX)
    assert client.hears_nothing()
    if gone:
        client.socket.close()
    assert broker.received == []
    proxy.release()
    wait_received(broker, [1])
    if not gone:
        assert client.answer() == 1


def test_nobody_is_let_in_for_a_while_after_a_fault(proxy: Proxy, client: Client) -> None:
    proxy.plan(Fault(api=Api.PRODUCE, strike=Strike.CUT_BEFORE, refusing_seconds=60.0))
    client.ask(1)
    assert client.answer() is None
    turned_away = Client(proxy)
    assert turned_away.answer() is None
    turned_away.socket.close()
    proxy.forget()
    still = Client(proxy)
    assert still.answer() is None
    still.socket.close()
    proxy.heal()
    let_in = Client(proxy)
    let_in.ask(2)
    assert let_in.answer() == 2
    let_in.socket.close()


def test_what_was_planned_can_be_forgotten(proxy: Proxy, client: Client) -> None:
    proxy.plan(Fault(api=Api.PRODUCE, strike=Strike.CUT_BEFORE))
    proxy.forget()
    client.ask(1)
    assert client.answer() == 1
    assert proxy.struck == []


@pytest.mark.parametrize(
    ("line", "received"), [(BLACKHOLE, []), (Line(up=False), []), (Line(down=False), [1])]
)
def test_what_a_blackhole_keeps_arrives_when_it_ends(
    broker: Echo, proxy: Proxy, client: Client, line: Line, received: list[int]
) -> None:
    proxy.line = line
    client.ask(1)
    assert client.hears_nothing()
    assert broker.received == received
    proxy.line = CLEAR
    assert client.answer() == 1


def test_latency_counts_each_way_and_does_not_add_up(proxy: Proxy, client: Client) -> None:
    proxy.line = Line(latency_seconds=0.1)
    begun = time.monotonic()
    for correlation in range(10):
        client.ask(correlation)
    assert [client.answer() for _ in range(10)] == list(range(10))
    assert 0.2 <= time.monotonic() - begun < 1.0 + SECONDS_MAX


def test_a_slow_reader_gets_its_bytes_one_after_the_other(proxy: Proxy, client: Client) -> None:
    proxy.line = Line(bytes_per_second=4_000)
    begun = time.monotonic()
    client.ask(1)
    assert client.answer() == 1
    assert time.monotonic() - begun > 1008 / 4_000 * 0.9


def test_who_comes_while_the_line_refuses_is_turned_away(proxy: Proxy) -> None:
    proxy.line = Line(refusing=True)
    client = Client(proxy)
    assert client.answer() is None
    client.socket.close()


def test_all_connections_are_cut_at_once_and_at_the_end(proxy: Proxy) -> None:
    before = Client(proxy)
    before.ask(1)
    assert before.answer() == 1
    proxy.cut_all()
    assert before.answer() is None
    after = Client(proxy)
    after.ask(2)
    assert after.answer() == 2
    proxy.close()
    proxy.close()
    assert after.answer() is None
    for client in (before, after):
        client.socket.close()


def test_a_broker_that_is_not_there_is_a_cut_connection() -> None:
    with Proxy(f"{HOST}:1") as proxy:
        client = Client(proxy)
        assert client.answer() is None
        client.socket.close()
        assert proxy.connections_total == 0
