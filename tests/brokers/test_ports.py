from __future__ import annotations

import socket

import pytest

from tests.brokers import ports
from tests.brokers.ports import HOST, free_ports


def test_ports_differ_and_can_be_bound() -> None:
    found = free_ports(20)
    assert len(set(found)) == 20
    for port in found:
        with socket.socket() as server:
            server.bind((HOST, port))


def test_a_port_in_use_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen(1)
        taken = server.getsockname()[1]
        monkeypatch.setattr(ports, "_CANDIDATES", range(taken, taken + 1))
        with pytest.raises(OSError, match="fewer than 1 free ports"):
            free_ports(1)
