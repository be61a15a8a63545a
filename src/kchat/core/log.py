"""What a partition of a topic holds, in Kafka's words."""

from attrs import field, frozen

Headers = tuple[tuple[str, bytes | None], ...]
"""Record headers in their order; a name may repeat and a value may be None, as in Kafka."""


def _length(content: bytes | None) -> str:
    """Content stays out of every repr: states and errors are printed and logged."""
    return "None" if content is None else f"<{len(content)} bytes>"


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
        return next((value for found, value in self.headers if found == name), None)


@frozen
class NewRecord:
    """One record to append: encoded, and safe to append a second time, since its id is in the headers."""

    key: bytes | None = field(repr=_length)
    value: bytes = field(repr=_length)
    headers: Headers = field(default=(), repr=_header_names)

    @property
    def size_bytes(self) -> int:
        """Key, value and headers, as librdkafka counts them against `message.max.bytes`.

        Source: `rd_kafka_msg_new0` and `rd_kafka_headers_serialized_size`. A header costs its name, its
        value and at most 10 bytes for each of the two lengths.
        """
        headers = sum(len(name.encode()) + len(value or b"") + 20 for name, value in self.headers)
        return len(self.key or b"") + len(self.value) + headers


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
