"""Events to feed to a machine, in few words. Without `at`, a millisecond after the call began."""

from typing import Any

from attrs import evolve

from kchat.core import (
    HEADER_ID,
    Acknowledged,
    BrokerError,
    Command,
    CommittedFetched,
    CommittedOffset,
    ErrorKind,
    Event,
    Fetched,
    FromBeginning,
    Message,
    OffsetsCommitted,
    OffsetsFound,
    OffsetsListed,
    Position,
    Produced,
    ReadRequest,
    Record,
    Report,
    RequestFailed,
    TopicDescribed,
    Watermarks,
    reading,
)
from kchat.core.log import RESENT
from tests.core.strategies import DECODER, TOPIC
from tests.core.tracing import feed

POISON = b"{poison"


def described(*partitions: int, topic_id: str | None = None, at: int = 1) -> Event:
    return TopicDescribed(at_ms=at, partitions=partitions or (0,), topic_id=topic_id)


def found(*offsets: int) -> OffsetsFound:
    """The first offsets of a time, partition by partition."""
    return OffsetsFound(at_ms=1, positions=tuple(Position(p, offset) for p, offset in enumerate(offsets)))


def listed(*ranges: tuple[int, int], at: int = 1) -> Event:
    """Partition 0 from low to high, then partition 1, ..."""
    marks = tuple(Watermarks(partition, low, high) for partition, (low, high) in enumerate(ranges))
    return OffsetsListed(at_ms=at, watermarks=marks)


def committed(*offsets: tuple[int, str], at: int = 1) -> Event:
    """The committed offset and its metadata of partition 0, then 1, ..."""
    stored = tuple(CommittedOffset(p, offset, metadata) for p, (offset, metadata) in enumerate(offsets))
    return CommittedFetched(at_ms=at, committed=stored)


def record(offset: int, *, partition: int = 0, time: int = 0, value: bytes | None = None) -> Record:
    content = b'{"type": "human", "data": {"content": "x"}}'
    return Record(partition, offset, time, None, content if value is None else value)


def resent(offset: int, *, partition: int = 0, time: int = 0) -> Record:
    """A record that is marked as sent again."""
    known = (HEADER_ID, b"id-%d-%d" % (partition, offset))
    return evolve(record(offset, partition=partition, time=time), headers=(known, RESENT))


def fetched(*records: Record | int, proven: int | None = None, at: int = 1) -> Event:
    """Records, or the offsets of plain ones in partition 0; `proven` is where partition 0 stands."""
    found = tuple(record(one) if isinstance(one, int) else one for one in records)
    return Fetched(at_ms=at, records=found, positions=() if proven is None else (Position(0, proven),))


def stored(at: int = 1) -> Event:
    return OffsetsCommitted(at_ms=at)


def produced(*reports: Report | None, at: int = 1) -> Event:
    return Produced(at_ms=at, reports=reports)


def ack(offset: int) -> Report:
    return Acknowledged(0, offset)


def error(kind: ErrorKind, reason: str = "") -> BrokerError:
    return BrokerError(kind, kind.name, reason)


def failed(kind: ErrorKind, reason: str = "", *, at: int = 1) -> Event:
    return RequestFailed(at_ms=at, error=error(kind, reason))


def reads(*events: Event, **changes: Any) -> Any:
    """The state of a read after these events."""
    given: dict[str, Any] = {"start": FromBeginning()}
    request: ReadRequest[Message] = ReadRequest(topic=TOPIC, decoder=DECODER, **given | changes)
    return feed(reading, reading.start(request, 0), *events)


def offsets(outcome: Any) -> list[int]:
    return [delivery.offset for delivery in outcome.progress.deliveries]


def asked(state: Any) -> Any:
    """The command that a read in this state wants performed."""
    command = reading.pending(state)
    assert isinstance(command, Command)
    return command


def ended(state: Any) -> Any:
    """The outcome of a read that is over."""
    assert isinstance(state, reading.Finished)
    return reading.pending(state)
