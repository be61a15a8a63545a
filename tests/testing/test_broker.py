"""FakeBroker refuses what Kafka refuses: a lenient fake is worse than none."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve

from kchat.core import (
    METADATA_BYTES_MAX,
    Acknowledged,
    Appended,
    AppendRequest,
    BrokerError,
    Closed,
    Command,
    CommitOffsets,
    CommittedFetched,
    CommittedOffset,
    Complete,
    CreateTopic,
    DeleteTopic,
    DescribeTopic,
    EnsureTopic,
    ErrorKind,
    Event,
    Failed,
    Fetch,
    FetchCommitted,
    Fetched,
    FromBeginning,
    FromCommitted,
    JsonDecoder,
    ListOffsets,
    NewRecord,
    Position,
    Produce,
    Produced,
    ReadRequest,
    RequestFailed,
    TopicSettings,
)
from kchat.testing import COMMANDS_MAX, FakeBroker, NoAnswer
from kchat.testing.cluster import TIMEOUT_MS_MAX
from kchat.testing.sizes import CLIENT_BYTES_MAX, client_bytes

RECORD = NewRecord(key=b"key", value=b'{"type": "human", "data": {"content": "hello"}}')


@pytest.fixture
def broker() -> FakeBroker:
    broker = FakeBroker()
    broker.cluster.create("chat", partitions=2)
    return broker


def kind(event: Event) -> ErrorKind | None:
    return event.error.kind if isinstance(event, RequestFailed) else None


def code(event: Event) -> str:
    return event.error.code if isinstance(event, RequestFailed) else "no error"


def create(broker: FakeBroker, name: str, replicas: int = 1) -> Event:
    settings = TopicSettings(partitions=1, replication_factor=replicas)
    return broker.perform(CreateTopic(topic=name, settings=settings, timeout_ms=100))


def commit(broker: FakeBroker, *positions: Position, group: str = "group", metadata: str = "") -> Event:
    return broker.perform(
        CommitOffsets(
            group=group,
            topic="chat",
            offsets=tuple(CommittedOffset(p.partition, p.offset, metadata) for p in positions),
            before=(),
            timeout_ms=100,
        )
    )


def committed(broker: FakeBroker, group: str = "group") -> dict[int, int]:
    event = broker.perform(FetchCommitted(group=group, topic="chat", partitions=(0, 1), timeout_ms=100))
    assert isinstance(event, CommittedFetched)
    return {entry.partition: entry.offset for entry in event.committed}


def produce(broker: FakeBroker, *records: NewRecord, partition: int | None = None) -> list[object]:
    event = broker.perform(Produce(topic="chat", records=records, partition=partition, timeout_ms=100))
    assert isinstance(event, Produced)
    return [report.code if isinstance(report, BrokerError) else report for report in event.reports]


@pytest.mark.parametrize(
    "command",
    [
        DescribeTopic(topic="absent", with_id=True, timeout_ms=100),
        DeleteTopic(topic="absent", timeout_ms=100),
        ListOffsets(topic="absent", partitions=(0,), timeout_ms=100),
        ListOffsets(topic="chat", partitions=(0, 2), timeout_ms=100),
        CommitOffsets(group="g", topic="chat", offsets=(CommittedOffset(2, 0),), before=(), timeout_ms=100),
    ],
    ids=lambda command: type(command).__name__,
)
def test_a_topic_or_partition_that_is_not_there_is_unknown(broker: FakeBroker, command: Command) -> None:
    assert kind(broker.perform(command)) is ErrorKind.UNKNOWN_TOPIC


@pytest.mark.parametrize("wait", [False, True])
def test_a_fetch_of_what_is_not_there_is_silent_until_its_time_is_over(
    broker: FakeBroker, wait: bool
) -> None:
    missing = Fetch(topic="absent", positions=(Position(0, 0),), records_max=1, wait=wait, timeout_ms=100)
    begun_ms = broker.cluster.now_ms
    event = broker.perform(missing)
    assert isinstance(event, Fetched)
    assert (event.records, event.positions) == ((), ())
    assert broker.cluster.now_ms - begun_ms >= 100
    one_of_two = evolve(missing, topic="chat", positions=(Position(0, 0), Position(2, 0)))
    event = broker.perform(one_of_two)
    assert isinstance(event, Fetched)
    assert event.positions == (Position(0, 0),)


def test_a_commit_stores_what_is_good_and_tells_what_is_not(broker: FakeBroker) -> None:
    assert kind(commit(broker, Position(0, 1), Position(2, 1))) is ErrorKind.UNKNOWN_TOPIC
    assert committed(broker) == {0: 1}


def test_records_for_what_is_not_there_are_refused_one_by_one(broker: FakeBroker) -> None:
    assert produce(broker, RECORD, RECORD, partition=2) == ["_UNKNOWN_PARTITION", "_UNKNOWN_PARTITION"]
    broker.cluster.delete("chat")
    assert produce(broker, RECORD) == ["UNKNOWN_TOPIC_OR_PART"]
    assert "chat" not in broker.cluster.topics


@pytest.mark.parametrize(
    ("offset", "in_range"), [(-1, False), (0, False), (1, False), (2, True), (5, True), (6, False)]
)
def test_a_position_outside_the_watermarks_is_out_of_range(
    broker: FakeBroker, offset: int, in_range: bool
) -> None:
    produce(broker, *[RECORD] * 5, partition=0)
    broker.cluster.topics["chat"].partitions[0].remove_before(2)
    event = broker.perform(
        Fetch(topic="chat", positions=(Position(0, offset),), records_max=9, wait=False, timeout_ms=100)
    )
    assert kind(event) is (None if in_range else ErrorKind.OFFSET_OUT_OF_RANGE)


@pytest.mark.parametrize(
    ("excess_bytes", "report"),
    [(0, Acknowledged(0, 0)), (1, "MSG_SIZE_TOO_LARGE")],
    ids=["fits", "too large"],
)
def test_a_record_above_the_topics_limit_is_refused(excess_bytes: int, report: object) -> None:
    small = FakeBroker(max_message_bytes=1_000)
    small.cluster.create("chat")
    assert produce(small, NewRecord(key=None, value=b"x" * (930 + excess_bytes))) == [report]
    assert small.cluster.topics["chat"].partitions[0].high == (0 if excess_bytes else 1)


def test_a_batch_above_the_topics_limit_is_refused_as_a_whole() -> None:
    small = FakeBroker(max_message_bytes=1_000)
    small.cluster.create("chat", partitions=2)
    other = NewRecord(key=b"k", value=b"x")
    assert small.cluster.topics["chat"].partition_of(b"k").number == 0
    thirds = [NewRecord(key=None, value=b"x" * 400)] * 3
    assert produce(small, *thirds, partition=1) == ["MSG_SIZE_TOO_LARGE"] * 3
    # A key sends it to another partition, and so in another batch.
    small.cluster.inject("chat", b"", partition=0)
    assert produce(small, thirds[0], other, thirds[0], thirds[0]) == [
        "MSG_SIZE_TOO_LARGE",
        Acknowledged(0, 1),
        "MSG_SIZE_TOO_LARGE",
        "MSG_SIZE_TOO_LARGE",
    ]


def test_a_record_above_the_clients_limit_is_refused_whatever_the_topic_takes() -> None:
    large = FakeBroker(max_message_bytes=10_000_000)
    large.cluster.create("chat")
    fits, too_large = (NewRecord(key=b"k", value=b"x" * bytes_) for bytes_ in (999_963, 999_964))
    assert client_bytes(fits) == CLIENT_BYTES_MAX
    assert produce(large, fits, too_large) == [Acknowledged(0, 0), "MSG_SIZE_TOO_LARGE"]


def test_what_follows_a_record_that_the_client_refuses_is_not_sent(broker: FakeBroker) -> None:
    too_large = NewRecord(key=None, value=b"x" * CLIENT_BYTES_MAX)
    assert produce(broker, RECORD, too_large, RECORD, partition=0) == [
        Acknowledged(0, 0),
        "MSG_SIZE_TOO_LARGE",
        "MSG_SIZE_TOO_LARGE",
    ]
    assert broker.cluster.topics["chat"].partitions[0].high == 1


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "a/b", "ü", "x" * 250])
def test_an_illegal_topic_name_is_refused(broker: FakeBroker, name: str) -> None:
    assert code(create(broker, name)) == "TOPIC_EXCEPTION"


def test_names_that_differ_only_in_dot_and_underscore_collide(broker: FakeBroker) -> None:
    assert kind(create(broker, "a.b_c")) is None
    assert code(create(broker, "a_b.c")) == "TOPIC_EXCEPTION"
    assert kind(create(broker, "a-b_c")) is None


def test_a_topic_that_is_there_is_not_created_again(broker: FakeBroker) -> None:
    produce(broker, RECORD)
    assert kind(create(broker, "chat")) is ErrorKind.TOPIC_EXISTS
    assert len(broker.cluster.topics["chat"].partitions) == 2


def test_more_replicas_than_brokers_are_refused(broker: FakeBroker) -> None:
    assert code(create(broker, "replicated", replicas=2)) == "INVALID_REPLICATION_FACTOR"
    broker.cluster.brokers = 2
    assert kind(create(broker, "replicated", replicas=2)) is None


def test_metadata_of_a_commit_has_a_limit(broker: FakeBroker) -> None:
    assert kind(commit(broker, Position(0, 0), metadata="x" * METADATA_BYTES_MAX)) is None
    refused = commit(broker, Position(0, 1), metadata="x" * (METADATA_BYTES_MAX + 1))
    assert code(refused) == "OFFSET_METADATA_TOO_LARGE"
    assert committed(broker) == {0: 0}


def test_a_group_with_a_live_member_refuses_commits(broker: FakeBroker) -> None:
    commit(broker, Position(0, 0), Position(1, 0))
    broker.cluster.live_groups.add("group")
    assert code(commit(broker, Position(0, 1))) == "UNKNOWN_MEMBER_ID"
    assert committed(broker) == {0: 0, 1: 0}
    assert kind(commit(broker, Position(0, 1), group="another")) is None


def test_a_read_whose_group_has_a_live_member_fails_and_the_cursor_stays(broker: FakeBroker) -> None:
    broker.cluster.live_groups.add("group")
    broker.append(AppendRequest(topic="chat", records=(RECORD,)))
    request = ReadRequest(
        topic="chat", start=FromCommitted("group"), decoder=JsonDecoder(), commit_to="group"
    )
    outcome = broker.read(request)
    assert isinstance(outcome, Failed)
    assert isinstance(outcome.failure, BrokerError)
    assert outcome.failure.code == "UNKNOWN_MEMBER_ID"
    assert committed(broker) == {}


@pytest.mark.parametrize(("timeout_ms", "backoff_ms"), [(0, 0), (-1, 0), (TIMEOUT_MS_MAX + 1, 0), (100, -1)])
def test_times_out_of_bounds_are_a_defect_of_the_machine(
    broker: FakeBroker, timeout_ms: int, backoff_ms: int
) -> None:
    command = DescribeTopic(topic="chat", with_id=False, timeout_ms=timeout_ms, backoff_ms=backoff_ms)
    with pytest.raises(AssertionError, match="times out of bounds"):
        broker.perform(command)


@pytest.mark.parametrize(
    "command",
    [
        Fetch(topic="chat", positions=(), records_max=1, wait=False, timeout_ms=1),
        Fetch(topic="chat", positions=(Position(0, 0),), records_max=0, wait=False, timeout_ms=1),
        Produce(topic="chat", records=(), partition=None, timeout_ms=1),
    ],
    ids=["no positions", "no room", "no records"],
)
def test_asking_for_nothing_is_a_defect_of_the_machine(broker: FakeBroker, command: Command) -> None:
    with pytest.raises(AssertionError, match="nothing to"):
        broker.perform(command)


def test_a_call_that_does_not_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = FakeBroker((NoAnswer(),) * (2 * COMMANDS_MAX), latency_ms=0)
    broker.cluster.create("chat")
    monkeypatch.setattr(broker.cluster, "sleep", lambda _: None)  # a clock that stands
    with pytest.raises(AssertionError, match="does not end"):
        broker.read(ReadRequest(topic="chat", start=FromBeginning(), decoder=JsonDecoder()))
    assert len(broker.commands) == COMMANDS_MAX


def test_a_closed_broker_refuses_and_another_face_goes_on(broker: FakeBroker) -> None:
    broker.append(AppendRequest(topic="chat", records=(RECORD,)))
    other = broker.reopened()
    broker.close()
    broker.close()
    request = ReadRequest(topic="chat", start=FromBeginning(), decoder=JsonDecoder())
    with pytest.raises(Closed):
        broker.read(request)
    with pytest.raises(Closed):
        broker.append(AppendRequest(topic="chat", records=(RECORD,)))
    with pytest.raises(Closed):
        broker.provision(EnsureTopic(topic="chat", settings=TopicSettings()))
    assert len(other.read(request).progress.messages) == 1


def test_commands_are_kept_in_order(broker: FakeBroker) -> None:
    broker.read(ReadRequest(topic="chat", start=FromBeginning(), decoder=JsonDecoder()))
    assert [type(command) for command in broker.commands] == [DescribeTopic, ListOffsets]


def test_calls_of_many_threads_are_in_some_order(broker: FakeBroker) -> None:
    def append(number: int) -> list[Acknowledged]:
        records = tuple(NewRecord(key=b"key", value=b"%d %d" % (number, n)) for n in range(10))
        outcome = broker.append(AppendRequest(topic="chat", records=records))
        assert isinstance(outcome, Appended)
        return list(outcome.places)

    with ThreadPoolExecutor(16) as threads:
        places = list(threads.map(append, range(100)))
    stored = [
        record for partition in broker.cluster.topics["chat"].partitions for record in partition.records
    ]
    assert len(stored) == len({place for one in places for place in one}) == 1_000
    values = [record.value for record in stored]
    for number in range(100):
        first = values.index(b"%d 0" % number)
        assert values[first : first + 10] == [b"%d %d" % (number, n) for n in range(10)]


def test_readers_and_writers_of_many_threads_do_not_disturb_each_other(broker: FakeBroker) -> None:
    request = ReadRequest(topic="chat", start=FromBeginning(), decoder=JsonDecoder())

    def turn(number: int) -> int:
        if number % 2:
            broker.append(AppendRequest(topic="chat", records=(RECORD,) * 3))
            return 0
        outcome = broker.reopened().read(request)
        assert isinstance(outcome, Complete)
        return len(outcome.progress.messages)

    with ThreadPoolExecutor(16) as threads:
        lengths = list(threads.map(turn, range(60)))
    assert all(length % 3 == 0 for length in lengths), "an append was seen in part"
    assert len(broker.read(request).progress.messages) == 90
