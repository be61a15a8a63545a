"""Drawn conversations, and what each way to read one must give, sharing nothing with what is tested."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from attrs import frozen
from hypothesis import strategies as st

from kchat.conversation import Conversation, Page, conversation
from kchat.core import ErrorKind, Message, OnCorrupt
from kchat.testing import Delay, FaultPlan, Gap, LostAnswer, NoAnswer, Refuse, ShortFetch
from kchat.testing.strategies import DrawnLog, Slot

Place = tuple[int, int]

SESSION = "chat"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

FAULTS = st.one_of(
    st.builds(Delay, st.integers(1, 50)),
    st.just(NoAnswer()),
    st.just(LostAnswer()),
    st.just(Refuse(ErrorKind.TRANSIENT)),
    st.builds(ShortFetch, st.integers(1, 3)),
    st.builds(Gap, st.integers(1, 3)),
)
"""What a healthy cluster does now and then."""


@frozen
class Said:
    """One message of the model."""

    place: Place
    timestamp_ms: int
    message: Message


@frozen
class Drawn:
    """A conversation: its log and its messages, without those that are removed."""

    log: DrawnLog
    shown: tuple[Said, ...]

    def conversation(self, plan: FaultPlan = (), **more: Any) -> Conversation[Message]:
        broker = self.log.broker(plan)
        return conversation(broker, SESSION, on_corrupt=OnCorrupt.SKIP, **more)


def at(timestamp_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=timestamp_ms)


def places(page: Page[Message] | Sequence[Any]) -> list[Place]:
    return [(p.partition, p.offset) for entry in page if (p := entry.position.record)]


def model(said: Sequence[Said]) -> list[Place]:
    return [each.place for each in said]


def _shown(log: DrawnLog) -> tuple[Said, ...]:
    """The whole conversation: every message with no marker of it behind it."""
    everything = sorted(
        (
            Said((number, offset), slot.timestamp_ms, slot.content)
            for number, (slots, expired) in enumerate(zip(log.partitions, log.expired, strict=True))
            for offset, slot in enumerate(slots)
            if isinstance(slot.content, Message) and offset >= expired
        ),
        key=lambda said: (said.timestamp_ms, said.place),
    )
    return tuple(
        said
        for index, said in enumerate(everything)
        if said.message.type != "remove" and not any(_removes(m.message, said) for m in everything[index:])
    )


def _removes(marker: Message, said: Said) -> bool:
    names = {said.message.id, f"kchat:{said.place[0]}:{said.place[1]}"}
    return marker.type == "remove" and marker.id is not None and marker.id in names


def _numbered(contents: list[Any], steps: list[int]) -> tuple[Slot, ...]:
    """Slots whose timestamps never go back: those of one partition then have one order with the others."""
    time_ms, slots = 0, []
    for content, step in zip(contents, steps, strict=True):
        time_ms += step
        slots.append(Slot(content, time_ms))
    return tuple(slots)


@st.composite
def conversations(draw: st.DrawFn, partitions_max: int = 2, size_max: int = 12) -> Drawn:
    ids = st.sampled_from(["a", "b", "c", None])
    said: Callable[..., Message] = lambda kind, name: Message(kind, {"content": "x", "id": name})  # noqa: E731
    plain = st.builds(said, st.sampled_from(["human", "ai", "tool"]), ids)
    target = ids | st.builds("kchat:{}:{}".format, st.integers(0, 1), st.integers(0, size_max))
    marker = st.builds(said, st.just("remove"), target)
    content = st.one_of(plain, plain, plain, marker, st.none(), st.just(b"not a message"))
    drawn = []
    for _ in range(draw(st.integers(1, partitions_max))):
        contents = draw(st.lists(content, max_size=size_max))
        steps = draw(st.lists(st.integers(0, 2), min_size=len(contents), max_size=len(contents)))
        drawn.append(_numbered(contents, steps))
    expired = tuple(draw(st.just(0) | st.just(0) | st.integers(0, len(slots))) for slots in drawn)
    log = DrawnLog(topic=SESSION, key=SESSION.encode(), partitions=tuple(drawn), expired=expired)
    return Drawn(log, _shown(log))
