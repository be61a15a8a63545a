"""What a record costs, in bytes: against the client's limit, and in a batch against the topic's."""

from collections.abc import Iterable, Sequence

from kchat.core import Headers, NewRecord

CLIENT_BYTES_MAX = 1_000_000
"""The client's own `message.max.bytes`: it refuses a larger record, whatever the topic would take."""

CLIENT_OVERHEAD_BYTES = 36
"""What librdkafka adds to key, value and headers (`RD_KAFKAP_MESSAGE_V2_MAX_OVERHEAD`; measured)."""

BATCH_HEADER_BYTES = 61
"""The header of a record batch, version 2 (https://kafka.apache.org/documentation/#recordbatch)."""


def client_bytes(record: NewRecord) -> int:
    """The size that librdkafka compares with `message.max.bytes` before it takes a record."""
    return CLIENT_OVERHEAD_BYTES + len(record.key or b"") + len(record.value) + _headers_bytes(record.headers)


def batch_bytes(records: Iterable[NewRecord]) -> int:
    """The size that a broker compares with a topic's `max.message.bytes`: that of the whole batch."""
    return BATCH_HEADER_BYTES + sum(_record_bytes(record, index) for index, record in enumerate(records))


def batches(records: Sequence[NewRecord]) -> list[list[NewRecord]]:
    """The batches in which the records of one call for one partition are sent."""
    made: list[list[NewRecord]] = []
    left = 0
    for record in records:
        size = _record_bytes(record, len(made[-1]) if made else 0)
        if not made or size > left:
            made.append([])
            left = CLIENT_BYTES_MAX - BATCH_HEADER_BYTES
        made[-1].append(record)
        left -= size
    return made


def _record_bytes(record: NewRecord, index: int) -> int:
    key_bytes = _varint_bytes(-1) if record.key is None else _field_bytes(record.key)
    counts = _varint_bytes(index) + _varint_bytes(len(record.headers))
    # One byte of attributes; the records of one call have one timestamp, whose difference of 0 is one byte.
    body = 2 + counts + key_bytes + _field_bytes(record.value) + _headers_bytes(record.headers)
    return _varint_bytes(body) + body


def _headers_bytes(headers: Headers) -> int:
    return sum(
        _field_bytes(name.encode()) + (_varint_bytes(-1) if value is None else _field_bytes(value))
        for name, value in headers
    )


def _field_bytes(content: bytes) -> int:
    return _varint_bytes(len(content)) + len(content)


def _varint_bytes(number: int) -> int:
    """The length of a number in Kafka's variable encoding: the sign first, then seven bits a byte."""
    zigzag = number * 2 if number >= 0 else -number * 2 - 1
    return max(1, -(-zigzag.bit_length() // 7))
