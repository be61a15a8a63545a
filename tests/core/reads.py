"""Runs a drawn read, and says what it may have handed out."""

import sys
from collections.abc import Mapping

from attrs import evolve

from kchat.core import (
    CommitOffsets,
    CommittedOffset,
    Complete,
    CursorMemory,
    ErrorKind,
    Failed,
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    Message,
    OffsetsFound,
    OffsetsListed,
    Partial,
    ReadRequest,
    Record,
    Watermarks,
    reading,
)
from kchat.core.reading import ListingOffsets, LookingBack, Relisting
from kchat.testing import FakeBroker, FalseLow, LostAnswer
from tests.core.model import Covers, in_order
from tests.core.strategies import GROUP, TOPIC
from tests.core.tracing import Trace, run_traced

WHOLE = 1_000_000


def read(broker: FakeBroker, request: ReadRequest[Message]) -> Trace:
    """One read, step by step."""
    return run_traced(reading, request, broker)


def cursor(broker: FakeBroker, stored: Mapping[int, CommittedOffset], watermarks: Watermarks) -> int:
    """Where a read from the cursor begins in one partition; the low watermark where it has no place."""
    topic = broker.cluster.topics[TOPIC]
    low, found = topic.partitions[watermarks.partition].low, stored.get(watermarks.partition)
    if found is None or found.offset > watermarks.high:
        return low
    foreign = CursorMemory.from_metadata(found.metadata).topic_id not in {None, topic.topic_id}
    return low if foreign else max(found.offset, low)


def cursor_of(broker: FakeBroker) -> dict[int, CommittedOffset]:
    """What the group stores now."""
    return dict(broker.cluster.committed.get((GROUP, TOPIC), {}))


def begin(
    broker: FakeBroker,
    request: ReadRequest[Message],
    watermarks: Watermarks,
    stored: Mapping[int, CommittedOffset],
) -> int:
    """The first offset that a read of this partition is about, whatever its time."""
    low = broker.cluster.topics[TOPIC].partitions[watermarks.partition].low
    match request.start:
        case FromBeginning():
            return low
        case FromEnd():
            return watermarks.high
        case FromCommitted():
            return cursor(broker, stored, watermarks)
        case FromBookmark(offsets=offsets):
            return cursor(broker, {o.partition: o for o in offsets}, watermarks)
        case FromBefore(offsets=offsets):
            stops = stop(broker, request, watermarks)
            return min(stops, max(low, stops - offsets))
        case FromPositions(positions=positions):
            return {p.partition: p.offset for p in positions}.get(watermarks.partition, low)


def stop(broker: FakeBroker, request: ReadRequest[Message], watermarks: Watermarks) -> int:
    """The first offset of this partition that the read is no longer about."""
    start = request.start
    if not isinstance(start, FromBefore) or start.positions is None:
        return watermarks.high
    low = broker.cluster.topics[TOPIC].partitions[watermarks.partition].low
    return {p.partition: p.offset for p in start.positions}.get(watermarks.partition, low)


def covers(request: ReadRequest[Message]) -> Covers:
    """Which records are of the time that was asked for."""
    since, until = request.since_ms or 0, request.until_ms
    times = range(since, sys.maxsize if until is None else until)
    return lambda record: record.timestamp_ms in times


def began(
    broker: FakeBroker,
    request: ReadRequest[Message],
    trace: Trace,
    watermarks: Watermarks,
    stored: Mapping[int, CommittedOffset],
) -> int:
    """The same as `begin`, but for what the broker said to lie before the time that was asked for."""
    first = begin(broker, request, watermarks, stored)
    if not trace.events(OffsetsFound):
        return first
    stops = stop(broker, request, watermarks)
    times = {
        r.offset: r.timestamp_ms
        for r in broker.cluster.topics[TOPIC].partitions[watermarks.partition].records
    }
    young = [offset for offset, time in times.items() if time >= (request.since_ms or 0)]
    return min(stops, max(first, min(young, default=stops)))


def end(trace: Trace) -> tuple[Watermarks, ...]:
    """The log's end as it stood when the read began; nothing, if the read never learned it."""
    listed = [
        step.event.watermarks
        for step in trace.steps
        # One that ends before the cursor is not believed, and asked for again.
        if isinstance(step.event, OffsetsListed) and isinstance(step.before, ListingOffsets)
    ]
    return listed[-1] if listed else ()


def expected(
    broker: FakeBroker, request: ReadRequest[Message], trace: Trace, stored: Mapping[int, CommittedOffset]
) -> list[Record]:
    """The session's records that the read is about, in their order; `stored` is the cursor before it."""
    if request.only_move:
        return []
    partitions = broker.cluster.topics[TOPIC].partitions
    ranges = [
        (partitions[w.partition], began(broker, request, trace, w, stored), stop(broker, request, w))
        for w in end(trace)
    ]
    merged = in_order([r for r in p.records if low <= r.offset < high] for p, low, high in ranges)
    return [record for record in merged if request.key in (None, record.key)]


def earlier(
    broker: FakeBroker, request: ReadRequest[Message], trace: Trace, stored: Mapping[int, CommittedOffset]
) -> list[Record]:
    """The session's records that lie before the read."""
    partitions = broker.cluster.topics[TOPIC].partitions
    ends = {w.partition: began(broker, request, trace, w, stored) for w in end(trace)}
    return [
        record
        for number, first in ends.items()
        for record in partitions[number].records
        if record.offset < first and request.key in (None, record.key)
    ]


def is_out_of_range(broker: FakeBroker, request: ReadRequest[Message], trace: Trace) -> bool:
    """Whether the caller named a position that the log does not have."""
    if isinstance(request.start, FromBefore):
        return any(stop(broker, request, w) > w.high for w in end(trace))
    if not isinstance(request.start, FromPositions):
        return False
    partitions = broker.cluster.topics[TOPIC].partitions
    return any(not partitions[w.partition].low <= begin(broker, request, w, {}) <= w.high for w in end(trace))


def believed_false_low(trace: Trace) -> bool:
    """Whether a false low watermark came where nothing contradicts it: after "out of range", and twice."""
    doubted = (isinstance(s.before, Relisting | LookingBack) and s.before.doubted for s in trace.steps)
    return any(
        again and isinstance(step.fault, FalseLow) for again, step in zip(doubted, trace.steps, strict=True)
    )


def denied_after_it_was_made(trace: Trace) -> bool:
    """Whether a commit was made, its answer was lost, and then its user was denied it: a broker's answer to
    the first attempt, too, as far as a reader can know."""
    kinds = [type(step.fault) for step in trace.steps if isinstance(step.command, CommitOffsets)]
    outcome = trace.outcome
    denied = isinstance(outcome, Failed) and getattr(outcome.failure, "kind", None) is ErrorKind.DENIED
    return denied and LostAnswer in kinds


def chunks(broker: FakeBroker, request: ReadRequest[Message]) -> list[Complete[Message] | Partial[Message]]:
    """Read on from the positions of the outcome before, until the log's end."""
    outcomes: list[Complete[Message] | Partial[Message]] = []
    while not outcomes or isinstance(outcomes[-1], Partial):
        outcome = broker.read(request)
        assert not isinstance(outcome, Failed), outcome
        outcomes.append(outcome)
        assert len(outcomes) < WHOLE
        if not isinstance(request.start, FromCommitted):
            request = evolve(request, start=FromPositions(outcome.progress.positions))
    return outcomes
