"""A read's view of one partition: where it began, where it stands, where it ends.

The traps of watermarks and positions are dealt with here, once for every shell.
"""

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType

from attrs import evolve, frozen

from kchat.core.cursors import NOTHING, CursorMemory
from kchat.core.events import Fetched
from kchat.core.failures import BrokerError, ErrorKind
from kchat.core.log import CommittedOffset, Position, Record, Watermarks


@frozen(kw_only=True)
class Lane:
    """One partition of a read.

    `begin` is where the read began, `position` the offset of the next record to fetch, `end` where it is to
    end: the high watermark as seen once, `listed_end`, unless it ends before that. `low` is the first offset
    that is of use to it, `listed_low` the first of the log. `buffer`: fetched and not handed out yet.
    `remembered`: what the cursor knows of the messages before `begin`, `stored`: whether that is its place.
    `last` is the last record that was fetched, `latest_ms` the latest timestamp of all; `expected` the record
    that must come first (see `replaying`).
    """

    partition: int
    begin: int
    position: int
    end: int
    low: int = 0
    listed_low: int = 0
    listed_end: int = 0
    buffer: tuple[Record, ...] = ()
    remembered: CursorMemory = NOTHING
    stored: bool = False
    last: Record | None = None
    latest_ms: int = -1
    expected: Record | None = None

    @property
    def at_end(self) -> bool:
        """Whether everything below the end is fetched."""
        return self.position >= self.end

    @property
    def drained(self) -> bool:
        """Whether everything below the end is fetched and handed out."""
        return self.at_end and not self.buffer

    @property
    def fetch_position(self) -> Position:
        """Where the next `Fetch` goes on: after what is buffered."""
        return Position(self.partition, self.position)

    @property
    def resume_position(self) -> Position:
        """Where the next read goes on: at the first record not handed out."""
        return Position(self.partition, self.buffer[0].offset if self.buffer else self.position)

    @property
    def moved(self) -> bool:
        """Whether anything was handed out or passed over."""
        return self.resume_position.offset != self.begin


def usable_committed(
    committed: tuple[CommittedOffset, ...], watermarks: tuple[Watermarks, ...], topic_id: str | None
) -> tuple[dict[int, int], dict[int, CursorMemory]]:
    """Where a cursor goes on, partition by partition, and what it remembers there.

    An absent partition starts at its low watermark: that is safe, and so it is what an offset counts for that
    belongs to another topic of this name, deleted since, or that is beyond the end (see `lagging`).
    """
    highs = {w.partition: w.high for w in watermarks}
    starts: dict[int, int] = {}
    remembered: dict[int, CursorMemory] = {}
    for stored in committed:
        memory = CursorMemory.from_metadata(stored.metadata)
        foreign = memory.topic_id is not None and topic_id is not None and memory.topic_id != topic_id
        if not foreign and 0 <= stored.offset <= highs.get(stored.partition, -1):
            starts[stored.partition] = stored.offset
            remembered[stored.partition] = memory
    # An offset below the low watermark is not moved up here: a low watermark can be wrong (see open_lanes).
    return starts, remembered


def lagging(
    committed: tuple[CommittedOffset, ...], watermarks: tuple[Watermarks, ...], topic_id: str | None
) -> BrokerError | None:
    """Why a listed end is not believed: this very topic's cursor has been beyond it already.

    A leader that hung while another was elected lists the end that it knows, until it hears of that (seen for
    0.2 s). To take the cursor for none then would hand out the whole conversation again.
    """
    highs = {w.partition: w.high for w in watermarks}
    for stored in committed:
        high = highs.get(stored.partition, stored.offset)
        if stored.offset <= high:
            continue
        owner = CursorMemory.from_metadata(stored.metadata).topic_id
        if owner is not None and owner == topic_id:
            reason = f"the log is said to end at {high}, and the cursor has been at {stored.offset}"
            return BrokerError(ErrorKind.TRANSIENT, "OFFSET_NOT_AVAILABLE", reason, stored.partition)
    return None


def open_lanes(
    watermarks: tuple[Watermarks, ...],
    wanted: Mapping[int, int],
    remembered: Mapping[int, CursorMemory] = MappingProxyType({}),
) -> tuple[Lane, ...] | BrokerError:
    """The lanes of a read that begins at the `wanted` offsets, or at the low watermark of the others.

    While a leader changes, a client can report the high watermark for both (measured on librdkafka:
    `rd_kafka_query_watermark_offsets` loses the error of the first of its two requests). So `low == high`
    does not prove that nothing is left: such a lane begins at the wanted offset or at 0, and the broker
    itself says when that is out of range.
    """
    unknown = set(wanted) - {w.partition for w in watermarks}
    if unknown:
        return _out_of_range(min(unknown), "the topic has no such partition")
    lanes: list[Lane] = []
    for w in watermarks:
        low = w.low if w.low < w.high else 0
        begin = wanted.get(w.partition, low)
        if begin < 0:
            # To a client -1 is "the end" and -2 "the beginning": it would read what was not meant.
            return _out_of_range(w.partition, f"position {begin} is below 0")
        if begin > w.high:
            return _out_of_range(w.partition, f"position {begin} is beyond the end of the log, {w.high}")
        memory = remembered.get(w.partition, NOTHING)
        lanes.append(
            Lane(
                partition=w.partition,
                begin=begin,
                position=begin,
                end=w.high,
                listed_low=low,
                listed_end=w.high,
                low=low,
                remembered=memory,
                stored=w.partition in remembered,
            )
        )
    return tuple(lanes)


def open_lanes_before(
    watermarks: tuple[Watermarks, ...], positions: tuple[Position, ...] | None, offsets: int
) -> tuple[Lane, ...] | BrokerError:
    """The lanes of a read backwards: so many offsets before positions, or before the end."""
    ends = {position.partition: position.offset for position in positions or ()}
    lanes = open_lanes(watermarks, ends)
    if isinstance(lanes, BrokerError):
        return lanes
    before: list[Lane] = []
    for lane in lanes:
        end = lane.end if positions is None else ends.get(lane.partition, lane.low)
        begin = min(end, max(lane.low, end - offsets))
        before.append(evolve(lane, begin=begin, position=begin, end=end))
    return tuple(before)


def not_before(lanes: tuple[Lane, ...], found: Mapping[int, int]) -> tuple[Lane, ...]:
    """The lanes without what lies before the offsets that were found; where none was, with nothing."""
    moved: list[Lane] = []
    for lane in lanes:
        low = max(lane.low, found.get(lane.partition, lane.end))
        begin = min(max(lane.begin, low), lane.end)
        moved.append(evolve(lane, begin=begin, position=begin, low=low))
    return tuple(moved)


def relist_lanes(
    lanes: tuple[Lane, ...], watermarks: tuple[Watermarks, ...], *, named: frozenset[int]
) -> tuple[Lane, ...] | BrokerError:
    """After `OFFSET_OUT_OF_RANGE`: move what retention has passed to the low watermark.

    Where the caller `named` the position of a partition, a passed one is an error. A position beyond the
    end always is: the log is not the one that the read began on.
    """
    known = {w.partition: w for w in watermarks}
    moved: list[Lane] = []
    for lane in lanes:
        w = known.get(lane.partition, Watermarks(lane.partition, lane.position, lane.position))
        if lane.position > w.high:
            return _out_of_range(
                lane.partition, f"the log now ends at {w.high}, before position {lane.position}"
            )
        if lane.position >= w.low or lane.at_end:
            moved.append(lane)
        elif lane.partition in named:
            return below_low(lane.fetch_position, w.low)
        else:
            moved.append(evolve(lane, position=min(w.low, lane.end), low=max(w.low, lane.low)))
    return tuple(moved)


def advance_lanes(lanes: tuple[Lane, ...], event: Fetched, *, beyond_end: bool) -> tuple[Lane, ...]:
    """Take fetched records into the buffers.

    A record before the lane's position was delivered already (a client may repeat after a reconnect); one
    at or beyond the end belongs to the next read, unless `beyond_end`.
    """
    fetched: dict[int, list[Record]] = defaultdict(list)
    for record in event.records:
        fetched[record.partition].append(record)
    proven = {position.partition: position.offset for position in event.positions}
    advanced: list[Lane] = []
    for lane in lanes:
        position, fresh = lane.position, []
        for record in fetched.get(lane.partition, ()):
            if record.offset >= position:
                position = record.offset + 1
                if beyond_end or record.offset < lane.end:
                    fresh.append(record)
        position = max(position, proven.get(lane.partition, position))
        if not beyond_end:
            position = max(lane.position, min(position, lane.end))
        if fresh or position != lane.position:
            lane = _filled(evolve(lane, position=position), fresh)
        advanced.append(lane)
    return tuple(advanced)


def _filled(lane: Lane, fresh: list[Record]) -> Lane:
    if not fresh:
        return lane
    latest_ms = max(lane.latest_ms, *(record.timestamp_ms for record in fresh))
    return evolve(lane, buffer=lane.buffer + tuple(fresh), last=fresh[-1], latest_ms=latest_ms)


def below_low(position: Position, low: int) -> BrokerError:
    """A position that the caller named, and that retention has passed."""
    return _out_of_range(position.partition, f"position {position.offset} is below the low watermark {low}")


def _out_of_range(partition: int, reason: str) -> BrokerError:
    return BrokerError(ErrorKind.OFFSET_OUT_OF_RANGE, "OFFSET_OUT_OF_RANGE", reason, partition)
