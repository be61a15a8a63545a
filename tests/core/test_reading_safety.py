"""Whatever the log holds and whatever the broker does: a read never hands out anything wrong.

Two answers of a broker are outside these properties, since nothing in the log can contradict them:
"unknown topic" for a topic that exists (then the conversation is empty), and a low watermark that is
reported as the high one twice after "out of range" (then retention has passed everything).
"""

from collections.abc import Iterable
from functools import partial

import pytest
from attrs import evolve, frozen
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from kchat.core import (
    HEADER_ID,
    HEADER_RESENT,
    CommitOffsets,
    Complete,
    Corrupt,
    Delivery,
    Failed,
    Fetched,
    FromBeginning,
    FromCommitted,
    Limit,
    Message,
    OnCorrupt,
    Partial,
    ReadOutcome,
    ReadRequest,
)
from kchat.core.budget import SLICE_MS
from kchat.core.reading import COMMIT_MS_MIN
from kchat.testing import Expire, FakeBroker, Fault, Foreign, Recreate, Remove
from tests.core.model import Place, assert_slice, in_order, passed, place_of, told, told_by
from tests.core.reads import (
    begin,
    believed_false_low,
    chunks,
    covers,
    cursor,
    cursor_of,
    denied_after_it_was_made,
    earlier,
    end,
    expected,
    is_out_of_range,
    read,
)
from tests.core.strategies import (
    DECODER,
    GROUP,
    READ_FAULTS,
    SESSION,
    TOPIC,
    Entry,
    LogPlan,
    fault_plans,
    log_plans,
    read_requests,
    stored_records,
)
from tests.core.tracing import Trace


@frozen(kw_only=True)
class Case:
    """A log, what goes wrong with it, and a read."""

    plan: LogPlan
    faults: tuple[Fault | None, ...]
    request: ReadRequest[Message]

    def build(self) -> FakeBroker:
        broker = self.plan.build()
        broker.plan = list(self.faults)
        return broker


@st.composite
def cases(draw: st.DrawFn, faults: st.SearchStrategy[Fault] = READ_FAULTS) -> Case:
    plan = draw(log_plans())
    return Case(plan=plan, faults=draw(fault_plans(faults)), request=draw(read_requests(plan)))


@st.composite
def quiet_cases(draw: st.DrawFn) -> Case:
    plan = draw(log_plans(cursor=False))
    request = draw(read_requests(plan, wait_ms_max=None, stall_ms_max=1_000, commit_to=None))
    return Case(plan=plan, faults=(), request=request)


def is_resent(broker: FakeBroker, delivery: Delivery[Message]) -> bool:
    records = broker.cluster.topics[TOPIC].partitions[delivery.partition].records
    (record,) = (record for record in records if record.offset == delivery.offset)
    return record.header(HEADER_RESENT) is not None


def elapsed_in(trace: Trace) -> int:
    return int(trace.steps[-1].event.at_ms) if trace.steps else 0


def assert_ascending(places: Iterable[Place]) -> None:
    """In every partition the offsets rise: nothing twice, nothing out of order."""
    last: dict[int, int] = {}
    for partition, offset in places:
        assert offset > last.get(partition, -1)
        last[partition] = offset


@settings(max_examples=5 * settings().max_examples)
@given(cases())
def test_what_is_handed_out_is_the_beginning_of_the_one_order(
    case: Case,
) -> None:
    broker, request = case.build(), case.request
    before = cursor_of(broker)
    trace = read(broker, request)
    assume(not believed_false_low(trace))
    progress = trace.outcome.progress
    if is_out_of_range(broker, request, trace):
        assert not progress.deliveries
        # Where nothing may be left, only a fetch tells that a position is gone: a mere move fetches nothing.
        unproven = request.only_move and any(w.low == w.high for w in end(trace))
        assert request.messages_max == 0 or unproven or isinstance(trace.outcome, Failed)
        return
    records = expected(broker, request, trace, before)
    old = earlier(broker, request, trace, before)
    check = partial(assert_slice, records, progress, before=old, covers=covers(request))
    outcome: ReadOutcome[Message] = trace.outcome
    match outcome:
        case Complete():
            assert check() == []
        case Partial(limit=Limit.COUNT):
            rest = check()
            reached = records[: len(records) - len(rest)]
            assert len(progress.deliveries) == request.messages_max
            assert not reached or place_of(reached[-1]) == place_of(progress.deliveries[-1])
        case Partial(limit=limit):
            assert limit is Limit.TIME
            assert request.wait_ms_max is not None
            check()
            assert elapsed_in(trace) >= request.wait_ms_max
        case Failed(failure=failure):
            check(failure)
            assert not isinstance(failure, Corrupt) or request.on_corrupt is OnCorrupt.RAISE
    assert request.messages_max is None or len(progress.deliveries) <= request.messages_max
    assert not progress.skipped or request.on_corrupt is OnCorrupt.SKIP


@given(cases())
def test_a_read_ends_within_its_time_and_one_slice_and_the_commit(
    case: Case,
) -> None:
    broker, request = case.build(), case.request
    trace = read(broker, request)
    if request.wait_ms_max is not None:
        commit_ms = COMMIT_MS_MIN if trace.commands_of(CommitOffsets) else 0
        assert broker.cluster.now_ms <= request.wait_ms_max + SLICE_MS + commit_ms
    elif trace.steps:
        # Without a limit a read may be silent for `stall_ms_max` after each answer, and no longer.
        answers = 1 + len(trace.steps) + sum(len(e.records) for e in trace.events(Fetched))
        assert broker.cluster.now_ms <= answers * (request.stall_ms_max + SLICE_MS) + COMMIT_MS_MIN


@given(cases())
def test_a_read_that_went_well_commits_what_was_handed_out_and_a_failed_one_nothing(
    case: Case,
) -> None:
    broker, request = case.build(), case.request
    before = cursor_of(broker)
    trace = read(broker, request)
    assume(not believed_false_low(trace))
    assume(not denied_after_it_was_made(trace))
    after = cursor_of(broker)
    if isinstance(trace.outcome, Failed) or request.commit_to is None:
        assert after == before
    elif trace.outcome.progress.unmoved is not None:
        # No answer came. The cursor is where it was, or after what was handed out; both lose nothing.
        positions = {p.partition: p.offset for p in trace.outcome.progress.positions}
        assert all(
            after.get(p) == before.get(p) or after[p].offset == positions[p] for p in {*after, *before}
        )
    else:
        positions = {p.partition: p.offset for p in trace.outcome.progress.positions}
        if request.only_move:  # nothing was fetched, which would have shown what retention has passed
            lows = {p.number: p.low for p in broker.cluster.topics[TOPIC].partitions}
            positions = {number: max(offset, lows[number]) for number, offset in positions.items()}
        assert positions in ({}, {w.partition: cursor(broker, after, w) for w in end(trace)})
        assert all(after[partition] == before[partition] for partition in set(before) - set(positions))


@example(
    plan=LogPlan(
        partitions=(
            (Entry(),) * 4,
            (
                *(Entry(),) * 3,
                Entry(message_id=1, resent=True),
                Entry(message_id=0),
                Entry(message_id=0, resent=True),
            ),
            (Entry(),) * 2,
        ),
        expired=(0, 1, 2),
    ),
    quiet=2,
    records=1,
)
@given(log_plans(cursor=False), st.integers(2, 4), st.integers(1, 3))
def test_what_is_appended_after_the_end_was_seen_changes_nothing(
    plan: LogPlan, quiet: int, records: int
) -> None:
    request = ReadRequest(topic=TOPIC, start=FromBeginning(), decoder=DECODER, on_corrupt=OnCorrupt.SKIP)
    growing = plan.build()
    # The first two commands find the partitions and the end.
    growing.plan = [*[None] * quiet, *[Foreign(records)] * 3]
    assert growing.read(request) == plan.build().read(request)


@given(quiet_cases())
def test_the_same_pure_read_twice_gives_the_same(case: Case) -> None:
    broker, request = case.build(), case.request
    assert broker.read(request) == broker.read(request)
    assert broker.cluster.committed == {}


@given(log_plans(cursor=False), st.integers(1, 4), st.sampled_from([None, SESSION]), st.booleans())
def test_chunks_of_any_size_make_the_whole(
    plan: LogPlan, size: int, key: bytes | None, by_cursor: bool
) -> None:
    """A cursor remembers ids from read to read. Positions do not, but resent records are looked back for:
    then the copies that carry no mark are dropped here.
    """
    broker = plan.build()
    request = ReadRequest(
        topic=TOPIC, start=FromBeginning(), decoder=DECODER, key=key, on_corrupt=OnCorrupt.SKIP
    )
    whole = broker.read(request)
    first = (
        evolve(request, start=FromCommitted(GROUP), commit_to=GROUP, messages_max=size)
        if by_cursor
        else evolve(request, messages_max=size)
    )
    outcomes = chunks(broker, first)
    deliveries = [delivery for outcome in outcomes for delivery in outcome.progress.deliveries]
    places = [place_of(delivery) for delivery in deliveries]
    assert len(set(places)) == len(places), "a place was handed out twice"
    if not by_cursor:
        ids = [delivery.message_id for delivery in deliveries]
        seconds = [d for i, d in enumerate(deliveries) if ids[i] is not None and ids[i] in ids[:i]]
        assert not any(map(partial(is_resent, broker), seconds)), "a resent record came twice"
        deliveries = [d for d in deliveries if d not in seconds]
    assert deliveries == list(whole.progress.deliveries)
    assert [s for o in outcomes for s in o.progress.skipped] == list(whole.progress.skipped)
    assert outcomes[-1].progress.positions == whole.progress.positions
    assert all(len(outcome.progress.deliveries) == size for outcome in outcomes[:-1])


@given(cases(READ_FAULTS | st.builds(Expire, st.integers(1, 3)) | st.just(Remove()) | st.just(Recreate())))
def test_a_log_that_changes_below_the_read_repeats_nothing_and_ends(
    case: Case,
) -> None:
    """Nothing may be said here of what is missing: another program took it away."""
    broker, request = case.build(), case.request
    trace = read(broker, request)
    progress = trace.outcome.progress
    places = [place_of(delivery) for delivery in progress.deliveries]
    assert_ascending(places)
    ids = [delivery.message_id for delivery in progress.deliveries if delivery.message_id is not None]
    assert len(ids) == len(set(ids))
    assert request.messages_max is None or len(places) <= request.messages_max
    ends = {w.partition: w.high for w in end(trace)}
    assert all(offset < ends[partition] for partition, offset in places)
    if request.wait_ms_max is not None:
        assert broker.cluster.now_ms <= request.wait_ms_max + SLICE_MS + COMMIT_MS_MIN


@given(log_plans(), st.data())
def test_retention_during_a_read_takes_only_what_is_gone(plan: LogPlan, data: st.DataObject) -> None:
    broker = plan.build()
    request = data.draw(read_requests(plan, on_corrupt=OnCorrupt.SKIP))
    broker.plan = list(data.draw(fault_plans(st.builds(Expire, st.integers(1, 2)), size_max=8)))
    stored, whole = cursor_of(broker), stored_records(broker)
    trace = read(broker, request)
    progress = trace.outcome.progress
    positions = {p.partition: p.offset for p in progress.positions}
    seen = {place_of(d) for d in progress.deliveries} | {place_of(s) for s in progress.skipped}
    for w in end(trace):
        low, reached = begin(broker, request, w, stored), min(positions.get(w.partition, 0), w.high)
        mine = [r for r in whole if r.partition == w.partition and request.key in (None, r.key)]
        mine = [] if request.only_move else list(filter(covers(request), mine))
        survivors = {r.offset for r in broker.cluster.topics[TOPIC].partitions[w.partition].records}
        missing = [
            r for r in mine if low <= r.offset < reached and r.offset in survivors and place_of(r) not in seen
        ]
        assert all(r.header(HEADER_ID) is not None for r in missing), "a record that is there was left out"
        assert len(missing) <= progress.duplicates


@given(log_plans(expiry=False, cursor=False), st.lists(st.integers(0, 3), max_size=5), st.integers(1, 1_000))
def test_a_following_read_gives_the_old_in_order_and_then_the_new_as_they_come(
    plan: LogPlan, arrivals: list[int], wait_ms_max: int
) -> None:
    broker = plan.build()
    old = told(in_order(partition.records for partition in broker.cluster.topics[TOPIC].partitions))
    broker.plan = [None, None, *(Foreign(records) for records in arrivals)]
    request = ReadRequest(
        topic=TOPIC,
        start=FromBeginning(),
        decoder=DECODER,
        follow=True,
        wait_ms_max=wait_ms_max,
        on_corrupt=OnCorrupt.SKIP,
    )
    outcome = broker.read(request)
    assert isinstance(outcome, Partial)
    assert outcome.limit is Limit.TIME
    assert wait_ms_max <= broker.cluster.now_ms <= wait_ms_max + SLICE_MS
    progress = outcome.progress
    places = told_by(progress).messages
    assert places[: len(old.messages)] == old.messages[: len(places)]
    behind = told(in_order([passed(stored_records(broker), progress)]))
    assert sorted(places) == sorted(behind.messages) or progress.duplicates
    assert len(places) == len(behind.messages)
    assert_ascending(places)


@pytest.mark.parametrize("messages_max", [1, 2])
def test_a_following_read_ends_at_its_count_without_waiting(messages_max: int) -> None:
    broker = FakeBroker()
    broker.cluster.create(TOPIC)
    for _ in range(3):
        broker.cluster.inject(TOPIC, b'{"type": "human", "data": {}}')
    request = ReadRequest(
        topic=TOPIC, start=FromBeginning(), decoder=DECODER, follow=True, messages_max=messages_max
    )
    outcome = broker.read(request)
    assert isinstance(outcome, Partial)
    assert (len(outcome.progress.deliveries), outcome.limit) == (messages_max, Limit.COUNT)
    assert broker.cluster.now_ms < SLICE_MS
