"""FakeBroker against a dict of lists: any order of calls, and what other programs do in between."""

from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kchat.core import (
    Appended,
    AppendRequest,
    Complete,
    EnsureTopic,
    FromBeginning,
    FromCommitted,
    FromPositions,
    JsonDecoder,
    Message,
    OnCorrupt,
    Partial,
    Position,
    ReadOutcome,
    ReadRequest,
    RemoveTopic,
    Start,
    TopicGone,
    TopicReady,
    TopicSettings,
)
from kchat.testing import FakeBroker, Fault, Gap
from kchat.testing.conformance.session import heard, record
from kchat.testing.strategies import PASSING_FAULTS

TOPICS = st.sampled_from(["one", "two"])
GROUPS = st.sampled_from(["reader", "other reader"])
COUNTS = st.none() | st.integers(1, 4)
WAIT_MS_MAX = 60_000
HARMLESS = PASSING_FAULTS.filter(lambda fault: not isinstance(fault, Gap))
"""A gap under a read moves the end that the model knows; it has a rule of its own."""
FOR_EVER = TopicSettings(partitions=1, ttl_ms=-1)
"""Retention happens here by a rule of its own."""


@define
class Model:
    """One topic of one partition. A slot is a text, or None for poison, a gap, or what retention took."""

    slots: list[str | None] = field(factory=list)
    low: int = 0
    places: dict[str, int] = field(factory=dict)

    def page(self, begin: int, count: int | None) -> tuple[list[str], int]:
        """The texts from an offset on, at most `count`, and where to go on."""
        found: list[str] = []
        for offset in range(max(begin, self.low), len(self.slots)):
            if count is not None and len(found) == count:
                return found, offset
            text = self.slots[offset]
            if text is not None:
                found.append(text)
        return found, len(self.slots)


class BrokerMachine(RuleBasedStateMachine):
    """The rules are what a log can be asked, and what else happens to its topics."""

    def __init__(self) -> None:
        super().__init__()
        self.broker = FakeBroker()
        self.topics: dict[str, Model] = {}
        self.said = 0

    @rule(topic=TOPICS, count=st.integers(1, 4))
    def append(self, topic: str, count: int) -> None:
        texts = [f"text {self.said + n}" for n in range(count)]
        self.said += count
        records = tuple(record(text, b"key") for text in texts)
        outcome = self.broker.append(AppendRequest(topic=topic, records=records, settings=FOR_EVER))
        model = self.topics.setdefault(topic, Model())
        assert isinstance(outcome, Appended)
        assert [place.offset for place in outcome.places] == list(
            range(len(model.slots), len(model.slots) + count)
        )
        model.slots += texts

    @rule(topic=TOPICS, count=COUNTS)
    def read_from_the_beginning(self, topic: str, count: int | None) -> None:
        self._agrees(self._read(topic, FromBeginning(), count), topic, 0, count)

    @rule(topic=TOPICS, count=COUNTS, offset=st.integers(0, 10))
    def read_from_a_position(self, topic: str, count: int | None, offset: int) -> None:
        model = self.topics.get(topic, Model())
        begin = min(model.low + offset, len(model.slots))
        if topic in self.topics:
            start = FromPositions((Position(0, begin),))
            self._agrees(self._read(topic, start, count), topic, begin, count)

    @rule(topic=TOPICS, count=COUNTS, group=GROUPS)
    def go_on(self, topic: str, count: int | None, group: str) -> None:
        outcome = self._read(topic, FromCommitted(group), count, commit_to=group)
        model = self.topics.get(topic, Model())
        self._agrees(outcome, topic, model.places.get(group, 0), count)
        if topic in self.topics:
            model.places[group] = outcome.progress.positions[0].offset

    @rule(topic=TOPICS)
    def ensure(self, topic: str) -> None:
        request = EnsureTopic(topic=topic, settings=FOR_EVER)
        ready = self.broker.provision(request)
        assert ready == TopicReady(partitions=(0,), created=topic not in self.topics)
        self.topics.setdefault(topic, Model())

    @rule(topic=TOPICS)
    def remove(self, topic: str) -> None:
        gone = self.broker.provision(RemoveTopic(topic=topic))
        assert gone == TopicGone(deleted=self.topics.pop(topic, None) is not None)

    @rule()
    def reopen(self) -> None:
        old, self.broker = self.broker, self.broker.reopened()
        old.close()

    @rule(fault=HARMLESS, place=st.integers(0, 4), topic=TOPICS)
    def read_under_a_fault(self, fault: Fault, place: int, topic: str) -> None:
        self.broker.plan = [*[None] * place, fault]
        self._agrees(self._read(topic, FromBeginning(), None, wait_ms_max=WAIT_MS_MAX), topic, 0, None)
        self.broker.plan = []

    @rule(topic=TOPICS, value=st.sampled_from([None, b"", b"poison"]))
    def poison(self, topic: str, value: bytes | None) -> None:
        if topic in self.topics:
            self.broker.cluster.inject(topic, value)
            self.topics[topic].slots.append(None)

    @rule(topic=TOPICS, offsets=st.integers(1, 3))
    def gap(self, topic: str, offsets: int) -> None:
        if topic in self.topics:
            self.broker.cluster.topics[topic].partitions[0].skip(offsets)
            self.topics[topic].slots += [None] * offsets

    @rule(topic=TOPICS, records=st.integers(1, 3))
    def expire(self, topic: str, records: int) -> None:
        if topic in self.topics:
            model = self.topics[topic]
            model.low = min(model.low + records, len(model.slots))
            self.broker.cluster.topics[topic].partitions[0].remove_before(model.low)

    @invariant()
    def watermarks_agree(self) -> None:
        assert set(self.broker.cluster.topics) == set(self.topics)
        for name, model in self.topics.items():
            partition = self.broker.cluster.topics[name].partitions[0]
            assert (partition.low, partition.high) == (model.low, len(model.slots))

    def _read(
        self,
        topic: str,
        start: Start,
        count: int | None,
        *,
        commit_to: str | None = None,
        wait_ms_max: int | None = None,
    ) -> ReadOutcome[Message]:
        return self.broker.read(
            ReadRequest(
                topic=topic,
                start=start,
                decoder=JsonDecoder(),
                messages_max=count,
                wait_ms_max=wait_ms_max,
                on_corrupt=OnCorrupt.SKIP,
                commit_to=commit_to,
            )
        )

    def _agrees(self, outcome: ReadOutcome[Message], topic: str, begin: int, count: int | None) -> None:
        model = self.topics.get(topic, Model())
        texts, end = model.page(begin, count)
        assert isinstance(outcome, Complete | Partial), outcome
        assert heard(outcome) == texts
        drained = topic not in self.topics or outcome.progress.positions == (Position(0, len(model.slots)),)
        assert isinstance(outcome, Complete) == drained
        if topic in self.topics:
            # Poison that follows the last message of a page may be passed over with it, or left.
            assert end <= outcome.progress.positions[0].offset <= len(model.slots)
            assert model.page(outcome.progress.positions[0].offset, None) == model.page(end, None)


TestBrokerMachine = BrokerMachine.TestCase
TestBrokerMachine.settings = settings(stateful_step_count=40)
