"""Replaying again gives what a fresh whole read gives, whatever happened to the log, and fetches little."""

from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    HEADER_ID,
    HEADER_RESENT,
    Complete,
    DescribeTopic,
    Failed,
    Fetch,
    FromBeginning,
    FromCommitted,
    FromEnd,
    JsonDecoder,
    Message,
    OnCorrupt,
    ReadOutcome,
    ReadRequest,
    Replayed,
    reading,
)
from kchat.core.replaying import asked
from kchat.testing import FakeBroker, FalseLow, Fault, NoAnswer, ShortFetch
from kchat.testing.partition import FakePartition

TOPIC = "talk"
REQUEST: ReadRequest[Message] = ReadRequest(
    topic=TOPIC, start=FromBeginning(), decoder=JsonDecoder(), on_corrupt=OnCorrupt.SKIP
)


@frozen
class Append:
    """Records of any writer: to a partition, some of them late, some doubled, some no messages."""

    partition: int
    count: int = 1
    behind_ms: int = 0
    id: int | None = None
    resent: bool = False
    corrupt: bool = False


@frozen
class Meddle:
    """Something that another program or the cluster does to the topic."""

    how: str
    offsets: int = 0


@frozen
class Read:
    """Both ways, with faults on the way of the one that goes on behind the last."""

    faults: tuple[Fault, ...] = ()


Step = Append | Meddle | Read

FAULTS = st.lists(
    st.one_of(
        st.builds(ShortFetch, st.integers(1, 3)),
        st.just(NoAnswer()),
        st.just(FalseLow()),
    ),
    max_size=2,
).map(tuple)

STEPS = st.lists(
    st.one_of(
        st.builds(
            Append,
            partition=st.integers(0, 2),
            count=st.integers(1, 4),
            behind_ms=st.sampled_from([0, 0, 0, 1, 500]),
            id=st.one_of(st.none(), st.integers(0, 5)),
            resent=st.booleans(),
            corrupt=st.booleans(),
        ),
        st.builds(Append, partition=st.just(0), count=st.integers(1, 4)),
        st.builds(
            Meddle,
            how=st.sampled_from(["gap", "expire", "delete", "recreate", "add partition", "wait", "empty"]),
            offsets=st.integers(1, 3),
        ),
        st.builds(Read, faults=FAULTS),
    ),
    max_size=25,
)


@define
class World:
    """A topic, what is done to it, and one reader who goes on behind what it has read."""

    broker: FakeBroker = field(factory=FakeBroker)
    replayed: Replayed[Message] = field(factory=Replayed)
    written: int = 0
    age_ms: int | None = None

    def __attrs_post_init__(self) -> None:
        self.broker.cluster.create(TOPIC, partitions=2)

    def do(self, step: Step) -> None:
        match step:
            case Append():
                self.append(step)
            case Meddle():
                self.meddle(step)
            case Read():
                self.read(step)

    def append(self, step: Append) -> None:
        topic = self.broker.cluster.topics.get(TOPIC)
        if topic is None:
            return
        for number in range(step.count):
            self.written += 1
            known = self.written if step.id is None else f"again-{step.id + number}"
            # The first copy may be too old to be fetched: then only the mark tells that there is one.
            resent = step.resent or (self.age_ms is not None and step.id is not None)
            headers = ((HEADER_ID, f"id-{known}".encode()), *([(HEADER_RESENT, b"1")] if resent else []))
            value = (
                b"no message" if step.corrupt else f'{{"type":"ai","data":{{"n":{self.written}}}}}'.encode()
            )
            self.broker.cluster.inject(
                TOPIC,
                value,
                headers=headers,
                partition=step.partition % len(topic.partitions),
                timestamp_ms=self.broker.cluster.timestamp_ms - step.behind_ms,
            )

    def meddle(self, step: Meddle) -> None:
        cluster = self.broker.cluster
        topic = cluster.topics.get(TOPIC)
        if topic is None:
            cluster.create(TOPIC, partitions=2)
            return
        match step.how:
            case "gap":
                for partition in topic.partitions:
                    partition.skip(step.offsets)
            case "expire":
                for partition in topic.partitions:
                    partition.remove_before(partition.low + step.offsets)
            case "empty":
                for partition in topic.partitions:
                    partition.remove_before(partition.high)
            case "add partition":
                topic.partitions.append(FakePartition(len(topic.partitions)))
            case "wait":
                cluster.sleep(step.offsets)
            case _:
                cluster.delete(TOPIC)
                if step.how == "recreate":
                    cluster.create(TOPIC, partitions=2)

    def read(self, step: Read) -> None:
        request = REQUEST
        if self.age_ms is not None:
            request = evolve(REQUEST, since_ms=self.broker.cluster.timestamp_ms - self.age_ms)
        fresh = self.broker.read(request)
        self.broker.plan.extend(step.faults)
        again = self.broker.read(evolve(request, replayed=self.replayed))
        self.broker.plan.clear()
        # How many second copies it met depends on how far back it fetched.
        told = answer if self.age_ms is None else messages_and_skipped
        assert told(again) == told(fresh)
        self.replayed = again.progress.replayed or self.replayed


def answer(outcome: ReadOutcome[Message]) -> Any:
    """What the caller sees of an outcome, however it came to be."""
    progress = outcome.progress
    found = progress if progress.replayed is None else progress.replayed
    return type(outcome), tuple(found.messages), found.skipped, found.duplicates, progress.positions


def messages_and_skipped(outcome: ReadOutcome[Message]) -> Any:
    """The same without the count of second copies."""
    kind, messages, skipped, _, positions = answer(outcome)
    return kind, messages, skipped, positions


@given(STEPS, st.none() | st.integers(0, 12))
def test_replaying_again_is_reading_afresh(steps: list[Step], age_ms: int | None) -> None:
    world = World(age_ms=age_ms)
    for step in [*steps, Read(), Read()]:
        world.do(step)


def fetched_by(world: World) -> list[Fetch]:
    """The fetches of the reader that goes on."""
    before = len(world.broker.commands)
    outcome = world.broker.read(evolve(REQUEST, replayed=world.replayed))
    assert isinstance(outcome, Complete)
    world.replayed = outcome.progress.replayed or world.replayed
    return [command for command in world.broker.commands[before:] if isinstance(command, Fetch)]


def test_only_what_is_new_is_fetched_and_one_record_before_it() -> None:
    world = World()
    world.do(Append(partition=0, count=50))
    assert [p.offset for f in fetched_by(world) for p in f.positions] == [0]
    assert fetched_by(world) == []
    world.do(Append(partition=0, count=2))
    assert [p.offset for f in fetched_by(world) for p in f.positions] == [49]


@pytest.mark.parametrize(
    "step",
    [
        Meddle("recreate"),
        Meddle("expire", 1),
        Append(partition=1, behind_ms=500),
        Meddle("add partition"),
    ],
    ids=["another topic", "retention", "an earlier record", "another partition"],
)
def test_what_makes_it_doubtful_is_read_from_the_beginning(step: Step) -> None:
    world = World()
    world.do(Append(partition=0, count=5))
    fetched_by(world)
    world.do(step)
    if step == Meddle("recreate"):
        world.do(Append(partition=0, count=7))
    lows = {p.number: p.low for p in world.broker.cluster.topics[TOPIC].partitions}
    begun = {(p.partition, p.offset) for f in fetched_by(world) for p in f.positions}
    assert (0, lows[0]) in begun
    world.do(Read())


def test_a_log_that_was_emptied_has_nothing_of_what_was_found() -> None:
    """It ends where it ended, and its watermarks look as a client also reports them by mistake."""
    world = World()
    world.do(Append(partition=0, count=5))
    world.do(Read())
    world.do(Meddle("empty"))
    world.do(Read())
    assert world.replayed.messages == []


def test_another_record_in_the_place_of_the_last_one_is_noticed() -> None:
    """A leader that was elected without having all has lost the end, and was written to since."""
    world = World()
    world.do(Append(partition=0, count=5))
    world.do(Read())
    partition = world.broker.cluster.topics[TOPIC].partitions[0]
    del partition.records[3:]
    partition.high = 3
    world.do(Append(partition=0, count=4))
    world.do(Read())


def test_a_topic_that_was_created_again_and_is_as_long_is_another_topic() -> None:
    world = World()
    world.do(Append(partition=0, count=3))
    world.do(Read())
    world.do(Meddle("recreate"))
    world.do(Append(partition=0, count=3))
    world.do(Read())


def test_a_record_of_the_same_millisecond_has_its_place_by_its_partition() -> None:
    world = World(FakeBroker(latency_ms=0))
    world.do(Append(partition=1))
    world.do(Read())
    world.do(Append(partition=0))
    world.do(Read())


@pytest.mark.parametrize(
    "changes", [{"partition": 0}, {"key": b"x"}, {"decoder": JsonDecoder(frozenset({"human"}))}]
)
def test_what_was_found_says_nothing_about_another_request(changes: dict[str, Any]) -> None:
    world = World()
    world.do(Append(partition=0, count=3))
    world.do(Append(partition=1, count=3))
    world.do(Read())
    other = evolve(REQUEST, **changes)
    outcome = world.broker.read(evolve(other, replayed=world.replayed))
    assert answer(outcome) == answer(world.broker.read(other))


def test_to_add_a_turn_costs_little_however_long_the_conversation() -> None:
    """The chunks are few, and long ones are left alone."""
    world = World()
    world.do(Append(partition=0, count=500))
    world.do(Read())
    first = world.replayed.chunks[0]
    for _ in range(50):
        world.do(Append(partition=0, count=2))
        world.do(Read())
        assert world.replayed.chunks[0] is first
        assert len(world.replayed.chunks) <= 9
        assert len(world.replayed.ids) <= 9
    assert len(world.replayed.messages) == 600


@pytest.mark.parametrize(
    "changes",
    [{"messages_max": 5}, {"start": FromEnd()}, {"commit_to": "g"}, {"follow": True, "wait_ms_max": 1}],
)
def test_only_a_whole_read_can_go_on_behind_another(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="whole conversation"):
        evolve(REQUEST, replayed=Replayed(), **changes)


def test_a_broker_without_topic_ids_is_read_afresh() -> None:
    world = World()
    world.do(Append(partition=0, count=3))
    world.broker.cluster.topics[TOPIC].topic_id = ""
    assert [p.offset for _ in range(2) for f in fetched_by(world) for p in f.positions] == [0, 0]


def test_a_replay_that_fails_tells_what_lies_before_as_a_fresh_one_does() -> None:
    world = World()
    world.do(Append(partition=0, count=3))
    world.do(Read())
    world.do(Append(partition=0, count=2))
    world.do(Append(partition=0, corrupt=True))
    strict = evolve(REQUEST, on_corrupt=OnCorrupt.RAISE)
    first = world.broker.read(evolve(strict, replayed=Replayed()))
    kept = evolve(world.replayed, asked=asked(strict))
    again = world.broker.read(evolve(strict, replayed=kept))
    assert isinstance(again, Failed)
    assert answer(again)[:2] == answer(world.broker.read(strict))[:2] == answer(first)[:2]
    assert again.progress.replayed is not None
    after = world.broker.read(evolve(strict, replayed=again.progress.replayed))
    assert answer(after)[:2] == answer(first)[:2], "what a failed read tells is nothing to go on behind"


def test_a_read_of_a_known_topic_tells_what_it_will_ask_for_next() -> None:
    request = evolve(REQUEST, topic_expected=True, partitions_expected=(0,))
    for start, group in ((FromBeginning(), None), (FromCommitted("g"), "g")):
        todo = reading.pending(reading.start(evolve(request, start=start), 0))
        assert isinstance(todo, DescribeTopic)
        assert (todo.listed_next, todo.committed_next) == ((0,), group)
