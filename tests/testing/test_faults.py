"""Each fault does what it says, and nothing after it."""

import pytest

from kchat.core import (
    Appended,
    AppendOutcome,
    AppendRequest,
    Complete,
    ErrorKind,
    Failed,
    FromBeginning,
    FromCommitted,
    FromEnd,
    JsonDecoder,
    Limit,
    Message,
    Partial,
    Progress,
    ReadOutcome,
    ReadRequest,
    Refused,
    Start,
    Unknown,
)
from kchat.testing import (
    Delay,
    Expire,
    FakeBroker,
    FalseLow,
    Fault,
    Foreign,
    Gap,
    LostAnswer,
    NoAnswer,
    PartlyStored,
    Recreate,
    Refuse,
    Remove,
    ShortFetch,
    TakenAlong,
)
from kchat.testing.conformance.session import heard, record, texts

# The commands of these calls, for the place of a fault in a plan.
DESCRIBE, LIST, FETCH = range(3)
CURSOR_FETCH, CURSOR_COMMIT = 3, 4


@pytest.fixture
def broker() -> FakeBroker:
    broker = FakeBroker()
    broker.cluster.create("chat")
    append(broker, *texts(5))
    return broker


def append(broker: FakeBroker, *said: str, wait_ms_max: int = 5_000) -> AppendOutcome:
    records = tuple(record(text, b"key") for text in said)
    return broker.append(AppendRequest(topic="chat", records=records, wait_ms_max=wait_ms_max))


def read(broker: FakeBroker, *, start: Start | None = None, **more: object) -> ReadOutcome[Message]:
    begin = FromBeginning() if start is None else start
    return broker.read(ReadRequest(topic="chat", start=begin, decoder=JsonDecoder(), **more))  # type: ignore[arg-type]


def at(place: int, fault: Fault) -> list[Fault | None]:
    return [*[None] * place, fault]


def stored(broker: FakeBroker) -> list[str]:
    """What is in the log, whoever wrote it, second copies too."""
    decoded = [JsonDecoder().decode(r) for r in broker.cluster.topics["chat"].partitions[0].records]
    return [message.text for message in decoded if isinstance(message, Message)]


def test_a_plan_is_used_up_one_entry_a_command(broker: FakeBroker) -> None:
    broker.plan = [None, Delay(10), None, NoAnswer()]
    read(broker)
    assert broker.plan == [NoAnswer()]
    assert heard(read(broker)) == texts(5)
    assert broker.plan == []


def test_delay_takes_time_and_changes_nothing(broker: FakeBroker) -> None:
    begun_ms = broker.cluster.now_ms
    broker.plan = at(FETCH, Delay(70))
    outcome = read(broker)
    assert heard(outcome) == texts(5)
    assert broker.cluster.now_ms - begun_ms == 3 + 70


@pytest.mark.parametrize("place", [DESCRIBE, LIST, FETCH])
def test_no_answer_costs_the_commands_time_and_is_asked_again(broker: FakeBroker, place: int) -> None:
    begun_ms = broker.cluster.now_ms
    broker.plan = at(place, NoAnswer())
    assert heard(read(broker)) == texts(5)
    assert 200 <= broker.cluster.now_ms - begun_ms < 250


def test_no_answer_to_an_append_stores_nothing_and_is_asked_again(broker: FakeBroker) -> None:
    broker.plan = [NoAnswer()]
    assert isinstance(append(broker, "new"), Appended)
    assert stored(broker) == [*texts(5), "new"]


def test_no_answer_for_ever_fails_the_read_at_its_limit(broker: FakeBroker) -> None:
    begun_ms = broker.cluster.now_ms
    broker.plan = [NoAnswer()] * 100
    outcome = read(broker, wait_ms_max=1_000)
    assert isinstance(outcome, Failed)
    assert getattr(outcome.failure, "kind", None) is ErrorKind.TIMED_OUT
    assert broker.cluster.now_ms - begun_ms <= 2_000


def test_a_lost_answer_to_a_commit_has_moved_the_cursor(broker: FakeBroker) -> None:
    broker.plan = at(CURSOR_COMMIT, LostAnswer())
    cursor = FromCommitted("group")
    assert heard(read(broker, start=cursor, commit_to="group", messages_max=2)) == texts(2)
    assert heard(read(broker, start=cursor, commit_to="group")) == texts(3, start=2)


def test_a_lost_answer_to_an_append_has_stored_and_is_unknown(broker: FakeBroker) -> None:
    broker.plan = [LostAnswer()]
    outcome = append(broker, "new", wait_ms_max=500)
    assert isinstance(outcome, Unknown)
    assert outcome.acknowledged == 0
    assert stored(broker) == [*texts(5), "new"]


@pytest.mark.parametrize("kind", [ErrorKind.DENIED, ErrorKind.REJECTED, ErrorKind.UNSUPPORTED])
def test_a_refused_append_stores_nothing(broker: FakeBroker, kind: ErrorKind) -> None:
    broker.plan = [Refuse(kind, "MADE_UP")]
    outcome = append(broker, "new")
    assert isinstance(outcome, Refused)
    assert (outcome.error.kind, outcome.error.code) == (kind, "MADE_UP")
    assert stored(broker) == texts(5)


def test_a_refused_read_fails_with_the_error(broker: FakeBroker) -> None:
    broker.plan = at(LIST, Refuse(ErrorKind.DENIED))
    outcome = read(broker)
    assert isinstance(outcome, Failed)
    assert getattr(outcome.failure, "kind", None) is ErrorKind.DENIED


@pytest.mark.parametrize("records_max", [1, 2, 4])
def test_a_short_fetch_brings_fewer_records_and_the_read_goes_on(
    broker: FakeBroker, records_max: int
) -> None:
    broker.plan = at(FETCH, ShortFetch(records_max))
    outcome = read(broker)
    assert isinstance(outcome, Complete)
    assert heard(outcome) == texts(5)
    assert len(broker.commands) > 3


def test_a_false_low_watermark_hides_nothing(broker: FakeBroker) -> None:
    broker.plan = at(LIST, FalseLow())
    outcome = read(broker)
    assert isinstance(outcome, Complete)
    assert heard(outcome) == texts(5)


def test_a_false_low_watermark_hides_nothing_of_a_neighbouring_partition() -> None:
    broker = FakeBroker()
    topic = broker.cluster.create("chat", partitions=2)
    broker.cluster.inject("chat", b"gone", partition=0)
    topic.partitions[0].remove_before(1)
    broker.append(AppendRequest(topic="chat", records=(record("kept", b"key"),), partition=1))
    broker.plan = [None, None, None, FalseLow()]
    outcome = read(broker)
    assert isinstance(outcome, Complete)
    assert heard(outcome) == ["kept"]


@pytest.mark.parametrize("kept", [0, 1, 2, 3])
def test_a_partly_stored_append_is_unknown(broker: FakeBroker, kept: int) -> None:
    broker.plan = [PartlyStored(kept)]
    outcome = append(broker, "a", "b", "c", wait_ms_max=500)
    assert isinstance(outcome, Unknown)
    assert len(outcome.records) == 3
    assert stored(broker) == [*texts(5), *["a", "b", "c"][:kept]]


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_records_taken_along_by_a_neighbour_are_sent_again_and_read_once(
    broker: FakeBroker, kept: int
) -> None:
    broker.plan = [TakenAlong(kept)]
    assert isinstance(append(broker, "a", "b", "c"), Appended)
    assert stored(broker) == [*texts(5), *["a", "b", "c"][:kept], "a", "b", "c"]
    outcome = read(broker)
    assert heard(outcome) == [*texts(5), "a", "b", "c"]
    assert outcome.progress.duplicates == kept


def test_foreign_records_before_the_end_is_listed_are_read(broker: FakeBroker) -> None:
    broker.plan = at(LIST, Foreign(2))
    assert heard(read(broker)) == [*texts(5), "foreign", "foreign"]


def test_foreign_records_after_the_end_was_listed_are_for_the_next_read(broker: FakeBroker) -> None:
    broker.plan = at(FETCH, Foreign(2))
    assert heard(read(broker)) == texts(5)
    assert heard(read(broker)) == [*texts(5), "foreign", "foreign"]


def test_retention_under_a_read_ends_in_what_is_left(broker: FakeBroker) -> None:
    broker.plan = at(FETCH, Expire(2))
    outcome = read(broker)
    assert isinstance(outcome, Complete)
    assert heard(outcome) == texts(3, start=2)


def test_a_gap_at_the_end_is_passed_over(broker: FakeBroker) -> None:
    broker.plan = at(LIST, Gap(3))
    outcome = read(broker)
    assert isinstance(outcome, Complete)
    assert [position.offset for position in outcome.progress.positions] == [8]


def test_a_removed_topic_fails_the_read_that_has_begun(broker: FakeBroker) -> None:
    broker.plan = at(FETCH, Remove())
    assert isinstance(read(broker), Failed)
    assert read(broker) == Complete(Progress())


def test_a_removed_topic_refuses_an_append_that_may_not_create_it(broker: FakeBroker) -> None:
    broker.plan = [Remove()]
    outcome = append(broker, "lost")
    assert isinstance(outcome, Refused)
    assert outcome.error.kind is ErrorKind.UNKNOWN_TOPIC


def test_a_recreated_topic_is_empty_and_has_another_id(broker: FakeBroker) -> None:
    old = broker.cluster.topics["chat"].topic_id
    broker.plan = [Recreate()]
    assert heard(read(broker)) == []
    assert broker.cluster.topics["chat"].topic_id != old


def test_faults_of_a_topic_that_is_not_there_do_nothing() -> None:
    broker = FakeBroker([Foreign(1), Expire(1), Gap(1), Remove(), Recreate()])  # type: ignore[arg-type]
    for _ in range(5):
        assert read(broker) == Complete(Progress())
    assert broker.cluster.topics == {}


def test_a_read_that_only_waited_for_its_topic_ends_by_time_when_its_last_look_is_cut_short() -> None:
    broker = FakeBroker((None, NoAnswer()))
    outcome = read(broker, start=FromEnd(), follow=True, wait_ms_max=50)
    assert outcome == Partial(Progress(), Limit.TIME)


def test_a_read_that_never_heard_of_its_topic_fails() -> None:
    broker = FakeBroker((NoAnswer(),) * 10)
    outcome = read(broker, start=FromEnd(), follow=True, wait_ms_max=50)
    assert isinstance(outcome, Failed)
    assert getattr(outcome.failure, "kind", None) is ErrorKind.TIMED_OUT
