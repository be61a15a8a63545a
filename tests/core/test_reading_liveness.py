"""When the faults stop and the limits are wide, a read gets to the end: safety alone could be idleness."""

from attrs import evolve
from hypothesis import assume, given
from hypothesis import strategies as st

from kchat.core import (
    Complete,
    ErrorKind,
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    OnCorrupt,
    Partial,
    Position,
    ReadRequest,
    Start,
    reading,
)
from kchat.core.reading import EXPECTED_MS_MAX
from kchat.testing import FakeBroker, Fault, Refuse
from tests.core.model import assert_slice
from tests.core.reads import believed_false_low, covers, cursor_of, earlier, expected, read
from tests.core.strategies import (
    DECODER,
    FIRST_TOPIC_ID,
    GROUP,
    PASSING_FAULTS,
    TOPIC,
    LogPlan,
    fault_plans,
    log_plans,
    record_times,
)

HOUR_MS = 3_600_000
LAGS = Refuse(ErrorKind.OFFSET_OUT_OF_RANGE)


@st.composite
def possible_starts(draw: st.DrawFn, plan: LogPlan) -> Start:
    """A start that the log has: positions of some partitions, none below what retention left."""
    named = tuple(
        Position(number, draw(st.integers(low, len(entries))))
        for number, (entries, low) in enumerate(zip(plan.partitions, plan.expired, strict=True))
        if draw(st.booleans())
    )
    marked = FromBookmark.at(named, draw(st.sampled_from([FIRST_TOPIC_ID, "another", None])))
    windows = [FromBefore(size, before) for size in (2, 20) for before in (named, None)]
    choices: list[Start] = [FromBeginning(), FromEnd(), FromCommitted(GROUP), FromPositions(named), marked]
    return draw(st.sampled_from([*choices, *windows]))


@given(log_plans(), st.data())
def test_a_read_whose_faults_stop_is_complete(plan: LogPlan, data: st.DataObject) -> None:
    start = data.draw(possible_starts(plan))
    request = ReadRequest(
        topic=TOPIC,
        start=start,
        decoder=DECODER,
        on_corrupt=OnCorrupt.SKIP,
        since_ms=data.draw(record_times),
        until_ms=data.draw(record_times),
        commit_to=data.draw(st.sampled_from([None] if isinstance(start, FromBefore) else [None, GROUP])),
        wait_ms_max=data.draw(st.sampled_from([None, HOUR_MS])),
        stall_ms_max=HOUR_MS,
    )
    broker = plan.build()
    # A commit has a short time of its own: so few faults leave some of it.
    broker.plan = list(data.draw(fault_plans(PASSING_FAULTS, size_max=4 if request.commit_to else 12)))
    stored = cursor_of(broker)
    trace = read(broker, request)
    assume(not believed_false_low(trace))
    assert isinstance(trace.outcome, Complete)
    records, old = (told(broker, request, trace, stored) for told in (expected, earlier))
    assert assert_slice(records, trace.outcome.progress, before=old, covers=covers(request)) == []


@given(log_plans(expiry=False, cursor=False), fault_plans(PASSING_FAULTS | st.just(LAGS), size_max=12))
def test_a_replica_that_lags_for_a_while_costs_time_and_no_record(
    plan: LogPlan, faults: tuple[Fault | None, ...]
) -> None:
    broker = plan.build()
    request = ReadRequest(
        topic=TOPIC,
        start=FromBeginning(),
        decoder=DECODER,
        on_corrupt=OnCorrupt.SKIP,
        stall_ms_max=HOUR_MS,
    )
    # Commands before the first Fetch have no position that could be out of range.
    broker.plan = [None, None, *faults]
    trace = read(broker, request)
    assume(not believed_false_low(trace))
    # Such an answer to ListOffsets is no broker's.
    assume(not any(isinstance(s.before, reading.Relisting) and s.fault == LAGS for s in trace.steps))
    assert isinstance(trace.outcome, Complete)
    assert assert_slice(expected(broker, request, trace, {}), trace.outcome.progress) == []


@given(st.integers(1, 4), st.booleans(), fault_plans(PASSING_FAULTS, size_max=6))
def test_a_following_read_gets_what_comes_after_the_faults(
    messages: int, exists: bool, faults: tuple[Fault | None, ...]
) -> None:
    broker = FakeBroker(faults)
    broker.cluster.at(0 if exists else 10_000, lambda: broker.cluster.create(TOPIC))
    broker.cluster.sleep(0)
    for number in range(messages):
        broker.cluster.at(
            11_000 + 50 * number, lambda: broker.cluster.inject(TOPIC, b'{"type": "human", "data": {}}')
        )
    request = ReadRequest(
        topic=TOPIC,
        start=FromEnd(),
        decoder=DECODER,
        follow=True,
        messages_max=messages,
        wait_ms_max=60_000,
    )
    outcome = broker.read(request)
    assert isinstance(outcome, Partial)
    assert len(outcome.progress.deliveries) == messages


@given(st.integers(1, EXPECTED_MS_MAX - 200))
def test_a_topic_that_is_known_to_be_there_is_found_when_metadata_lag(visible_ms: int) -> None:
    broker = FakeBroker()
    broker.cluster.at(visible_ms, lambda: broker.cluster.create(TOPIC))
    broker.cluster.at(visible_ms, lambda: broker.cluster.inject(TOPIC, b'{"type": "human", "data": {}}'))
    request = ReadRequest(topic=TOPIC, start=FromBeginning(), decoder=DECODER, topic_expected=True)
    outcome = broker.read(request)
    assert isinstance(outcome, Complete)
    assert len(outcome.progress.deliveries) == 1
    assert broker.read(evolve(request, topic_expected=False)) == outcome
