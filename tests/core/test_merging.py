"""The merge against a sort, and its one rule about what is not known yet."""

from hypothesis import given
from hypothesis import strategies as st

from kchat.core import Record, merge
from tests.core.model import in_order

Buffers = dict[int, tuple[Record, ...]]


@st.composite
def buffers(draw: st.DrawFn, *, min_size: int = 0) -> Buffers:
    clocks = st.lists(st.integers(0, 4), min_size=min_size, max_size=6)
    numbers = draw(st.sets(st.integers(0, 4), min_size=1, max_size=3))
    return {
        number: tuple(Record(number, 10 + i, time) for i, time in enumerate(draw(clocks)))
        for number in sorted(numbers)
    }


def whole(drawn: Buffers) -> list[Record]:
    return in_order(drawn.values())


@given(buffers())
def test_with_all_known_everything_comes_out_in_the_order_of_a_sort(drawn: Buffers) -> None:
    taken, rest = merge(drawn, all_known=True)
    assert list(taken) == whole(drawn)
    assert rest == dict.fromkeys(drawn, ())


@given(buffers())
def test_nothing_is_taken_once_a_partition_may_still_hold_an_earlier_record(drawn: Buffers) -> None:
    taken, rest = merge(drawn, all_known=False)
    assert list(taken) == whole(drawn)[: len(taken)]
    assert any(not buffer for buffer in rest.values()), "it stops at the first empty buffer, no sooner"
    after = {partition: buffer for partition, buffer in rest.items() if not buffer}
    last = {partition: max((r.offset for r in drawn[partition]), default=-1) for partition in after}
    if taken:
        assert (taken[-1].partition, taken[-1].offset) in set(last.items()), "it goes on until one is empty"


@given(buffers(min_size=1), st.data())
def test_what_is_fetched_in_pieces_comes_out_as_the_whole(drawn: Buffers, data: st.DataObject) -> None:
    waiting = {partition: list(records) for partition, records in drawn.items()}
    held: Buffers = dict.fromkeys(drawn, ())
    out: list[Record] = []
    while any(waiting.values()):
        partition = data.draw(st.sampled_from([p for p, records in waiting.items() if records]))
        held[partition] = (*held[partition], waiting[partition].pop(0))
        open_ones = {p: buffer for p, buffer in held.items() if buffer or waiting[p]}
        taken, rest = merge(open_ones, all_known=False)
        out += taken
        held |= rest
    taken, _ = merge(held, all_known=True)
    assert [*out, *taken] == whole(drawn)


@given(buffers(), st.integers(0, 5), st.booleans())
def test_a_limit_takes_the_beginning_and_leaves_the_rest(drawn: Buffers, most: int, all_known: bool) -> None:
    unlimited, _ = merge(drawn, all_known=all_known)
    taken, rest = merge(drawn, all_known=all_known, records_max=most)
    assert taken == unlimited[:most]
    left = {record for buffer in rest.values() for record in buffer}
    assert left | set(taken) == {record for buffer in drawn.values() for record in buffer}
    assert not left & set(taken)


def test_a_tie_of_timestamps_goes_to_the_lower_partition() -> None:
    drawn = {1: (Record(1, 0, 5),), 0: (Record(0, 7, 5),)}
    taken, _ = merge(drawn, all_known=True)
    assert [record.partition for record in taken] == [0, 1]


def test_a_clock_that_went_back_does_not_overtake_within_its_partition() -> None:
    first, second = Record(0, 0, 9), Record(0, 1, 1)
    taken, _ = merge({0: (first, second), 1: (Record(1, 0, 5),)}, all_known=True)
    assert [(record.partition, record.offset) for record in taken] == [(1, 0), (0, 0), (0, 1)]
