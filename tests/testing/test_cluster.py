"""The fake cluster's clock, retention, gaps and generations of a topic."""

import pytest

from kchat.core import (
    AppendRequest,
    Complete,
    DescribeTopic,
    ErrorKind,
    Failed,
    FromBeginning,
    FromCommitted,
    FromEnd,
    FromPositions,
    JsonDecoder,
    ListOffsets,
    Message,
    NewRecord,
    OffsetsListed,
    Partial,
    Position,
    ReadOutcome,
    ReadRequest,
    Start,
    TopicDescribed,
    Watermarks,
)
from kchat.testing import EPOCH_MS, FakeBroker
from kchat.testing.conformance.session import heard, record

START: Start = FromBeginning()


def said(broker: FakeBroker, *texts: str, partition: int | None = None) -> None:
    records = tuple(record(text, b"key") for text in texts)
    broker.append(AppendRequest(topic="chat", records=records, partition=partition))


def read(broker: FakeBroker, start: Start = START, **more: object) -> ReadOutcome[Message]:
    return broker.read(ReadRequest(topic="chat", start=start, decoder=JsonDecoder(), **more))  # type: ignore[arg-type]


def watermarks(broker: FakeBroker, partition: int = 0) -> Watermarks:
    event = broker.perform(ListOffsets(topic="chat", partitions=(partition,), timeout_ms=100))
    assert isinstance(event, OffsetsListed)
    return event.watermarks[0]


def topic_id(broker: FakeBroker) -> str | None:
    event = broker.perform(DescribeTopic(topic="chat", with_id=True, timeout_ms=100))
    assert isinstance(event, TopicDescribed)
    return event.topic_id


@pytest.fixture
def broker() -> FakeBroker:
    broker = FakeBroker()
    broker.cluster.create("chat")
    return broker


def test_time_passes_only_by_commands_and_sleep() -> None:
    broker = FakeBroker(latency_ms=7)
    broker.cluster.create("chat")
    assert broker.cluster.now_ms == 0
    read(broker)
    assert broker.cluster.now_ms == 7 * len(broker.commands) == 14
    broker.cluster.sleep(100)
    assert broker.cluster.now_ms == 114
    assert broker.cluster.timestamp_ms == EPOCH_MS + 114


def test_what_is_scheduled_happens_in_the_order_of_its_time(broker: FakeBroker) -> None:
    seen: list[tuple[str, int]] = []
    broker.cluster.at(30, lambda: seen.append(("late", broker.cluster.now_ms)))
    broker.cluster.at(10, lambda: seen.append(("early", broker.cluster.now_ms)))
    broker.cluster.sleep(9)
    assert seen == []
    broker.cluster.sleep(21)
    assert seen == [("early", 10), ("late", 30)]
    broker.cluster.sleep(100)
    assert len(seen) == 2, "once"


def test_a_waiting_read_sees_what_is_scheduled_at_its_time(broker: FakeBroker) -> None:
    said(broker, "old")
    begun_ms = broker.cluster.now_ms
    broker.cluster.at(begun_ms + 500, lambda: said(broker, "new"))
    outcome = read(broker, FromEnd(), follow=True, messages_max=1, wait_ms_max=2_000)
    assert isinstance(outcome, Partial)
    assert heard(outcome) == ["new"]
    assert outcome.progress.deliveries[0].timestamp_ms == pytest.approx(EPOCH_MS + begun_ms + 500, abs=5)
    assert broker.cluster.now_ms - begun_ms < 600


def test_a_waiting_read_costs_virtual_time_only(broker: FakeBroker) -> None:
    begun_ms = broker.cluster.now_ms
    read(broker, FromEnd(), follow=True, wait_ms_max=5_000)
    assert 5_000 <= broker.cluster.now_ms - begun_ms <= 6_000


def test_retention_moves_the_low_watermark_over_what_is_too_old() -> None:
    broker = FakeBroker()
    broker.cluster.create("chat", ttl_ms=1_000)
    said(broker, "old", "old too")
    broker.cluster.sleep(600)
    said(broker, "young")
    broker.cluster.sleep(600)
    assert watermarks(broker) == Watermarks(0, 2, 3)
    assert heard(read(broker)) == ["young"]
    broker.cluster.sleep(1_000)
    assert watermarks(broker) == Watermarks(0, 3, 3)
    assert read(broker) == Complete(read(broker).progress)
    assert heard(read(broker)) == []


def test_without_a_ttl_nothing_expires(broker: FakeBroker) -> None:
    said(broker, "old")
    broker.cluster.sleep(10**12)
    assert heard(read(broker)) == ["old"]


def test_retention_stops_at_the_first_record_that_is_young_enough(broker: FakeBroker) -> None:
    partition = broker.cluster.topics["chat"].partitions[0]
    for timestamp_ms in (10, 30, 20):
        partition.append(None, b"", (), timestamp_ms)
    partition.expire(25)
    assert partition.watermarks == Watermarks(0, 1, 3)


def test_retention_that_passed_a_named_position_fails_the_read_and_a_cursor_goes_on(
    broker: FakeBroker,
) -> None:
    said(broker, "one", "two", "three")
    read(broker, messages_max=1, commit_to="group")
    broker.cluster.topics["chat"].partitions[0].remove_before(2)
    failed = read(broker, FromPositions((Position(0, 1),)))
    assert isinstance(failed, Failed)
    assert getattr(failed.failure, "kind", None) is ErrorKind.OFFSET_OUT_OF_RANGE
    assert heard(read(broker, FromCommitted("group"))) == ["three"]


@pytest.mark.parametrize("gap", [1, 3])
def test_gaps_are_passed_over_and_counted_in_positions(broker: FakeBroker, gap: int) -> None:
    partition = broker.cluster.topics["chat"].partitions[0]
    partition.skip(gap)
    said(broker, "one")
    partition.skip(gap)
    said(broker, "two")
    partition.skip(gap)
    outcome = read(broker)
    assert isinstance(outcome, Complete)
    assert [d.offset for d in outcome.progress.deliveries] == [gap, 2 * gap + 1]
    assert outcome.progress.positions == (Position(0, 3 * gap + 2),)


def test_a_topic_that_is_created_again_has_another_id_and_no_commits(broker: FakeBroker) -> None:
    said(broker, "old", "old too")
    read(broker, commit_to="group")
    read(broker, commit_to="other group")
    first = topic_id(broker)
    broker.cluster.delete("chat")
    broker.cluster.create("chat")
    assert topic_id(broker) != first
    assert broker.cluster.committed == {}
    said(broker, "new")
    assert heard(read(broker, FromCommitted("group"))) == ["new"]


def test_commits_for_other_topics_survive(broker: FakeBroker) -> None:
    broker.cluster.create("other")
    said(broker, "kept")
    read(broker, commit_to="group")
    broker.cluster.delete("other")
    assert heard(read(broker, FromCommitted("group"))) == []


def test_a_topic_id_is_told_only_where_it_is_asked_for(broker: FakeBroker) -> None:
    event = broker.perform(DescribeTopic(topic="chat", with_id=False, timeout_ms=100))
    assert isinstance(event, TopicDescribed)
    assert event.topic_id is None


def test_another_program_can_write_anything_anywhere(broker: FakeBroker) -> None:
    topic = broker.cluster.create("wide", partitions=3)
    stored = broker.cluster.inject(
        "wide", None, key=b"k", headers=(("h", None),), partition=2, timestamp_ms=5
    )
    assert topic.partitions[2].records == [stored]
    assert (stored.value, stored.key, stored.headers, stored.timestamp_ms) == (None, b"k", (("h", None),), 5)


def test_a_key_has_its_partition_and_records_without_one_are_spread(broker: FakeBroker) -> None:
    topic = broker.cluster.create("wide", partitions=3)
    for _ in range(4):
        broker.cluster.inject("wide", b"", key=b"session")
    assert sorted(len(partition.records) for partition in topic.partitions) == [0, 0, 4]
    for _ in range(8):
        broker.cluster.inject("wide", b"")
    assert [len(partition.records) for partition in topic.partitions] == [4, 4, 4]


def test_a_fetch_brings_no_more_than_it_was_asked_for(broker: FakeBroker) -> None:
    large = NewRecord(key=b"key", value=b"x")
    broker.append(AppendRequest(topic="chat", records=(large,) * 5))
    assert len(broker.cluster.topics["chat"].partitions[0].read(1, 3)) == 3
    assert [r.offset for r in broker.cluster.topics["chat"].partitions[0].read(1, 3)] == [1, 2, 3]
