"""Whole calls of a log, as an application makes them: a fake log and a real one must end them alike."""

import time

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from kchat.core import (
    Appended,
    AppendRequest,
    EnsureTopic,
    FromBeginning,
    FromCommitted,
    FromEnd,
    FromPositions,
    JsonDecoder,
    Log,
    NewRecord,
    OnCorrupt,
    Position,
    ReadRequest,
    RemoveTopic,
    Start,
    TopicSettings,
)
from kchat.testing import FakeBroker
from tests.differential.differences import Comparable

TOPICS = st.sampled_from(["one", "one", "other"])
KEYS = st.sampled_from([b"session", b"neighbour"])
VALUES = st.sampled_from([b'{"type": "human", "data": {"content": "%d"}}', b"%d is poison"])
GROUP = "differential-calls"
DECODER = JsonDecoder()
PATIENCE_MS = 60_000
"""How long a call may take: a busy machine must not look like a difference."""

SETTINGS = TopicSettings(partitions=3, ttl_ms=-1)
CLOCK_SECONDS = 0.002
"""Between two appends: records of different partitions are in the order of their milliseconds."""


@st.composite
def starts(draw: st.DrawFn) -> Start:
    """Any start. Positions may be in partitions that are not there, and beyond the end."""
    places = draw(st.dictionaries(st.integers(0, 3), st.integers(0, 6), max_size=2))
    named = FromPositions(tuple(Position(partition, offset) for partition, offset in sorted(places.items())))
    choices: list[Start] = [FromBeginning(), FromEnd(), FromCommitted(GROUP), named]
    return draw(st.sampled_from(choices))


class CallsMachine(RuleBasedStateMachine):
    """The rules are what a log can be asked; `prefix` makes the names new on the real one."""

    def __init__(self, real: Log, fake: FakeBroker, prefix: str) -> None:
        super().__init__()
        self.real, self.fake, self.prefix = real, fake, prefix
        self.said = 0

    @rule(topic=TOPICS, key=KEYS, values=st.lists(VALUES, min_size=1, max_size=3), again=st.booleans())
    def append(self, topic: str, key: bytes, values: list[bytes], again: bool) -> None:
        time.sleep(CLOCK_SECONDS)
        numbers = range(self.said, self.said + len(values))
        self.said += len(values)
        records = tuple(
            NewRecord(key=key, value=value % number, headers=(("kchat-id", b"%d" % number),))
            for value, number in zip(values, numbers, strict=True)
        )
        request = AppendRequest(topic=topic, records=records, settings=SETTINGS, wait_ms_max=PATIENCE_MS)
        for _ in range(1 + again):
            renamed = evolve(request, topic=self.prefix + topic)
            assert isinstance(
                self._same(request, self.fake.append(request), self.real.append(renamed)), Appended
            )

    @rule(
        topic=TOPICS,
        start=starts(),
        key=st.none() | KEYS,
        count=st.sampled_from([None, None, 1, 3]),
        on_corrupt=st.sampled_from(OnCorrupt),
        commit=st.booleans(),
    )
    def read(
        self,
        topic: str,
        start: Start,
        key: bytes | None,
        count: int | None,
        on_corrupt: OnCorrupt,
        commit: bool,
    ) -> None:
        request = ReadRequest(
            topic=topic,
            start=start,
            decoder=DECODER,
            key=key,
            messages_max=count,
            stall_ms_max=PATIENCE_MS,
            on_corrupt=on_corrupt,
            commit_to=GROUP if commit else None,
        )
        renamed = evolve(request, topic=self.prefix + topic)
        self._same(request, self.fake.read(request), self.real.read(renamed))

    @rule(topic=TOPICS)
    def ensure(self, topic: str) -> None:
        request = EnsureTopic(topic=topic, settings=SETTINGS, wait_ms_max=PATIENCE_MS)
        renamed = evolve(request, topic=self.prefix + topic)
        self._same(request, self.fake.provision(request), self.real.provision(renamed))

    @rule(topic=TOPICS)
    def remove(self, topic: str) -> None:
        request = RemoveTopic(topic=topic, wait_ms_max=PATIENCE_MS)
        renamed = evolve(request, topic=self.prefix + topic)
        self._same(request, self.fake.provision(request), self.real.provision(renamed))

    def teardown(self) -> None:
        for topic in list(self.fake.cluster.topics):
            self.remove(topic)

    def _same(self, request: object, fake: object, real: object) -> object:
        expected, answered = Comparable()(real), Comparable()(fake)
        assert answered == expected, f"{request}\nthe broker: {expected}\nthe fake: {answered}"
        return fake
