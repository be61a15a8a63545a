"""One partition of a read: where it begins, moves and ends."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    BrokerError,
    CommittedOffset,
    CursorMemory,
    ErrorKind,
    Fetched,
    Position,
    Record,
    Watermarks,
)
from kchat.core.lanes import Lane, advance_lanes, lagging, open_lanes, relist_lanes, usable_committed

OURS = CursorMemory("ours", ("id-1", "id-2")).to_metadata()
ANOTHERS = CursorMemory("another", ("id-1",)).to_metadata()


def lane(position: int = 0, end: int = 10, **fields: Any) -> Lane:
    return Lane(partition=0, begin=fields.pop("begin", 0), position=position, end=end, **fields)


def fetched(*offsets: int, proven: int | None = None, partition: int = 0) -> Fetched:
    return Fetched(
        at_ms=0,
        records=tuple(Record(partition, offset, 0) for offset in offsets),
        positions=() if proven is None else (Position(partition, proven),),
    )


def only(lanes: tuple[Lane, ...] | BrokerError) -> Lane:
    assert isinstance(lanes, tuple)
    return lanes[0]


@pytest.mark.parametrize(
    ("low", "high", "wanted", "begin"),
    [
        (3, 9, {}, 3),
        (3, 9, {0: 5}, 5),
        (3, 9, {0: 1}, 1),
        (3, 9, {0: 9}, 9),
        (0, 0, {}, 0),
        (9, 9, {}, 0),
        (9, 9, {0: 4}, 4),
    ],
    ids=["low", "wanted", "passed", "end", "empty", "low that proves nothing", "wanted, nothing proven"],
)
def test_a_lane_begins_where_it_is_wanted_or_at_a_low_watermark_that_proves_itself(
    low: int, high: int, wanted: dict[int, int], begin: int
) -> None:
    opened = only(open_lanes((Watermarks(0, low, high),), wanted))
    proven = low if low < high else 0
    assert opened == Lane(
        partition=0, begin=begin, position=begin, end=high, listed_low=proven, listed_end=high, low=proven
    )


@pytest.mark.parametrize(
    ("wanted", "partition"), [({0: 10}, 0), ({0: -1}, 0), ({7: 0}, 7)], ids=["beyond", "below", "unknown"]
)
def test_a_wanted_position_that_cannot_be_is_an_error(wanted: dict[int, int], partition: int) -> None:
    error = open_lanes((Watermarks(0, 0, 9),), wanted)
    assert isinstance(error, BrokerError)
    assert (error.kind, error.partition) == (ErrorKind.OFFSET_OUT_OF_RANGE, partition)


def test_records_move_the_position_past_them() -> None:
    (after,) = advance_lanes((lane(),), fetched(2, 5), beyond_end=False)
    assert (after.position, [r.offset for r in after.buffer]) == (6, [2, 5])


def test_a_record_that_a_client_repeats_is_dropped() -> None:
    (after,) = advance_lanes((lane(position=5),), fetched(3, 4, 5, 5, 4), beyond_end=False)
    assert [r.offset for r in after.buffer] == [5]


def test_a_record_at_the_end_belongs_to_the_next_read() -> None:
    (after,) = advance_lanes((lane(),), fetched(9, 10, 11), beyond_end=False)
    assert [r.offset for r in after.buffer] == [9]
    assert after.position == 10
    (following,) = advance_lanes((lane(),), fetched(9, 10, 11), beyond_end=True)
    assert [r.offset for r in following.buffer] == [9, 10, 11]
    assert following.position == 12


def test_only_the_brokers_mark_proves_that_a_gap_holds_nothing() -> None:
    (silent,) = advance_lanes((lane(),), fetched(2), beyond_end=False)
    assert not silent.at_end
    (proven,) = advance_lanes((lane(),), fetched(2, proven=10), beyond_end=False)
    assert proven.at_end
    assert not proven.drained


def test_a_mark_beyond_the_end_stops_at_the_end_and_one_behind_moves_nothing_back() -> None:
    assert advance_lanes((lane(),), fetched(proven=15), beyond_end=False)[0].position == 10
    before = lane(position=6)
    assert advance_lanes((before,), fetched(proven=3), beyond_end=False) == (before,)


def test_the_next_read_goes_on_at_the_first_record_not_handed_out() -> None:
    held = lane(position=8, buffer=(Record(0, 4, 0), Record(0, 5, 0)))
    assert held.resume_position == Position(0, 4)
    assert held.fetch_position == Position(0, 8)
    assert held.moved
    assert not lane(buffer=(Record(0, 0, 0),), position=1).moved


def test_after_out_of_range_an_unnamed_lane_moves_to_the_low_watermark() -> None:
    assert only(relist_lanes((lane(),), (Watermarks(0, 4, 10),), named=frozenset())).position == 4
    # Retention passed the end: nothing of this read is left, and newer records are not its.
    assert only(relist_lanes((lane(),), (Watermarks(0, 14, 20),), named=frozenset())).position == 10


def test_after_out_of_range_a_named_position_is_an_error_and_an_unnamed_one_beside_it_is_not() -> None:
    beside = Lane(partition=1, begin=0, position=0, end=5)
    marks = (Watermarks(0, 4, 10), Watermarks(1, 5, 5))
    error = relist_lanes((lane(), beside), marks, named=frozenset({0}))
    assert isinstance(error, BrokerError)
    assert error.partition == 0
    moved = relist_lanes((lane(position=4), beside), marks, named=frozenset({0}))
    assert isinstance(moved, tuple)
    assert [one.position for one in moved] == [4, 5]


@pytest.mark.parametrize("named", [frozenset(), frozenset({0})])
def test_a_log_that_now_ends_before_the_position_is_another_log(named: frozenset[int]) -> None:
    error = relist_lanes((lane(position=8),), (Watermarks(0, 0, 7),), named=named)
    assert isinstance(error, BrokerError)
    assert error.kind is ErrorKind.OFFSET_OUT_OF_RANGE


def test_a_lane_that_is_read_to_its_end_is_not_disturbed_by_retention() -> None:
    done = lane(position=10, buffer=(Record(0, 9, 0),))
    assert only(relist_lanes((done,), (Watermarks(0, 12, 12),), named=frozenset({0}))) == done


@pytest.mark.parametrize(
    ("stored", "topic_id", "start"),
    [
        (CommittedOffset(0, 4, OURS), "ours", 4),
        (CommittedOffset(0, 4, ANOTHERS), "ours", None),
        (CommittedOffset(0, 4, "a note"), "ours", 4),
        (CommittedOffset(0, 4), "ours", 4),
        (CommittedOffset(0, 4, ANOTHERS), None, 4),
        (CommittedOffset(0, 9), "ours", 9),
        (CommittedOffset(0, 10), "ours", None),
        (CommittedOffset(0, -1001), "ours", None),
        (CommittedOffset(7, 0), "ours", None),
    ],
    ids=["ours", "foreign", "note", "unmarked", "no ids", "end", "beyond", "invalid", "no partition"],
)
def test_a_committed_offset_counts_only_for_the_topic_it_was_made_for(
    stored: CommittedOffset, topic_id: str | None, start: int | None
) -> None:
    starts, remembered = usable_committed((stored,), (Watermarks(0, 2, 9),), topic_id)
    assert starts == ({} if start is None else {0: start})
    assert set(remembered) == set(starts)


@pytest.mark.parametrize(
    ("stored", "topic_id", "lags"),
    [
        (CommittedOffset(0, 10, OURS), "ours", True),
        (CommittedOffset(0, 9, OURS), "ours", False),
        (CommittedOffset(0, 10, ANOTHERS), "ours", False),
        (CommittedOffset(0, 10), "ours", False),
        (CommittedOffset(0, 10), None, False),
        (CommittedOffset(0, 10, OURS), None, False),
        (CommittedOffset(7, 10, OURS), "ours", False),
    ],
    ids=["beyond", "end", "foreign", "unmarked", "no ids at all", "no ids", "no partition"],
)
def test_an_end_before_this_topics_own_cursor_is_not_believed(
    stored: CommittedOffset, topic_id: str | None, lags: bool
) -> None:
    error = lagging((CommittedOffset(0, 3, OURS), stored), (Watermarks(0, 2, 9),), topic_id)
    assert (error is not None) == lags
    assert error is None or (error.kind, error.partition) == (ErrorKind.TRANSIENT, 0)


def test_a_usable_offset_brings_the_ids_before_it() -> None:
    _, remembered = usable_committed((CommittedOffset(0, 4, OURS),), (Watermarks(0, 2, 9),), "ours")
    assert remembered == {0: CursorMemory("ours", ("id-1", "id-2"))}


answers = st.builds(
    lambda offsets, proven: fetched(*offsets, proven=proven),
    st.lists(st.integers(0, 14), max_size=4),
    st.none() | st.integers(0, 14),
)


@given(st.lists(answers, max_size=6), st.booleans())
def test_whatever_a_client_delivers_a_lane_only_rises(events: list[Fetched], beyond_end: bool) -> None:
    now = lane()
    for event in events:
        (after,) = advance_lanes((now,), event, beyond_end=beyond_end)
        assert after.position >= now.position
        offsets = [r.offset for r in after.buffer]
        assert offsets == sorted(set(offsets))
        assert all(offset < after.position for offset in offsets)
        assert beyond_end or after.position <= after.end
        now = after
