"""One record by Kafka's own protocol: a client of Python's writes no header name that is not UTF-8.

Produce request v3 and record batch v2, see https://kafka.apache.org/protocol.
"""

import socket
import struct
import time

ANSWER_SECONDS_MAX = 10.0
CRC32C = 0x82F63B78
"""Castagnoli's polynomial, reversed."""

RawHeaders = tuple[tuple[bytes, bytes], ...]


def produce_raw(servers: str, topic: str, value: bytes, headers: RawHeaders) -> None:
    """Append one record to partition 0; the broker must take it."""
    host, _, port = servers.partition(":")
    batch = _batch(value, headers)
    name = topic.encode()
    request = (
        struct.pack(">hhih3s", 0, 3, 1, 3, b"raw")  # Produce, version 3, correlation 1, the client's id
        + struct.pack(">hhii", -1, -1, 5_000, 1)  # no transaction, all replicas, time, one topic
        + struct.pack(">h", len(name))
        + name
        + struct.pack(">iii", 1, 0, len(batch))  # one partition, which is 0
        + batch
    )
    with socket.create_connection((host, int(port)), ANSWER_SECONDS_MAX) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as answers:
            [size] = struct.unpack(">i", answers.read(4))
            answer = answers.read(size)
    # Correlation, one topic, its name, one partition, its number, and then the error.
    [error] = struct.unpack_from(">h", answer, 4 + 4 + 2 + len(name) + 4 + 4)
    if error != 0:
        raise AssertionError(f"the broker refused a raw record: error {error}")


def _batch(value: bytes, headers: RawHeaders) -> bytes:
    body = b"\0" + _varint(0) + _varint(0) + _varint(-1) + _varint(len(value)) + value + _varint(len(headers))
    for name, content in headers:
        body += _varint(len(name)) + name + _varint(len(content)) + content
    record = _varint(len(body)) + body
    now = int(time.time() * 1000)
    checked = struct.pack(">hiqqqhii", 0, 0, now, now, -1, -1, -1, 1) + record
    batch = struct.pack(">ibI", 0, 2, _crc32c(checked)) + checked
    return struct.pack(">qi", 0, len(batch)) + batch


def _varint(number: int) -> bytes:
    number = (number << 1) ^ (number >> 63)
    encoded = b""
    while number >= 0x80:
        encoded += bytes([number & 0x7F | 0x80])
        number >>= 7
    return encoded + bytes([number])


def _crc32c(content: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ CRC32C if crc & 1 else crc >> 1
    return crc ^ 0xFFFFFFFF
