"""Windows, times, bookmarks and mere moves: parts of what a whole read gives, and no part is lost."""

from typing import Any

import pytest
from attrs import evolve
from hypothesis import assume, example, given
from hypothesis import strategies as st

from kchat.core import (
    HEADER_RESENT,
    BrokerError,
    CommittedOffset,
    Complete,
    CursorMemory,
    ErrorKind,
    Failed,
    FindOffsets,
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    OffsetsFound,
    OnCorrupt,
    Partial,
    Position,
    Progress,
    ReadRequest,
    Start,
    reading,
)
from kchat.core.handing import message_id
from kchat.core.reading import Committing, Fetching, ListingOffsets
from kchat.testing import FalseLow, Refuse
from tests.core.model import assert_slice, is_corrupt, place_of
from tests.core.reads import began, covers, cursor_of, earlier, end, expected, read
from tests.core.scripts import asked, described, ended, failed, fetched, found, listed, offsets, reads, resent
from tests.core.scripts import stored as committed_now
from tests.core.strategies import (
    DECODER,
    FIRST_TOPIC_ID,
    GROUP,
    READ_FAULTS,
    SESSION,
    TOPIC,
    Entry,
    LogPlan,
    bookmarks,
    fault_plans,
    log_plans,
    positions,
    read_requests,
    record_times,
)
from tests.core.tracing import feed

UNSUPPORTED = Refuse(ErrorKind.UNSUPPORTED)
HALVES = st.sampled_from([None, 1, 2, 3])


def request_of(start: Start, **changes: Any) -> ReadRequest[Any]:
    given: dict[str, Any] = {"on_corrupt": OnCorrupt.SKIP}
    return ReadRequest(topic=TOPIC, decoder=DECODER, start=start, **given | changes)


def one_partition(*entries: Entry) -> LogPlan:
    return LogPlan(partitions=(entries,), expired=(0,))


def places(positions: tuple[Position, ...]) -> dict[int, int]:
    return {position.partition: position.offset for position in positions}


@given(log_plans(), st.data())
def test_an_outcome_tells_where_the_read_began_and_whether_there_is_something_older(
    plan: LogPlan, data: st.DataObject
) -> None:
    broker, request = plan.build(), data.draw(read_requests(plan))
    broker.plan = list(data.draw(fault_plans(READ_FAULTS)))
    before = cursor_of(broker)
    trace = read(broker, request)
    assume(not any(isinstance(step.fault, FalseLow) for step in trace.steps))
    assume(not any(w.low == w.high > 0 for w in end(trace)))  # not to be told from a false one
    assume(not request.only_move)
    progress = trace.outcome.progress
    if not progress.began:
        assert not progress.deliveries
        return
    first = {w.partition: began(broker, request, trace, w, before) for w in end(trace)}
    # An offset that retention has passed stays what it was: a fetch moves it.
    lows = {p.number: p.low for p in broker.cluster.topics[TOPIC].partitions}
    assert {p: max(offset, lows[p]) for p, offset in places(progress.began).items()} == {
        p: max(offset, lows[p]) for p, offset in first.items()
    }
    timed = bool(trace.events(OffsetsFound))
    since = (request.since_ms or 0) if timed else 0
    partitions = broker.cluster.topics[TOPIC].partitions
    older = {
        number
        for number, offset in first.items()
        if (timed and any(r.timestamp_ms >= since and r.offset < offset for r in partitions[number].records))
        or (not timed and partitions[number].low < offset)
    }
    assert set(progress.older) == older


@given(
    log_plans(cursor=False),
    st.sampled_from([1, 2, 3, 7]),
    st.integers(0, 2),
    record_times,
    st.sampled_from([None, SESSION]),
)
def test_windows_backwards_are_the_whole_conversation_without_gap_or_double(
    plan: LogPlan, size: int, appended: int, since_ms: int | None, key: bytes | None
) -> None:
    """Also while more is appended: a window ends where the one after it began."""
    broker = plan.build()
    whole = request_of(FromBeginning(), key=key, since_ms=since_ms)
    log = broker.cluster.topics[TOPIC].partitions
    highs = {partition.number: partition.high for partition in log}
    request = evolve(whole, start=FromBefore(size))
    windows: list[Progress[Any]] = []
    while not windows or windows[-1].older:
        trace = read(broker, request)
        assert isinstance(trace.outcome, Complete)
        progress = trace.outcome.progress
        windows.append(progress)
        records, old = expected(broker, request, trace, {}), earlier(broker, request, trace, {})
        assert assert_slice(records, progress, before=old, covers=covers(request)) == []
        assert places(progress.positions) == highs, "a window ends where the later one began"
        highs = places(progress.began)
        for _ in range(appended):
            broker.cluster.inject(TOPIC, b'{"type": "human", "data": {}}', key=SESSION)
        request = evolve(request, start=FromBefore(size, progress.began, FIRST_TOPIC_ID))
    in_time = covers(whole)
    for partition in log:
        left = [record for record in partition.records if record.offset < highs[partition.number]]
        assert not any(map(in_time, left)), "nothing older, it was said"
    handed_out = [place_of(delivery) for window in windows for delivery in window.deliveries]
    assert len(handed_out) == len(set(handed_out))


@example(
    plan=one_partition(
        Entry(timestamp_ms=5), Entry(message_id=1), Entry(timestamp_ms=5), Entry(timestamp_ms=5, message_id=1)
    ),
    size=2,
    since_ms=5,
    until_ms=None,
    key=None,
)
@given(log_plans(), HALVES, record_times, record_times, st.sampled_from([None, SESSION]))
def test_pieces_from_bookmark_to_bookmark_are_what_one_read_gives(
    plan: LogPlan, size: int | None, since_ms: int | None, until_ms: int | None, key: bytes | None
) -> None:
    broker = plan.build()
    whole = request_of(FromBeginning(), since_ms=since_ms, until_ms=until_ms, key=key)
    trace = read(broker, whole)
    wanted = trace.outcome.progress
    pieces: list[Complete[Any] | Partial[Any]] = []
    request = evolve(whole, messages_max=size, with_bookmark=True)
    while not pieces or isinstance(pieces[-1], Partial):
        outcome = broker.read(request)
        assert isinstance(outcome, Complete | Partial)
        pieces.append(outcome)
        request = evolve(request, start=FromBookmark(outcome.progress.bookmark))
    got = [delivery for piece in pieces for delivery in piece.progress.deliveries]
    # A copy without a mark of what lies before the read is known where one with a mark has had the read look
    # there; in pieces it may come first. One with a mark is always known.
    before = {
        message_id(record) for record in earlier(broker, whole, trace, {}) if not is_corrupt(record)
    } - {None}
    certain = [[d for d in told if d.message_id not in before] for told in (got, wanted.deliveries)]
    assert certain[0] == certain[1]
    marked = {
        place_of(record) for record in expected(broker, whole, trace, {}) if record.header(HEADER_RESENT)
    }
    assert not [
        delivery for delivery in got if delivery.message_id in before and place_of(delivery) in marked
    ]
    assert [c for piece in pieces for c in piece.progress.skipped] == list(wanted.skipped)
    duplicates = sum(piece.progress.duplicates for piece in pieces)
    assert duplicates + len(got) == wanted.duplicates + len(wanted.deliveries)
    assert pieces[-1].progress.positions == wanted.positions


@given(log_plans(cursor=False), st.data())
def test_a_bookmark_is_what_a_commit_would_have_stored(plan: LogPlan, data: st.DataObject) -> None:
    request = data.draw(read_requests(plan, with_bookmark=True, commit_to=None, wait_ms_max=None))
    assume(not isinstance(request.start, FromBefore))
    broker = plan.build()
    outcome = broker.read(request)
    committing = plan.build()
    again = committing.read(evolve(request, commit_to="another"))
    stored = committing.cluster.committed.get(("another", TOPIC), {})
    if isinstance(outcome, Failed):
        assert stored == {}
        return
    assert {offset.partition: offset for offset in outcome.progress.bookmark} == stored
    assert again.progress.deliveries == outcome.progress.deliveries
    kept = broker.read(request_of(FromBookmark(outcome.progress.bookmark)))
    assert kept.progress == committing.read(request_of(FromCommitted("another"))).progress


@given(log_plans(), st.data())
def test_after_a_mere_move_a_cursor_gives_what_a_read_from_there_gives(
    plan: LogPlan, data: st.DataObject
) -> None:
    broker = plan.build()
    usual: list[Start] = [FromBeginning(), FromEnd(), FromCommitted(GROUP)]
    since_ms, until_ms = data.draw(record_times), data.draw(record_times)
    start: Start = data.draw(st.sampled_from(usual) | positions(plan) | bookmarks(plan))
    request = request_of(start, since_ms=since_ms, until_ms=until_ms, stall_ms_max=500)
    there = broker.read(request)
    move = evolve(request, only_move=True, commit_to="moved", messages_max=data.draw(HALVES | st.just(0)))
    moved = broker.read(move)
    assert not moved.progress.deliveries
    assert not moved.progress.skipped
    if isinstance(there, Failed):
        emptied = any(p.low == p.high for p in broker.cluster.topics[TOPIC].partitions)
        assert isinstance(moved, Failed) or emptied
        return
    assert isinstance(moved, Complete)
    after = broker.read(evolve(request, start=FromCommitted("moved"))).progress
    assert (after.deliveries, after.skipped, after.duplicates, after.positions) == (
        there.progress.deliveries,
        there.progress.skipped,
        there.progress.duplicates,
        there.progress.positions,
    )


@given(log_plans(cursor=False), st.integers(0, 6), record_times, st.booleans())
def test_a_broker_without_times_gives_the_same_messages(
    plan: LogPlan, since_ms: int, until_ms: int | None, backwards: bool
) -> None:
    """Whatever may be before: with times, a copy without a mark may be the first one that the read sees."""
    start = FromBefore(20) if backwards else FromBeginning()
    request = request_of(start, since_ms=since_ms, until_ms=until_ms)
    outcomes = []
    for third in (None, UNSUPPORTED):
        broker = plan.build()
        broker.plan = [None, None, third]
        trace = read(broker, request)
        assume(trace.commands_of(FindOffsets))
        records, old = expected(broker, request, trace, {}), earlier(broker, request, trace, {})
        assert assert_slice(records, trace.outcome.progress, before=old, covers=covers(request)) == []
        outcomes.append(trace.outcome)
    with_times, without = (outcome.progress for outcome in outcomes)
    assert with_times.skipped == without.skipped
    assert with_times.positions == without.positions
    assert all(delivery in with_times.deliveries for delivery in without.deliveries)
    assert all(d in without.deliveries or d.message_id is not None for d in with_times.deliveries)


@pytest.mark.parametrize("start", [FromEnd(), FromPositions(()), FromCommitted(GROUP), FromBookmark(())])
def test_only_reads_that_would_go_through_what_is_too_old_ask_for_its_end(start: Start) -> None:
    broker = LogPlan(partitions=((Entry(), Entry()),), expired=(0,)).build()
    assert not read(broker, request_of(start, since_ms=1)).commands_of(FindOffsets)
    for asking in (FromBeginning(), FromBefore(1)):
        assert read(broker, request_of(asking, since_ms=1)).commands_of(FindOffsets)


MOVE: dict[str, Any] = {"only_move": True, "commit_to": GROUP}


@pytest.mark.parametrize(
    ("times", "offset"), [((1,), 1), ((), 3), ((9,), 3)], ids=["found", "none of that time", "beyond the end"]
)
def test_a_mere_move_to_a_time_stores_the_first_offset_of_that_time(
    times: tuple[int, ...], offset: int
) -> None:
    state = reads(described(topic_id="A"), listed((0, 3)), found(*times), since_ms=5, **MOVE)
    assert isinstance(state, Committing)
    assert asked(state).offsets == (CommittedOffset(0, offset, CursorMemory("A").to_metadata()),)
    outcome = ended(feed(reading, state, committed_now()))
    assert isinstance(outcome, Complete)
    assert outcome.progress.positions == (Position(0, offset),)


def test_a_mere_move_to_a_time_asks_also_where_nothing_seems_to_be_left() -> None:
    """A low watermark can be a false one, and nothing would be fetched that contradicts it."""
    state = reads(described(), listed((5, 5)), since_ms=1, **MOVE)
    assert isinstance(asked(state), FindOffsets)


def test_a_mere_move_to_a_time_fails_where_the_broker_knows_no_times() -> None:
    outcome = ended(
        reads(described(), listed((0, 3)), failed(ErrorKind.UNSUPPORTED, "why"), since_ms=5, **MOVE)
    )
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure, BrokerError)
    assert outcome.failure.kind is ErrorKind.UNSUPPORTED


def test_a_cursor_is_not_moved_to_a_position_that_retention_has_passed() -> None:
    start = FromPositions((Position(0, 1),))
    outcome = ended(reads(described(), listed((2, 4)), start=start, **MOVE))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure, BrokerError)
    assert (outcome.failure.kind, outcome.failure.partition) == (ErrorKind.OFFSET_OUT_OF_RANGE, 0)
    assert isinstance(reads(described(), listed((1, 4)), start=start, **MOVE), Committing)


@pytest.mark.parametrize(
    ("topic_id", "offset"), [("A", 2), ("B", 0), (None, 2)], ids=["ours", "another", "no ids"]
)
def test_a_bookmark_counts_only_for_its_own_topic(topic_id: str | None, offset: int) -> None:
    start = FromBookmark.at((Position(0, 2),), "A")
    assert asked(reads(start=start)).with_id
    state = reads(described(topic_id=topic_id), listed((0, 3)), start=start)
    assert asked(state).positions == (Position(0, offset),)


def test_a_bookmark_names_its_topic_and_what_was_handed_out() -> None:
    assert asked(reads(with_bookmark=True)).with_id
    outcome = ended(reads(described(topic_id="A"), listed((0, 1)), fetched(resent(0)), with_bookmark=True))
    memory = CursorMemory("A", resent=("id-0-0",))
    assert outcome.progress.bookmark == (CommittedOffset(0, 1, memory.to_metadata()),)
    assert ended(reads(described(), listed((0, 1)), fetched(0))).progress.bookmark == ()


def test_an_end_before_this_topics_own_bookmark_is_not_believed() -> None:
    start = FromBookmark.at((Position(0, 2),), "A")
    state = reads(described(topic_id="A"), listed((0, 1)), start=start)
    assert isinstance(state, ListingOffsets)
    assert isinstance(feed(reading, state, listed((0, 3))), Fetching)


@pytest.mark.parametrize("answer", [described(topic_id="B"), failed(ErrorKind.UNKNOWN_TOPIC)])
def test_a_window_before_positions_of_another_topic_fails(answer: Any) -> None:
    outcome = ended(reads(answer, start=FromBefore(1, (Position(0, 2),), "A")))
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure, BrokerError)
    assert outcome.failure.kind is ErrorKind.OFFSET_OUT_OF_RANGE


def test_a_window_that_retention_has_passed_in_part_begins_at_what_is_left() -> None:
    """Behind a false low watermark, too: the broker says so at the fetch."""
    start = FromBefore(3, (Position(0, 4),))
    assert asked(reads(described(), listed((2, 9)), start=start)).positions == (Position(0, 2),)
    state = reads(described(), listed((9, 9)), failed(ErrorKind.OFFSET_OUT_OF_RANGE), start=start)
    outcome = ended(feed(reading, state, listed((2, 9)), fetched(2, 3, 4)))
    assert (offsets(outcome), outcome.progress.older) == ([2, 3], ())
