"""A resent record is a message only where its first copy does not lie before the read."""

from typing import Any

import pytest
from attrs import evolve

from kchat.core import (
    HEADER_ID,
    Complete,
    ErrorKind,
    Failed,
    Fetch,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    Limit,
    ListOffsets,
    Message,
    Partial,
    Position,
    ReadRequest,
    Record,
    continued,
    reading,
)
from kchat.core.cursors import IDS_MAX, RESENT_IDS_MAX
from kchat.core.log import RESENT
from kchat.core.looking_back import LOOK_BACK_RECORDS
from kchat.core.reading import Fetching, LookingBack
from kchat.testing import FakeBroker
from tests.core.scripts import asked, described, ended, failed, fetched, listed, offsets, reads, resent
from tests.core.strategies import DECODER, GROUP, NEIGHBOUR, SESSION, TOPIC
from tests.core.tracing import feed

VALUE = b'{"type": "human", "data": {"content": "x"}}'


def from_position(offset: int, high: int, *records: Record | int, **changes: Any) -> Any:
    """A read that begins at an offset and has fetched these records."""
    start = FromPositions((Position(0, offset),))
    return reads(described(), listed((0, high)), fetched(*records), start=start, **changes)


def first_copy(of: Record, offset: int, **changes: Any) -> Record:
    return evolve(of, offset=offset, headers=of.headers[:1], **changes)


def go_on(state: Any, *events: Any) -> Any:
    return feed(reading, state, *events)


def test_what_is_before_the_beginning_is_fetched_and_nothing_else() -> None:
    state = from_position(7, 9, resent(7))
    command = asked(state)
    assert isinstance(command, Fetch)
    assert (command.positions, command.records_max) == ((Position(0, 0),), LOOK_BACK_RECORDS)
    assert not command.wait
    state = go_on(state, fetched(0, 1, 2))
    assert asked(state).positions == (Position(0, 3),)
    assert isinstance(go_on(state, fetched(proven=7)), Fetching)


def test_a_resent_record_with_a_first_copy_is_a_duplicate() -> None:
    again = resent(2)
    outcome = ended(go_on(from_position(2, 4, again, 3), fetched(0, first_copy(again, 1))))
    assert (offsets(outcome), outcome.progress.duplicates) == ([3], 1)


def test_a_resent_record_without_one_is_a_message() -> None:
    outcome = ended(go_on(from_position(2, 4, resent(2), 3), fetched(0, first_copy(resent(3), 1))))
    assert (offsets(outcome), outcome.progress.duplicates) == ([2, 3], 0)


@pytest.mark.parametrize(
    "changes", [{"value": b"{poison"}, {"key": NEIGHBOUR}], ids=["is no message", "is another session's"]
)
def test_a_record_with_its_id_that_is_no_first_copy_does_not_hide_it(changes: dict[str, Any]) -> None:
    again = evolve(resent(2), key=SESSION)
    state = from_position(2, 3, again, key=SESSION)
    outcome = ended(go_on(state, fetched(first_copy(again, 0, **changes), first_copy(again, 1, **changes))))
    assert offsets(outcome) == [2]


def test_it_ends_as_soon_as_all_are_found() -> None:
    again = resent(500)
    state = from_position(500, 502, again)
    assert isinstance(state, LookingBack)
    assert isinstance(go_on(state, fetched(0, first_copy(again, 1))), Fetching)


def test_all_resent_records_that_are_fetched_are_looked_for_at_once() -> None:
    one, two = resent(2), resent(3)
    state = from_position(2, 4, one, two)
    assert state.wanted == {"id-0-2", "id-0-3"}
    outcome = ended(go_on(state, fetched(first_copy(two, 0), first_copy(one, 1))))
    assert (offsets(outcome), outcome.progress.duplicates) == ([], 2)


def test_it_looks_no_further_than_its_bound() -> None:
    begin = LOOK_BACK_RECORDS + 5
    assert asked(from_position(begin, begin + 1, resent(begin))).positions == (Position(0, 5),)


@pytest.mark.parametrize(
    "changes", [{"start": FromBeginning()}, {"start": FromEnd(), "follow": True, "wait_ms_max": 100}]
)
def test_where_nothing_is_before_the_beginning_nothing_is_looked_at(changes: dict[str, Any]) -> None:
    state = reads(described(), listed((0, 0 if changes.get("follow") else 2)), fetched(resent(0)), **changes)
    assert isinstance(state, Fetching)
    assert len(state.progress.deliveries) == 1


def test_a_resent_record_without_an_id_is_a_message() -> None:
    unnamed = evolve(resent(2), headers=(RESENT,))
    assert offsets(ended(from_position(2, 3, unnamed))) == [2]


def test_where_retention_has_moved_the_beginning_it_goes_on_there() -> None:
    state = go_on(from_position(5, 6, resent(5)), failed(ErrorKind.OFFSET_OUT_OF_RANGE))
    command = asked(state)
    assert isinstance(command, ListOffsets)
    assert command.partitions == (0,)
    state = go_on(state, listed((3, 6)))
    assert asked(state).positions == (Position(0, 3),)


def test_a_low_watermark_that_is_the_high_one_is_doubted_once() -> None:
    state = go_on(from_position(5, 6, resent(5)), failed(ErrorKind.OFFSET_OUT_OF_RANGE), listed((6, 6)))
    assert isinstance(asked(state), ListOffsets)
    assert asked(state).backoff_ms > 0
    assert asked(go_on(state, listed((3, 6)))).positions == (Position(0, 3),)
    assert offsets(ended(go_on(state, listed((6, 6))))) == [5]


def test_a_log_that_ends_before_it_is_another_log() -> None:
    state = go_on(from_position(5, 6, resent(5)), fetched(0, 1, 2), failed(ErrorKind.OFFSET_OUT_OF_RANGE))
    assert isinstance(ended(go_on(state, listed((0, 1)))), Failed)


def test_when_the_time_is_over_the_record_is_left_for_the_next_read() -> None:
    state = from_position(2, 5, 2, resent(3), wait_ms_max=1_000)
    silent = ended(go_on(state, failed(ErrorKind.TIMED_OUT, at=1_000)))
    assert isinstance(silent, Failed)
    assert (offsets(silent), silent.progress.positions) == ([2], (Position(0, 3),))
    slow = ended(go_on(state, fetched(0, at=1_000)))
    assert isinstance(slow, Partial)
    assert (offsets(slow), slow.progress.positions, slow.limit) == ([2], (Position(0, 3),), Limit.TIME)


def next_ones(broker: FakeBroker) -> list[str]:
    """The ids of what is new after the cursor."""
    request = ReadRequest(topic=TOPIC, start=FromCommitted(GROUP), commit_to=GROUP, decoder=DECODER)
    outcome = broker.reopened().read(request)
    assert isinstance(outcome, Complete)
    return [str(delivery.message_id) for delivery in outcome.progress.deliveries]


def store(broker: FakeBroker, *ids: str, mark: bool = False) -> None:
    for known in ids:
        broker.cluster.inject(TOPIC, VALUE, headers=((HEADER_ID, known.encode()), *((RESENT,) * mark)))


def others(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:031x}" for number in range(count)]


def test_a_cursor_knows_a_resent_record_far_behind_its_first_copy() -> None:
    broker = FakeBroker()
    broker.cluster.create(TOPIC)
    between = others("a", 3 * IDS_MAX)
    store(broker, "the-one", *between)
    assert next_ones(broker) == ["the-one", *between]
    store(broker, "the-one", mark=True)
    store(broker, "new", mark=True)
    assert next_ones(broker) == ["new"]


def test_a_cursor_knows_a_first_copy_that_lands_far_behind_the_resent_one() -> None:
    broker = FakeBroker()
    broker.cluster.create(TOPIC)
    store(broker, "the-one", mark=True)
    between = others("a", 3 * IDS_MAX)
    store(broker, *between)
    assert next_ones(broker) == ["the-one", *between]
    store(broker, *others("b", IDS_MAX))
    assert len(next_ones(broker)) == IDS_MAX
    store(broker, "the-one")
    assert next_ones(broker) == []


def test_how_many_late_first_copies_a_cursor_knows() -> None:
    broker = FakeBroker()
    broker.cluster.create(TOPIC)
    sent_again = others("a", RESENT_IDS_MAX + 1)
    store(broker, *sent_again, mark=True)
    assert next_ones(broker) == sent_again
    store(broker, *sent_again)
    assert next_ones(broker) == sent_again[:1]


@pytest.mark.parametrize("how", ["positions", "bookmark"])
def test_what_goes_on_knows_a_first_copy_that_lands_behind_one_found_by_looking_back(how: str) -> None:
    broker = FakeBroker()
    broker.cluster.create(TOPIC)
    store(broker, "the-one", mark=True)
    store(broker, "the-one", mark=True)
    store(broker, *others("a", 1))
    store(broker, "the-one")
    store(broker, *others("b", 1))
    request: ReadRequest[Message] | None = ReadRequest(
        topic=TOPIC,
        decoder=DECODER,
        start=FromPositions((Position(0, 1),)),
        messages_max=1,
        with_bookmark=True,
    )
    got: list[str | None] = []
    while request is not None:
        outcome = broker.read(request)
        assert isinstance(outcome, Complete | Partial)
        got += [delivery.message_id for delivery in outcome.progress.deliveries]
        after = continued(request, outcome)
        if after is not None and how == "bookmark":
            after = evolve(after, start=FromBookmark(outcome.progress.bookmark), resent_before=frozenset())
        request = after
    assert got == [*others("a", 1), *others("b", 1)]
