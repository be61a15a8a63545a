"""What a partition of a topic holds, in Kafka's words."""

from attrs import evolve, field, frozen

from kchat.core.wire import HEADER_RESENT

Headers = tuple[tuple[str, bytes | None], ...]
"""Record headers in their order; a name may repeat and a value may be None, as in Kafka."""


def _length(content: bytes | None) -> str:
    """Content stays out of every repr: states and errors are printed and logged."""
    return "None" if content is None else f"<{len(content)} bytes>"


RESENT = (HEADER_RESENT, b"1")

Rank = tuple[int, int, int]
"""Timestamp, partition and offset: the order of records that lie in different partitions."""


def _headers_bytes(headers: Headers) -> int:
    total = 0
    for name, value in headers:
        total += len(name.encode()) + len(value or b"") + 20
    return total


_RESENT_BYTES = _headers_bytes((RESENT,))


def _first(headers: Headers, name: str) -> bytes | None:
    # A plain loop: with next() over a generator this was a tenth of the time that a record takes to decode.
    for found, value in headers:
        if found == name:
            return value
    return None


def _header_names(headers: Headers) -> str:
    return repr(tuple(name for name, _ in headers))


@frozen
class Record:
    """One record as it was fetched.

    `timestamp_ms` is Kafka's record timestamp: milliseconds since 1970-01-01 UTC.
    """

    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None = field(default=None, repr=_length)
    value: bytes | None = field(default=None, repr=_length)
    headers: Headers = field(default=(), repr=_header_names)

    def header(self, name: str) -> bytes | None:
        """The first value under `name`, or None where there is none."""
        # Not `_first`: each record is asked three times, and the call was 3 % of a replay.
        for found, value in self.headers:
            if found == name:
                return value
        return None


@frozen
class NewRecord:
    """One record to append: encoded, and safe to append a second time, since its id is in the headers."""

    key: bytes | None = field(repr=_length)
    value: bytes = field(repr=_length)
    headers: Headers = field(default=(), repr=_header_names)

    def header(self, name: str) -> bytes | None:
        """The first value under `name`, or None where there is none."""
        return _first(self.headers, name)

    def resent(self) -> "NewRecord":
        """The same record, marked: an earlier attempt may have stored it (`kchat-resent`)."""
        if self.header(HEADER_RESENT) is not None:
            return self
        return evolve(self, headers=(*self.headers, RESENT))

    @property
    def size_bytes(self) -> int:
        """Key, value and headers, as librdkafka counts them against `message.max.bytes`.

        Source: `rd_kafka_msg_new0` and `rd_kafka_headers_serialized_size`. A header costs its name, its
        value and at most 10 bytes for each of the two lengths.
        """
        return len(self.key or b"") + len(self.value) + _headers_bytes(self.headers)

    @property
    def size_bytes_max(self) -> int:
        """The same for the record as it is when it is resent: what fits at first must fit then."""
        marked = self.header(HEADER_RESENT) is not None
        return self.size_bytes + (0 if marked else _RESENT_BYTES)


@frozen
class Position:
    """The offset of the next record to fetch from a partition."""

    partition: int
    offset: int


@frozen
class Watermarks:
    """The readable part of a partition: from `low` up to, not including, `high`.

    Under `isolation.level=read_committed` the client reports the last stable offset as `high`.
    """

    partition: int
    low: int
    high: int


@frozen
class CommittedOffset:
    """What a consumer group stores for one partition: an offset and a string of its own."""

    partition: int
    offset: int
    metadata: str = field(default="", repr=lambda text: f"<{len(text)} characters>")
