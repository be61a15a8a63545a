"""Looking back at its bounds: answers that bring nothing, partitions that are refused, what ends it early."""

from typing import Any

from attrs import evolve

from kchat.core import (
    ErrorKind,
    Failed,
    Fetch,
    FromBeginning,
    FromPositions,
    ListOffsets,
    Message,
    Position,
    ReadRequest,
    Record,
    RequestFailed,
    reading,
)
from kchat.core.budget import SLICE_MS
from kchat.core.handing import Counted, Doubted, hand_out
from kchat.core.lanes import Lane
from kchat.core.looking_back import LOOK_BACK_RECORDS
from kchat.core.reading import LookingBack
from tests.core.scripts import asked, described, ended, error, failed, fetched, listed, offsets, reads, resent
from tests.core.strategies import DECODER, TOPIC
from tests.core.tracing import feed

OUT_OF_RANGE = ErrorKind.OFFSET_OUT_OF_RANGE


def looking(*events: Any, partitions: int = 1, **changes: Any) -> Any:
    """A read of offsets 5 to 9 of each partition that met a resent record there, after these events."""
    start = FromPositions(tuple(Position(partition, 5) for partition in range(partitions)))
    state = reads(
        described(*range(partitions)),
        listed(*[(0, 9)] * partitions),
        fetched(*(resent(5, partition=partition) for partition in range(partitions))),
        start=start,
        **changes,
    )
    assert isinstance(state, LookingBack)
    return feed(reading, state, *events)


def test_the_whole_command() -> None:
    assert asked(looking(fetched(0, 1))) == Fetch(
        topic=TOPIC,
        positions=(Position(0, 2),),
        records_max=LOOK_BACK_RECORDS,
        wait=False,
        timeout_ms=SLICE_MS,
    )


def test_an_answer_that_brings_nothing_is_asked_for_again() -> None:
    before = looking(fetched(0, 1, at=3), wait_ms_max=1_000)
    after = feed(reading, before, fetched(at=900))
    assert asked(after) == evolve(asked(before), timeout_ms=100), "time has passed, and nothing else"
    assert isinstance(ended(feed(reading, before, fetched(at=1_000))), Failed)


def test_what_was_looked_at_is_not_kept() -> None:
    state = looking(fetched(0, 1, 2))
    assert [lane.buffer for lane in state.lanes] == [()]


def test_only_the_partition_that_was_refused_is_listed_again() -> None:
    refusal = evolve(error(OUT_OF_RANGE), partition=1)
    state = looking(RequestFailed(at_ms=1, error=refusal), partitions=2)
    command = asked(state)
    assert isinstance(command, ListOffsets)
    assert command.partitions == (1,)
    assert asked(looking(failed(OUT_OF_RANGE), partitions=2)).partitions == (0, 1)


def test_where_the_log_begins_later_it_goes_on_at_once_and_otherwise_after_a_pause() -> None:
    refused = looking(failed(OUT_OF_RANGE), wait_ms_max=1_000)
    moved = feed(reading, refused, listed((3, 9), at=900))
    assert (asked(moved).positions, asked(moved).backoff_ms) == ((Position(0, 3),), 0)
    assert asked(moved).timeout_ms == 100
    same = feed(reading, refused, listed((0, 9), at=900))
    assert asked(same).positions == (Position(0, 0),)
    assert asked(same).backoff_ms > 0
    assert asked(same).timeout_ms + asked(same).backoff_ms == 100


def test_each_refusal_is_doubted_anew() -> None:
    state = looking(failed(OUT_OF_RANGE), listed((9, 9)), listed((0, 9)), failed(OUT_OF_RANGE))
    again = feed(reading, state, listed((9, 9)))
    assert isinstance(again, LookingBack)
    assert isinstance(asked(again), ListOffsets)


def test_a_refusal_for_good_fails_the_read_with_what_it_had_handed_out() -> None:
    start = FromPositions((Position(0, 5),))
    state = reads(described(), listed((0, 9)), fetched(5, 6, resent(7)), start=start)
    over = ended(feed(reading, state, failed(ErrorKind.DENIED, "no")))
    assert isinstance(over, Failed)
    assert over.failure == error(ErrorKind.DENIED, "no")
    assert (offsets(over), over.progress.positions) == ([5, 6], (Position(0, 7),))


def test_the_read_goes_on_with_the_time_that_looking_took() -> None:
    copy: Record = evolve(resent(5), offset=0)
    state = looking(fetched(copy, at=900), wait_ms_max=1_000)
    assert not isinstance(state, LookingBack)
    assert asked(state).timeout_ms == 100


def test_handing_out_stops_at_a_doubted_record_and_forgets_nothing_that_was_looked_for() -> None:
    request: ReadRequest[Message] = ReadRequest(topic=TOPIC, start=FromBeginning(), decoder=DECODER)
    lane = Lane(partition=0, begin=5, position=7, end=9, buffer=(resent(5), resent(6)))
    before: Counted[Message] = Counted(looked_for=frozenset({"id-0-5"}))
    lanes, counted, stopped = hand_out(request, (lane,), before)
    assert stopped == Doubted()
    assert [delivery.offset for delivery in counted.deliveries] == [5]
    assert [record.offset for record in lanes[0].buffer] == [6]
    assert counted.looked_for == {"id-0-5"}
