"""Two readers of one cursor at the same time, who each ask for the cursor's offsets ahead of their turn."""

from typing import Any

from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    Command,
    CommittedFetched,
    DescribeTopic,
    Event,
    Failed,
    FetchCommitted,
    FromCommitted,
    JsonDecoder,
    Message,
    ReadOutcome,
    ReadRequest,
    TopicDescribed,
    reading,
)
from kchat.testing import FakeBroker

TOPIC, GROUP = "talk", "talk"

APPEND = 2
STEPS = st.lists(st.tuples(st.sampled_from([0, 1, APPEND]), st.integers(1, 6)), max_size=30)
"""Whose turn it is, and for how many commands: one reader may do a whole read between two of the other's."""


@define
class Reader:
    """Read after read from the shared cursor, one command at a time."""

    broker: FakeBroker
    request: ReadRequest[Message]
    state: Any = None
    ahead: Event | None = None
    outcomes: list[ReadOutcome[Message]] = field(factory=list)
    places: list[int] = field(factory=list)

    def step(self) -> None:
        if self.state is None:
            self.state = reading.start(self.request, self.broker.now_ms)
        self.state = reading.advance(self.state, self.perform(reading.pending(self.state)))
        outcome = reading.pending(self.state)
        if not isinstance(outcome, Command):
            self.outcomes.append(outcome)
            self.state = None

    def perform(self, command: Any) -> Event:
        """As `io` does it: while the topic is described, the hint is asked for; its answer waits."""
        event = self.broker.perform(command)
        if (
            isinstance(command, DescribeTopic)
            and isinstance(event, TopicDescribed)
            and command.committed_next
        ):
            self.ahead = self.broker.perform(
                FetchCommitted(
                    group=command.committed_next, topic=TOPIC, partitions=event.partitions, timeout_ms=200
                )
            )
        if isinstance(command, FetchCommitted) and isinstance(self.ahead, CommittedFetched):
            event, self.ahead = self.ahead, None
        if isinstance(event, CommittedFetched):
            self.places.append(event.committed[0].offset if event.committed else 0)
        return event

    def end(self) -> None:
        """To the end of the read that is under way, if one is."""
        while self.state is not None:
            self.step()

    @property
    def read(self) -> list[list[int]]:
        """The offsets of each read."""
        return [[delivery.offset for delivery in outcome.progress.deliveries] for outcome in self.outcomes]


def append(broker: FakeBroker) -> None:
    broker.cluster.inject(TOPIC, b'{"type": "human", "data": {"content": "x"}}', partition=0)


@given(STEPS, st.none() | st.integers(1, 3))
def test_none_is_missed_by_both_and_no_read_fails(steps: list[tuple[int, int]], count: int | None) -> None:
    broker = FakeBroker()
    broker.cluster.create(TOPIC)
    request: ReadRequest[Message] = ReadRequest(
        topic=TOPIC,
        start=FromCommitted(GROUP),
        decoder=JsonDecoder(),
        commit_to=GROUP,
        messages_max=count,
    )
    readers = [Reader(broker, request), Reader(broker, request)]
    append(broker)
    for who, times in steps:
        for _ in range(times):
            if who == APPEND:
                append(broker)
            else:
                readers[who].step()
    for reader in readers:
        reader.end()
    for _ in range(6 * len(steps) + 2):  # one of them goes on to the end of the log
        readers[0].step()
        readers[0].end()
    runs = readers[0].read + readers[1].read
    assert not any(isinstance(outcome, Failed) for reader in readers for outcome in reader.outcomes)
    assert all(run == list(range(run[0], run[0] + len(run))) for run in runs if run), "each a run, in order"
    for reader in readers:
        begun = [run[0] for run in reader.read if run]
        placed = [place for place, run in zip(reader.places, reader.read, strict=True) if run]
        assert begun == placed, "where the cursor was when it was asked for, not anew"
    said = len(broker.cluster.topics[TOPIC].partitions[0].records)
    assert {offset for run in runs for offset in run} == set(range(said)), "none is missed by both"
