"""Named cursors against a model: a list, and one index for each name."""

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st

from kchat.conversation import Conversation, Cursor, Edge, async_conversation, conversation
from kchat.core import Message, OnCorrupt
from kchat.testing import FakeBroker, FaultPlan
from kchat.testing.strategies import fault_plans
from tests.conversation.drawn import FAULTS
from tests.conversation.faces import ended

NAMES = st.sampled_from(["audit", "index"])


@frozen
class Append:
    """Messages of one call; time passes before it."""

    count: int


@frozen
class Read:
    """The next ones, with faults on the way."""

    name: str
    count: int
    faults: FaultPlan


@frozen
class Commit:
    """What was read is done with."""

    name: str


@frozen
class Crash:
    """The reader begins again, in another process."""

    name: str


@frozen
class Seek:
    """Move to the so many-th message, by its position or its time, or to an edge."""

    name: str
    target: int | Edge
    by_time: bool


@frozen
class Delete:
    """Forget the place."""

    name: str


Step = Append | Read | Commit | Crash | Seek | Delete
STEPS = st.lists(
    st.one_of(
        st.builds(Append, st.integers(1, 4)),
        st.builds(Read, NAMES, st.integers(1, 5), fault_plans(FAULTS, size_max=3)),
        st.builds(Read, NAMES, st.integers(1, 5), fault_plans(FAULTS, size_max=3)),
        st.builds(Commit, NAMES),
        st.builds(Crash, NAMES),
        st.builds(Seek, NAMES, st.integers(0, 9) | st.sampled_from(Edge), st.booleans()),
        st.builds(Delete, NAMES),
    ),
    max_size=25,
)


@define
class Model:
    """What was said, and where each cursor is: what it has read, and what it has committed."""

    broker: FakeBroker
    talk: Conversation[Message] = field(init=False)
    said: list[tuple[str, int]] = field(factory=list)
    cursors: dict[str, Cursor[Message]] = field(factory=dict)
    read: dict[str, int] = field(factory=dict)
    committed: dict[str, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        self.talk = conversation(self.broker, "talk")
        self.do(Append(1))

    def do(self, step: Any) -> None:
        if not isinstance(step, Append):
            cursor = self.cursors.setdefault(step.name, self.talk.cursor(step.name))
            here = self.read.setdefault(step.name, self.committed.get(step.name, 0))
        match step:
            case Append(count=count):
                self.broker.cluster.sleep(10)
                texts = [f"{len(self.said) + n}" for n in range(count)]
                places = self.talk.append([Message("human", {"content": text}) for text in texts])
                assert len(places) == count
                self.said += [(e.message.text, e.timestamp_ms) for e in self.talk.last(count)]
            case Read(count=count, faults=faults):
                self.broker.plan = list(faults)
                page = cursor.read(count)
                self.broker.plan = []
                assert [entry.message.text for entry in page] == self.texts[here : here + count]
                self.read[step.name] = here + len(page)
            case Commit():
                cursor.commit()
                if step.name in self.moved:
                    self.committed[step.name] = here
            case Crash():
                self.cursors[step.name] = self.talk.cursor(step.name)
                del self.read[step.name]
            case Seek(target=target, by_time=by_time):
                self.seek(cursor, step.name, target, by_time=by_time)
            case Delete():
                cursor.delete()
                self.committed.pop(step.name, None)
                del self.read[step.name]
            case _:
                raise AssertionError(step)

    def seek(self, cursor: Cursor[Message], name: str, target: int | Edge, *, by_time: bool) -> None:
        if isinstance(target, Edge):
            cursor.seek(target)
            index = 0 if target is Edge.BEGINNING else len(self.said)
        else:
            index = target % len(self.said)
            entry = self.talk.read()[index]
            at_ms = self.said[index][1]
            when = datetime.fromtimestamp(at_ms / 1000, UTC)
            cursor.seek(when if by_time else entry.position)
            if by_time:  # the first of its time
                index = next(n for n, (_, ms) in enumerate(self.said) if ms >= at_ms)
        self.committed[name] = self.read[name] = index

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self.said]

    @property
    def moved(self) -> set[str]:
        """Who has read since their object began: else there is nothing to commit."""
        return {name for name, cursor in self.cursors.items() if cursor._ask.bookmark is not None}


@given(STEPS)
def test_a_cursor_gives_what_comes_after_its_place(steps: list[Step]) -> None:
    model = Model(FakeBroker())
    for step in steps:
        model.do(step)
    for name, place in model.committed.items():
        rest = [entry.message.text for entry in model.talk.cursor(name).read(99)]
        assert rest == model.texts[place:], "another process goes on behind what was committed"


@pytest.mark.parametrize("make", [conversation, async_conversation], ids=["sync", "async"])
def test_a_cursor_waits_for_a_session_that_begins_later(make: Any) -> None:
    broker = FakeBroker()
    audit = make(broker, "talk").cursor("audit")
    begun_ms = broker.now_ms
    assert len(ended(audit.read(1, wait_seconds=2.0))) == 0
    assert 2_000 <= broker.now_ms - begun_ms <= 3_000, "whoever reads in a loop would read without a pause"
    said = [Message("human", {"content": "first"})]
    broker.cluster.at(broker.now_ms + 500, lambda: conversation(broker, "talk").append(said))
    assert len(ended(audit.read(1, wait_seconds=60.0))) == 1
    assert broker.now_ms - begun_ms <= 4_000


@pytest.mark.parametrize("make", [conversation, async_conversation], ids=["sync", "async"])
def test_a_cursor_waits_on_when_what_comes_is_no_message(make: Any) -> None:
    broker = FakeBroker()
    talk = make(broker, "talk", on_corrupt=OnCorrupt.SKIP)
    ended(talk.append([Message("human", {"content": "before"})]))
    audit = talk.cursor("audit")
    assert len(ended(audit.read(9))) == 1
    begun_ms = broker.now_ms
    broker.cluster.at(begun_ms + 500, lambda: broker.cluster.inject("talk", b"{poison"))
    said = [Message("human", {"content": "first"})]
    broker.cluster.at(begun_ms + 1_500, lambda: conversation(broker, "talk").append(said))
    assert [entry.message.text for entry in ended(audit.read(1, wait_seconds=60.0))] == ["first"]
    assert broker.now_ms - begun_ms <= 2_000
