"""How large a broker's answer about its topics is, in bytes on the wire."""

import socket
import struct

METADATA_KEY = 3
VERSION = 12
"""Of the Metadata request; Kafka 4 and librdkafka both know it."""

SECONDS_MAX = 60.0
NO_CLIENT = struct.pack(">h", -1)
NO_TAGS = b"\0"
NO_TOPIC_ID = bytes(16)
ALL_TOPICS = b"\0"
NOTHING_ELSE = b"\0\0"
"""Do not create topics, do not tell who may do what."""


def answer_bytes(bootstrap: str, topic: str | None = None) -> int:
    """Ask for the metadata of one topic, or of all, and count the bytes of the answer."""
    host, port = bootstrap.rsplit(":", 1)
    with socket.create_connection((host, int(port)), SECONDS_MAX) as connection:
        connection.sendall(request(topic))
        size: int = struct.unpack(">i", _received(connection, 4))[0]
        _received(connection, size)
    return size + 4


def request(topic: str | None) -> bytes:
    """A Metadata request with its length before it.

    https://kafka.apache.org/protocol#The_Messages_Metadata
    """
    head = struct.pack(">hhi", METADATA_KEY, VERSION, 1) + NO_CLIENT + NO_TAGS
    body = head + (ALL_TOPICS if topic is None else _one(topic)) + NOTHING_ELSE + NO_TAGS
    return struct.pack(">i", len(body)) + body


def _one(topic: str) -> bytes:
    name = topic.encode()
    return b"\2" + NO_TOPIC_ID + _unsigned(len(name) + 1) + name + NO_TAGS


def _unsigned(number: int) -> bytes:
    """In seven bits a byte, the last byte below 128."""
    parts = bytearray()
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*parts, number))


def _received(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the broker closed the connection")
        parts += part
    return bytes(parts)
