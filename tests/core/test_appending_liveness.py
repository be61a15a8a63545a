"""When the faults stop and the limits are wide, appending and provisioning get what was wanted."""

from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    Appended,
    AppendRequest,
    EnsureTopic,
    NewRecord,
    Produced,
    RemoveTopic,
    TopicGone,
    TopicReady,
    TopicSettings,
    appending,
    provisioning,
)
from kchat.testing import FakeBroker, Fault, TakenAlong
from tests.core.strategies import PASSING_FAULTS, TOPIC, fault_plans
from tests.core.tracing import run_traced

HOUR_MS = 3_600_000


@given(
    fault_plans(PASSING_FAULTS | st.builds(TakenAlong, st.integers(0, 2)), size_max=8),
    st.booleans(),
    st.booleans(),
)
def test_an_append_whose_faults_stop_is_acknowledged_or_was_sent_once(
    faults: tuple[Fault | None, ...], exists: bool, known: bool
) -> None:
    """An answer that is lost stays lost: then the records are there, and the outcome says "unknown"."""
    broker = FakeBroker(faults)
    if exists:
        broker.cluster.create(TOPIC)
    records = tuple(NewRecord(key=b"s", value=b"%d" % n) for n in range(2))
    request = AppendRequest(
        topic=TOPIC,
        records=records,
        settings=TopicSettings(partitions=1),
        topic_known=exists and known,
        wait_ms_max=60_000,
    )
    trace = run_traced(appending, request, broker)
    values = [r.value for r in broker.cluster.topics[TOPIC].partitions[0].records]
    lost = any(None in event.reports for event in trace.events(Produced))
    assert isinstance(trace.outcome, Appended) or lost
    assert values[-2:] == [b"0", b"1"]


@given(fault_plans(PASSING_FAULTS, size_max=12), st.booleans(), st.booleans())
def test_provisioning_whose_faults_stop_gets_what_was_wanted(
    faults: tuple[Fault | None, ...], exists: bool, ensure: bool
) -> None:
    broker = FakeBroker(faults)
    if exists:
        broker.cluster.create(TOPIC, partitions=2)
    request = (
        EnsureTopic(topic=TOPIC, settings=TopicSettings(partitions=2), wait_ms_max=HOUR_MS)
        if ensure
        else RemoveTopic(topic=TOPIC, wait_ms_max=HOUR_MS)
    )
    trace = run_traced(provisioning, request, broker)
    assert (TOPIC in broker.cluster.topics) is ensure
    if ensure:
        assert isinstance(trace.outcome, TopicReady)
        assert trace.outcome.partitions == (0, 1)
        assert not (exists and trace.outcome.created)
    else:
        assert isinstance(trace.outcome, TopicGone)
        assert not (trace.outcome.deleted and not exists)
