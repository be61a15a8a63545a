"""Logs, requests and fault plans to draw: the private ones of the core's own tests."""

import json
from enum import Enum, unique
from typing import Any

from attrs import evolve, frozen
from hypothesis import strategies as st

from kchat.core import (
    HEADER_ID,
    CommittedOffset,
    CursorMemory,
    ErrorKind,
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    JsonDecoder,
    Message,
    OnCorrupt,
    Position,
    ReadRequest,
    Record,
    Start,
)
from kchat.core.log import RESENT
from kchat.testing import (
    Delay,
    FakeBroker,
    FalseLow,
    Fault,
    Foreign,
    Gap,
    LostAnswer,
    NoAnswer,
    PartlyStored,
    Refuse,
    ShortFetch,
    TakenAlong,
)

TOPIC, GROUP, SESSION, NEIGHBOUR = "chat", "cursor", b"session", b"neighbour"
DELAY_MS_MAX = 50

DECODER = JsonDecoder()


@unique
class Kind(Enum):
    """What takes up an offset."""

    MESSAGE = "message"
    POISON = "poison"
    TOMBSTONE = "tombstone"
    NEIGHBOUR = "neighbour"
    GAP = "gap"


@frozen
class Entry:
    """One offset of a drawn partition."""

    kind: Kind = Kind.MESSAGE
    timestamp_ms: int = 0
    message_id: int | None = None
    resent: bool = False


@frozen(kw_only=True)
class LogPlan:
    """A topic: the entries of each partition, how many of them retention took, and a cursor."""

    partitions: tuple[tuple[Entry, ...], ...]
    expired: tuple[int, ...]
    committed: tuple[CommittedOffset, ...] = ()

    def build(self) -> FakeBroker:
        broker = FakeBroker()
        topic = broker.cluster.create(TOPIC, partitions=len(self.partitions))
        for partition, entries, expired in zip(topic.partitions, self.partitions, self.expired, strict=True):
            for offset, entry in enumerate(entries):
                self._store(broker, partition.number, offset, entry)
            partition.remove_before(expired)
        if self.committed:
            stored = {committed.partition: committed for committed in self.committed}
            broker.cluster.committed[GROUP, TOPIC] = stored
        return broker

    def _store(self, broker: FakeBroker, partition: int, offset: int, entry: Entry) -> None:
        if entry.kind is Kind.GAP:
            broker.cluster.topics[TOPIC].partitions[partition].skip(1)
            return
        content = {"type": "human", "data": {"content": f"{partition}/{offset}"}}
        value = {Kind.POISON: b"{poison", Kind.TOMBSTONE: None}.get(entry.kind, json.dumps(content).encode())
        known = () if entry.message_id is None else ((HEADER_ID, b"%d" % entry.message_id),)
        mark = (RESENT,) if entry.resent else ()
        broker.cluster.inject(
            TOPIC,
            value,
            key=NEIGHBOUR if entry.kind is Kind.NEIGHBOUR else SESSION,
            headers=known + mark,
            partition=partition,
            timestamp_ms=entry.timestamp_ms,
        )


FIRST_TOPIC_ID = "topic-1"
"""The id that a new fake cluster gives its first topic."""

entries = st.builds(
    Entry,
    kind=st.sampled_from([Kind.MESSAGE] * 6 + list(Kind)),
    timestamp_ms=st.integers(0, 5),
    message_id=st.none() | st.integers(0, 4),
    resent=st.booleans(),
)


NONE = st.just(0)


@st.composite
def log_plans(draw: st.DrawFn, *, expiry: bool = True, cursor: bool = True) -> LogPlan:
    """A log with gaps, poison, other sessions' records, second copies and clocks that go backwards."""
    count = draw(st.sampled_from([1, 2, 3]))
    sizes = [draw(st.sampled_from([4, 3, 6, 2, 1, 0])) for _ in range(count)]
    partitions = tuple(tuple(draw(st.lists(entries, min_size=n, max_size=n))) for n in sizes)
    expired = tuple(draw(NONE | NONE | st.integers(0, len(p))) if expiry else 0 for p in partitions)
    ours, another = (CursorMemory(owner).to_metadata() for owner in (FIRST_TOPIC_ID, "another"))
    marks = st.sampled_from([ours, another, another, "", "a note"])
    committed = tuple(
        CommittedOffset(number, draw(st.integers(0, len(p) + (mark != ours))), mark)
        for number, p in enumerate(partitions)
        if cursor and draw(st.sampled_from([True, True, False]))
        for mark in [draw(marks)]  # of this very topic, no cursor gets beyond its end
    )
    return LogPlan(partitions=partitions, expired=expired, committed=committed)


def positions(plan: LogPlan) -> st.SearchStrategy[FromPositions]:
    """Positions of some partitions; beyond the end and below the low watermark too."""
    each = [
        st.none() | st.builds(Position, st.just(number), st.integers(0, len(entries) + 1))
        for number, entries in enumerate(plan.partitions)
    ]
    return st.tuples(*each).map(lambda drawn: FromPositions(tuple(p for p in drawn if p)))


def befores(plan: LogPlan) -> st.SearchStrategy[FromBefore]:
    """A window before the end, or before positions."""
    named = st.none() | positions(plan).map(lambda start: start.positions)
    return st.builds(FromBefore, st.sampled_from([1, 2, 3, 20]), named)


def bookmarks(plan: LogPlan) -> st.SearchStrategy[FromBookmark]:
    """Of some partitions: of this topic or another one of its name, and beyond the end too."""
    marks = [CursorMemory(owner).to_metadata() for owner in (FIRST_TOPIC_ID, "another", None)]
    each = [
        st.none()
        | st.builds(
            CommittedOffset, st.just(number), st.integers(0, len(entries) + 1), st.sampled_from([*marks, ""])
        )
        for number, entries in enumerate(plan.partitions)
    ]
    return st.tuples(*each).map(lambda drawn: FromBookmark(tuple(o for o in drawn if o)))


def starts(plan: LogPlan) -> st.SearchStrategy[Start]:
    """Any start; those that hand something out come more often."""
    usual = [st.just(FromBeginning()), st.just(FromCommitted(GROUP)), befores(plan)]
    seldom = [st.just(FromEnd()), positions(plan), positions(plan), bookmarks(plan)]
    choices: list[st.SearchStrategy[Any]] = [*usual, *usual, *seldom]
    return st.sampled_from(choices).flatmap(lambda start: start)


record_times = st.sampled_from([None, None, None, None, *range(7)])
"""No time, or one around those of the drawn records."""


@st.composite
def read_requests(draw: st.DrawFn, /, plan: LogPlan, **fixed: Any) -> ReadRequest[Message]:
    """A read that does not wait for new messages."""
    drawn: dict[str, Any] = {
        "start": starts(plan),
        "key": st.sampled_from([None, SESSION]),
        "partition": st.sampled_from([None, None, None, *range(len(plan.partitions))]),
        "messages_max": st.sampled_from([None] * 5 + [1, 2, 3, 5, 0]),
        "wait_ms_max": st.sampled_from([None, None, 2_500, 1_200, 300, 40, 0]),
        "stall_ms_max": st.sampled_from([1_500, 300, 1]),
        "on_corrupt": st.sampled_from(OnCorrupt),
        "commit_to": st.sampled_from([None, GROUP]),
        "topic_expected": st.booleans(),
        "since_ms": record_times,
        "until_ms": record_times,
        "with_bookmark": st.booleans(),
        "only_move": st.sampled_from([False, False, False, True]),
    }
    chosen = fixed | {name: draw(strategy) for name, strategy in drawn.items() if name not in fixed}
    start, partition = chosen["start"], chosen["partition"]
    if isinstance(start, FromPositions | FromBefore) and start.positions and partition is not None:
        only = tuple(p for p in start.positions if p.partition == partition)
        chosen["start"] = evolve(start, positions=only)
    chosen["commit_to"] = None if isinstance(start, FromBefore) else chosen["commit_to"]
    chosen["only_move"] = chosen["only_move"] and chosen["commit_to"] is not None
    return ReadRequest(topic=TOPIC, decoder=DECODER, **chosen)


PASSING_FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.builds(Delay, st.integers(1, DELAY_MS_MAX)),
    st.just(NoAnswer()),
    st.just(LostAnswer()),
    st.builds(Refuse, st.sampled_from([ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT])),
    st.builds(ShortFetch, st.integers(0, 2)),
    st.just(FalseLow()),
    st.builds(Gap, st.integers(1, 2)),
)
"""Whatever a broker does for a while and then no more."""

REFUSALS: st.SearchStrategy[Fault] = st.builds(
    Refuse, st.sampled_from([kind for kind in ErrorKind if kind is not ErrorKind.UNKNOWN_TOPIC])
)
"""Any error but "unknown topic": by that word a broker tells a reader that the conversation is empty."""

FOREIGN: st.SearchStrategy[Fault] = st.builds(Foreign, st.integers(1, 3))

READ_FAULTS: st.SearchStrategy[Fault] = st.one_of(
    PASSING_FAULTS, st.builds(ShortFetch, st.just(1)), FOREIGN, FOREIGN, REFUSALS
)
"""All that leaves in the log what is there."""

APPEND_FAULTS: st.SearchStrategy[Fault] = st.one_of(
    PASSING_FAULTS,
    REFUSALS,
    st.builds(Refuse, st.just(ErrorKind.UNKNOWN_TOPIC)),
    st.builds(Foreign, st.integers(1, 2)),
    st.builds(PartlyStored, st.integers(0, 3)),
    st.builds(TakenAlong, st.integers(0, 3)),
)


@st.composite
def fault_plans(
    draw: st.DrawFn, /, faults: st.SearchStrategy[Fault], *, size_max: int = 10
) -> tuple[Fault | None, ...]:
    """One fault or none for each command: mixed ones, or a single one that comes and stays for a while.

    Many plans begin with quiet commands, since the first failure is the end of many a call.
    """
    quiet = (None,) * draw(st.sampled_from([0, 2, 3]))
    if draw(st.booleans()):
        mixed = draw(st.lists(st.none() | faults, max_size=size_max))
        return (*quiet, *mixed)[:size_max]
    lasting = (draw(faults),) * draw(st.integers(1, size_max))
    return (*quiet, *lasting)[:size_max]


def stored_records(broker: FakeBroker) -> list[Record]:
    """All records of the topic, partition by partition."""
    topic = broker.cluster.topics.get(TOPIC)
    return [r for partition in topic.partitions for r in partition.records] if topic else []
