"""Any event that a shell may answer with, drawn for a state: sensible or not, but of the right shape."""

from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from kchat.core import (
    Acknowledged,
    AppendRequest,
    BrokerError,
    Command,
    CommittedFetched,
    CommittedOffset,
    CursorMemory,
    EnsureTopic,
    ErrorKind,
    Event,
    Fetched,
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    NewRecord,
    OffsetsCommitted,
    OffsetsFound,
    OffsetsListed,
    OnCorrupt,
    Position,
    Produce,
    Produced,
    ReadRequest,
    Record,
    RemoveTopic,
    RequestFailed,
    Start,
    TopicCreated,
    TopicDeleted,
    TopicDescribed,
    TopicSettings,
    Watermarks,
    appending,
    provisioning,
    reading,
)
from tests.core.strategies import DECODER, GROUP, TOPIC

STEPS_MAX = 30
VALUE, POISON = b'{"type": "human", "data": {"content": "x"}}', b"{poison"

times = st.sampled_from([0, 0, 1, 40, 250, 900])
errors = st.builds(BrokerError, st.sampled_from(ErrorKind), st.just("CODE"), st.sampled_from(["", "why"]))
offsets = st.integers(0, 6)
partitions = st.integers(0, 1)
acks = st.builds(Acknowledged, partitions, offsets)


def watermarks(partition: int) -> st.SearchStrategy[Watermarks]:
    return st.tuples(offsets, offsets).map(lambda pair: Watermarks(partition, min(pair), max(pair)))


contents: dict[type, st.SearchStrategy[dict[str, Any]]] = {
    TopicDescribed: st.fixed_dictionaries(
        {
            "partitions": st.sampled_from([(0,), (0, 1)]),
            "topic_id": st.sampled_from([None, "A", "B"]),
        }
    ),
    TopicCreated: st.just({}),
    TopicDeleted: st.just({}),
    OffsetsCommitted: st.just({}),
    OffsetsListed: st.fixed_dictionaries({"watermarks": st.tuples(watermarks(0), watermarks(1))}),
    OffsetsFound: st.fixed_dictionaries(
        {"positions": st.lists(st.builds(Position, partitions, offsets), max_size=2).map(tuple)}
    ),
    CommittedFetched: st.fixed_dictionaries(
        {"committed": st.lists(st.builds(CommittedOffset, partitions, offsets), max_size=2).map(tuple)}
    ),
    Fetched: st.fixed_dictionaries(
        {
            "records": st.lists(
                st.builds(
                    Record, partitions, offsets, offsets, st.none(), st.sampled_from([VALUE, VALUE, POISON])
                ),
                max_size=4,
            ).map(lambda records: tuple(sorted(records, key=lambda r: (r.partition, r.offset)))),
            "positions": st.lists(st.builds(Position, partitions, offsets), max_size=2).map(tuple),
        }
    ),
    RequestFailed: st.fixed_dictionaries({"error": errors}),
}


def _possible(start: Start, **drawn: Any) -> ReadRequest[Any]:
    """The read that was drawn, without what cannot be asked of it."""
    backwards = isinstance(start, FromBefore)
    group = None if backwards else drawn["commit_to"]
    moves = drawn["only_move"] and group is not None
    drawn |= {"commit_to": group, "only_move": moves, "follow": drawn["follow"] and not (backwards or moves)}
    return ReadRequest(topic=TOPIC, decoder=DECODER, start=start, **drawn)


_AT = (Position(0, 2),)
_MARKED = FromBookmark((CommittedOffset(0, 2, CursorMemory("A").to_metadata()),))
_STARTS: list[Start] = [FromBeginning(), FromEnd(), FromCommitted(GROUP), FromPositions(_AT), _MARKED]

requests: dict[ModuleType, st.SearchStrategy[Any]] = {
    reading: st.builds(
        _possible,
        start=st.sampled_from([*_STARTS, FromBefore(1), FromBefore(2, _AT, "A")]),
        since_ms=st.sampled_from([None, None, 2]),
        until_ms=st.sampled_from([None, None, 4]),
        only_move=st.booleans(),
        with_bookmark=st.booleans(),
        messages_max=st.sampled_from([1, 2, 9]),
        wait_ms_max=st.sampled_from([None, 300, 3_000]),
        stall_ms_max=st.sampled_from([200, 3_000]),
        partition=st.sampled_from([None, None, 1]),
        follow=st.booleans(),
        commit_to=st.sampled_from([None, GROUP]),
        on_corrupt=st.sampled_from(OnCorrupt),
        topic_expected=st.booleans(),
    ),
    appending: st.builds(
        AppendRequest,
        topic=st.just(TOPIC),
        records=st.integers(1, 3).map(lambda count: (NewRecord(None, b"x"),) * count),
        settings=st.sampled_from([None, TopicSettings()]),
        topic_known=st.booleans(),
        wait_ms_max=st.sampled_from([1, 300, 3_000]),
    ),
    provisioning: st.builds(
        EnsureTopic,
        topic=st.just(TOPIC),
        settings=st.just(TopicSettings()),
        wait_ms_max=st.sampled_from([1, 900]),
    )
    | st.builds(RemoveTopic, topic=st.just(TOPIC), wait_ms_max=st.sampled_from([1, 900])),
}


FIRST_REQUESTS: list[tuple[ModuleType, Any]] = [
    (reading, ReadRequest(topic=TOPIC, decoder=DECODER, start=FromBeginning())),
    (reading, ReadRequest(topic=TOPIC, decoder=DECODER, start=FromBeginning(), messages_max=0)),
    (appending, AppendRequest(topic=TOPIC, records=())),
    (appending, AppendRequest(topic=TOPIC, records=(NewRecord(None, b"x"),))),
    (appending, AppendRequest(topic=TOPIC, records=(NewRecord(None, b"x"),), settings=TopicSettings())),
    (provisioning, RemoveTopic(topic=TOPIC)),
]
"""One request for each state that a machine can start in."""


class Shell:
    """Draws answers. It keeps what a shell knows: the time, and how many records it was given last."""

    def __init__(self, data: st.DataObject, machine: ModuleType) -> None:
        self.data = data
        self.machine = machine
        self.now_ms = 0
        self.sent = 0
        self.steps = 0

    def answer(self, command: Command, state: Any) -> Event:
        """An event that the table allows for the state; failures alone once the run is long enough."""
        if isinstance(command, Produce):
            self.sent = len(command.records)
        machine = self.machine
        if isinstance(state, appending.Ensuring):
            machine, state = provisioning, state.provision
        kinds = [event for before, event in machine.TRANSITIONS if before is type(state)]
        self.steps += 1
        return self.draw(self.data.draw(st.sampled_from(kinds), label="answer"))

    def draw(self, kind: type) -> Event:
        long = self.steps > STEPS_MAX
        self.now_ms += 5_000 if long else self.data.draw(times, label="milliseconds")
        if kind is Produced:
            reports = st.lists(acks | errors | st.none(), min_size=self.sent, max_size=self.sent).map(tuple)
            alike = (acks | errors | st.none()).map(lambda report: (report,) * self.sent)
            return Produced(at_ms=self.now_ms, reports=self.data.draw(reports | alike, label="reports"))
        event: Event = kind(at_ms=self.now_ms, **self.data.draw(contents[kind], label=kind.__name__))
        return event
