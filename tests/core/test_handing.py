"""What of the fetched records becomes a message, and what happens to the others."""

from typing import Any

import pytest

from kchat.core import HEADER_ID, Corrupt, FromBeginning, Message, OnCorrupt, ReadRequest, Record
from kchat.core.handing import Counted, hand_out
from kchat.core.lanes import Lane
from tests.core.strategies import DECODER, NEIGHBOUR, SESSION, TOPIC

GOOD, POISON = b'{"type": "human", "data": {"content": "x"}}', b"{poison"


def record(offset: int, *, partition: int = 0, time: int = 0, **fields: Any) -> Record:
    message_id = fields.pop("message_id", None)
    headers = () if message_id is None else ((HEADER_ID, message_id),)
    return Record(partition, offset, time, fields.get("key", SESSION), fields.get("value", GOOD), headers)


def lane(*records: Record, partition: int = 0, end: int = 10, position: int | None = None) -> Lane:
    stands = position if position is not None else (records[-1].offset + 1 if records else 0)
    return Lane(partition=partition, begin=0, position=stands, end=end, buffer=records)


def request(**fields: Any) -> ReadRequest[Message]:
    return ReadRequest(topic=TOPIC, start=FromBeginning(), decoder=DECODER, **fields)


def offsets(counted: Counted[Message]) -> list[tuple[int, int]]:
    return [(delivery.partition, delivery.offset) for delivery in counted.deliveries]


def test_without_records_nothing_changes() -> None:
    counted: Counted[Message] = Counted(duplicates=2)
    assert hand_out(request(), (lane(),), counted) == ((lane(),), counted, None)


def test_a_lane_that_may_hold_an_earlier_record_holds_all_of_them_up() -> None:
    lanes = (lane(record(0)), lane(partition=1))
    after, counted, _ = hand_out(request(), lanes, Counted())
    assert (after, offsets(counted)) == (lanes, [])


def test_a_lane_at_its_end_holds_nothing_up() -> None:
    _, counted, _ = hand_out(request(), (lane(record(0)), lane(partition=1, end=0)), Counted())
    assert offsets(counted) == [(0, 0)]


def test_while_following_beyond_all_ends_records_come_as_they_arrive() -> None:
    lanes = (lane(record(10), end=10), lane(partition=1, end=0), lane(partition=2, end=0))
    _, counted, _ = hand_out(request(follow=True, messages_max=5), lanes, Counted())
    assert offsets(counted) == [(0, 10)]


def test_the_third_partition_takes_part_in_the_order() -> None:
    lanes = tuple(lane(record(0, partition=p, time=9 - p), partition=p, end=1) for p in range(3))
    _, counted, _ = hand_out(request(), lanes, Counted())
    assert offsets(counted) == [(2, 0), (1, 0), (0, 0)]


def test_another_sessions_records_are_passed_without_being_decoded() -> None:
    lanes = (lane(record(0, key=NEIGHBOUR, value=POISON), record(1), record(2, key=None)),)
    (after,), counted, corrupt = hand_out(request(key=SESSION), lanes, Counted())
    assert (offsets(counted), corrupt, after.buffer) == ([(0, 1)], None, ())


def test_a_second_copy_is_counted_and_not_handed_out() -> None:
    copies = (record(0, message_id=b"a"), record(1, message_id=b"b"), record(2, message_id=b"a"))
    _, counted, _ = hand_out(request(), (lane(*copies),), Counted())
    assert (offsets(counted), counted.duplicates) == ([(0, 0), (0, 1)], 1)
    _, later, _ = hand_out(
        request(),
        (
            lane(
                record(3, message_id=b"b"),
            ),
        ),
        counted,
    )
    assert (offsets(later), later.duplicates) == ([(0, 0), (0, 1)], 2)


def test_records_without_an_id_are_never_copies_of_each_other() -> None:
    _, counted, _ = hand_out(request(), (lane(record(0), record(1)),), Counted())
    assert offsets(counted) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("foreign", [b"", b"\xff", b"two words", b"x" * 65])
def test_what_is_no_message_id_makes_no_record_a_second_copy(foreign: bytes) -> None:
    records = tuple(record(offset, message_id=foreign) for offset in range(3))
    _, counted, _ = hand_out(request(), (lane(*records),), Counted())
    assert (offsets(counted), counted.duplicates) == ([(0, 0), (0, 1), (0, 2)], 0)


def test_a_corrupt_record_ends_the_read_and_stays_first_before_its_neighbours() -> None:
    lanes = (lane(record(0), record(1, value=POISON), record(2)),)
    (after,), counted, corrupt = hand_out(request(), lanes, Counted())
    assert offsets(counted) == [(0, 0)]
    assert isinstance(corrupt, Corrupt)
    assert (corrupt.partition, corrupt.offset) == (0, 1)
    assert [r.offset for r in after.buffer] == [1, 2]
    assert counted.progress((after,)).positions == (after.resume_position,)
    assert after.resume_position.offset == 1


def test_a_corrupt_record_gives_back_what_was_taken_after_it_from_every_partition() -> None:
    poison = record(0, value=POISON, time=1)
    others = (record(0, partition=1, time=2), record(1, partition=1, time=3))
    lanes = (lane(poison, end=1), lane(*others, partition=1, end=2))
    after, counted, _ = hand_out(request(), lanes, Counted())
    assert offsets(counted) == []
    assert [one.buffer for one in after] == [(poison,), others]


def test_a_skipped_record_is_reported_and_its_neighbours_are_handed_out() -> None:
    lanes = (lane(record(0), record(1, value=POISON), record(2)),)
    _, counted, corrupt = hand_out(request(on_corrupt=OnCorrupt.SKIP), lanes, Counted())
    assert (offsets(counted), corrupt) == ([(0, 0), (0, 2)], None)
    assert [(skipped.partition, skipped.offset) for skipped in counted.skipped] == [(0, 1)]


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_count_is_of_messages_and_what_is_beyond_it_stays(most: int) -> None:
    kept = (
        record(0),
        record(1, value=POISON),
        record(2, key=NEIGHBOUR),
        record(3, message_id=b"a"),
        record(4, message_id=b"a"),
        record(5),
        record(6),
    )
    wanted = request(messages_max=most, key=SESSION, on_corrupt=OnCorrupt.SKIP)
    (after,), counted, _ = hand_out(wanted, (lane(*kept),), Counted())
    assert offsets(counted) == [(0, 0), (0, 3), (0, 5)][:most]
    assert after.resume_position.offset == counted.deliveries[-1].offset + 1


def test_a_second_copy_of_a_message_that_was_passed_is_passed_too() -> None:
    """The first copy is too old for the read, the second is not: it is the same message all the same."""
    copies = (record(0, time=1, message_id=b"a"), record(1, time=9, message_id=b"a"), record(2, time=9))
    _, counted, _ = hand_out(request(since_ms=5), (lane(*copies),), Counted())
    assert (offsets(counted), counted.duplicates) == ([(0, 2)], 1)
    assert counted.passed == ((0, 0, "a"),)
    assert "a" in counted.ids, "a copy in a later fetch is known by it"
