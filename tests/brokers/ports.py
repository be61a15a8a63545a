"""Ports for servers that die and come back."""

from __future__ import annotations

import random
import socket
from contextlib import ExitStack

HOST = "127.0.0.1"

# Below the range from which Linux (32768-60999) and macOS (49152-65535) draw ports for outgoing
# connections. A port from that range may be given to a client while its broker is down, which keeps
# the broker from coming back, or lets the client connect to itself.
_CANDIDATES = range(20_000, 30_000)


def free_ports(count: int) -> list[int]:
    """Find distinct ports on loopback on which nobody listens now."""
    ports: list[int] = []
    with ExitStack() as held:  # all stay bound until the last is found, so that they differ
        for port in random.sample(_CANDIDATES, len(_CANDIDATES)):
            if len(ports) == count:
                break
            candidate = held.enter_context(socket.socket())
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java's server sockets do
            try:
                candidate.bind((HOST, port))
                candidate.listen(1)
            except OSError:
                continue
            ports.append(port)
    if len(ports) < count:
        raise OSError(f"fewer than {count} free ports on {HOST}")
    return ports
