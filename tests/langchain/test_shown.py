"""What a history shows: nothing that is removed, by whatever marker wherever, and nothing that is too old."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, field, frozen
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, HumanMessage, RemoveMessage

from kchat.core import Partial, settling
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker

SESSION = "talk"
IDS = st.none() | st.sampled_from(["a", "b"])


@frozen
class Say:
    """Messages of one call."""

    ids: tuple[str | None, ...]


@frozen
class Remove:
    """A marker: of an id, or of the message that was said as the so many-th."""

    of: str | int


@frozen
class Wait:
    """Time passes."""

    ms: int


@frozen
class Read:
    """Every way to read gives what the model has."""


Step = Say | Remove | Wait | Read
STEPS = st.lists(
    st.one_of(
        st.builds(Say, st.lists(IDS, min_size=1, max_size=4).map(tuple)),
        st.builds(Remove, st.sampled_from(["a", "b"]) | st.integers(0, 12)),
        st.builds(Wait, st.integers(1, 40)),
        st.just(Read()),
    ),
    max_size=14,
)


@define
class Model:
    """A list of what was said, with what removes it crossed out."""

    age_ms: int | None
    broker: FakeBroker = field(factory=lambda: FakeBroker(latency_ms=0))
    said: list[tuple[str, str | None, int]] = field(factory=list)
    kept: KafkaChatMessageHistory = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.kept = self.history(replay=True)

    def history(self, **more: Any) -> KafkaChatMessageHistory:
        age = None if self.age_ms is None else timedelta(milliseconds=self.age_ms)
        return KafkaChatMessageHistory(SESSION, "unused:9092", log=self.broker, max_age=age, **more)

    @property
    def shown(self) -> list[str]:
        oldest = 0 if self.age_ms is None else self.broker.timestamp_ms - self.age_ms
        return [text for text, _, at_ms in self.said if at_ms >= oldest]

    def do(self, step: Step, number: int) -> None:
        match step:
            case Say(ids=ids):
                new = [(f"{number}.{index}", own) for index, own in enumerate(ids)]
                at_ms = self.broker.timestamp_ms
                self.history().add_messages([HumanMessage(text, id=own) for text, own in new])
                self.said += [(text, own, at_ms) for text, own in new]
            case Remove(of=str(target)):
                self.history().add_messages([RemoveMessage(id=target)])
                self.said = [each for each in self.said if each[1] != target]
            case Remove(of=index):
                page = self.history().conversation.read()
                if len(page):
                    entry = page[int(index) % len(page)]
                    self.history().conversation.redact(entry.position)
                    self.said = [each for each in self.said if each[0] != entry.message.content]
            case Wait(ms=ms):
                self.broker.cluster.sleep(ms)
            case Read():
                self.check()

    def check(self) -> None:
        assert texts(self.kept.messages) == self.shown, "as a delta"
        assert texts(self.history(replay=True).messages) == self.shown, "afresh"
        for count in (1, 2, 5, None):
            assert piecewise(self.history(), count) == self.shown
        for batch_max in (1, 3, 99):
            assert texts(list(self.history().stream_messages(batch_max))) == self.shown
        assert texts(asyncio.run(self.in_event_loop())) == self.shown * 2

    async def in_event_loop(self) -> list[BaseMessage]:
        streamed = [message async for message in self.history().astream_messages(2)]
        return streamed + await self.history().amessages_from_beginning(None)


def texts(messages: list[BaseMessage]) -> list[str]:
    return [str(message.content) for message in messages]


def piecewise(history: KafkaChatMessageHistory, count: int | None) -> list[str]:
    """By the seed's calls, from the beginning until there is no more: no piece before that is empty."""
    piece, read = history.messages_from_beginning(count), list[str]()
    while piece:
        assert count is None or len(piece) <= count
        # A marker of a message that this reader may have been given by another process is handed on.
        read += texts([message for message in piece if not isinstance(message, RemoveMessage)])
        piece = history.messages_from_last_consumed(count)
    return read


@given(STEPS, st.none() | st.integers(1, 60))
def test_every_read_shows_what_is_neither_removed_nor_too_old(steps: list[Step], age_ms: int | None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "SCAN_MIN", 1)
        model = Model(age_ms)
        for number, step in enumerate([*steps, Read()]):
            model.do(step, number)


def long(broker: FakeBroker, **more: Any) -> KafkaChatMessageHistory:
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker, **more)
    history.add_messages([HumanMessage(str(number)) for number in range(300)])
    return history


@pytest.mark.parametrize("age", [None, timedelta(days=1)])
def test_a_replay_after_a_redaction_by_position_fetches_what_is_new(
    counted: tuple[FakeBroker, list[int]], age: timedelta | None
) -> None:
    broker, fetched = counted
    history = long(broker, replay=True, max_age=age)
    assert len(history.messages) == 300
    history.conversation.redact(history.conversation.last(7)[0].position)
    fetched.clear()
    assert len(history.messages) == 299
    history.add_messages([HumanMessage("new")])
    assert len(history.messages) == 300
    assert sum(fetched) <= 2 + 2, "the new one, and one before it, each time"


def test_what_lies_behind_the_place_is_looked_at_once(counted: tuple[FakeBroker, list[int]]) -> None:
    broker, fetched = counted
    history = long(broker)
    for number in range(0, 100, 5):
        assert texts(history.messages) == [str(n) for n in range(number, number + 5)]
    assert sum(fetched) <= 300 + 2 * 100 + 20


def test_a_reader_that_came_to_the_end_looks_at_nothing_else(counted: tuple[FakeBroker, list[int]]) -> None:
    broker, fetched = counted
    history = long(broker)
    assert len(history.messages_from_beginning(None)) == 300
    history.add_messages([HumanMessage("new")])
    fetched.clear()
    before = len(broker.commands)
    assert texts(history.messages) == ["new"]
    assert sum(fetched) == 1
    assert len(broker.commands) - before == 5, "describe, committed, offsets, fetch, commit"


@pytest.mark.parametrize(
    "read",
    [
        lambda history: history.messages_from_beginning(5, 0.016),
        lambda history: asyncio.run(history.amessages_from_beginning(5, 0.016)),
    ],
)
def test_where_the_time_is_too_short_for_the_look_nothing_is_moved(
    read: Callable[[KafkaChatMessageHistory], list[BaseMessage]],
) -> None:
    broker = FakeBroker(latency_ms=3)
    history = long(broker)
    history.conversation.redact(history.conversation.read()[2].position)
    other = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker)
    assert read(other) == []
    assert isinstance(other.last_outcome, Partial)
    assert texts(other.messages) == ["0", "1", "3", "4", "5"]


def test_a_redacted_message_is_not_among_the_first_five_and_its_marker_is_handed_to_nobody() -> None:
    broker = FakeBroker()
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker)
    history.add_messages([HumanMessage(str(number)) for number in range(10)])
    history.conversation.redact(history.conversation.read()[3].position)
    assert texts(history.messages) == ["0", "1", "2", "4", "5"]
    assert texts(history.messages) == ["6", "7", "8", "9"]
    assert history.messages == []


def test_a_message_is_too_old_to_the_millisecond_by_every_read_of_the_seed_s() -> None:
    broker = FakeBroker(latency_ms=0)
    history = KafkaChatMessageHistory(
        SESSION, "unused:9092", log=broker, replay=True, max_age=timedelta(seconds=1)
    )
    history.add_messages([HumanMessage("x")])
    broker.cluster.sleep(1_000)
    assert texts(history.messages) == texts(history.messages_last(9)) == ["x"]
    assert texts(history.messages_from_beginning()) == ["x"]
    broker.cluster.sleep(1)
    assert history.messages == history.messages_last(9) == history.messages_from_beginning() == []
    assert list(history.stream_messages()) == list(history.follow(seconds_max=0.1)) == []


@pytest.mark.parametrize("count", [None, 3])
def test_what_was_removed_from_a_topic_that_is_gone_hides_nothing_of_the_next_one(count: int | None) -> None:
    broker = FakeBroker()

    def history() -> KafkaChatMessageHistory:
        return KafkaChatMessageHistory(SESSION, "unused:9092", log=broker)

    history().add_messages([HumanMessage(str(number)) for number in range(9)])
    history().conversation.redact(history().conversation.read()[1].position)
    assert piecewise(history(), 3) == [str(number) for number in range(9) if number != 1]
    history().clear()
    history().add_messages([HumanMessage(str(number)) for number in range(9)])
    assert piecewise(history(), count) == [str(number) for number in range(9)]
    assert texts(history().messages_last(9)) == [str(number) for number in range(9)]
    assert texts(list(history().stream_messages(4))) == [str(number) for number in range(9)]


@pytest.mark.parametrize("way", ["first", "stream"])
def test_the_next_history_of_a_log_looks_at_what_is_new(
    counted: tuple[FakeBroker, list[int]], way: str
) -> None:
    broker, fetched = counted
    long(broker)

    def read() -> int:
        fetched.clear()
        history = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker)
        if way == "first":
            assert len(history.messages_from_beginning(5)) == 5
        else:
            assert len(list(history.stream_messages(300))) >= 300
        return sum(fetched)

    first = read()
    page = 5 if way == "first" else 300
    assert first <= 2 * page + 300 + 4
    KafkaChatMessageHistory(SESSION, "unused:9092", log=broker).add_messages([HumanMessage("new")] * 3)
    assert read() <= 3 * page + 10 if way == "first" else read() <= 300 + 3 + 3 + 10


def test_the_place_moves_over_what_is_too_old() -> None:
    broker = FakeBroker()
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker, max_age=timedelta(seconds=1))
    history.add_messages([HumanMessage(str(number)) for number in range(7)])
    broker.cluster.sleep(5_000)
    history.add_messages([HumanMessage("new")])
    assert texts(history.messages) == ["new"]
    ageless = KafkaChatMessageHistory(SESSION, "unused:9092", log=broker)
    assert ageless.messages == []
    assert len(ageless.messages_from_beginning(None)) == 8


def test_a_record_that_is_no_message_and_too_old_ends_no_read() -> None:
    broker = FakeBroker()
    history = KafkaChatMessageHistory(
        SESSION, "unused:9092", log=broker, replay=True, max_age=timedelta(seconds=1)
    )
    history.add_messages([HumanMessage("old")])
    broker.cluster.inject(SESSION, b"no message", key=SESSION.encode(), partition=0)
    broker.cluster.sleep(5_000)
    history.add_messages([HumanMessage("new")])
    assert texts(history.messages) == texts(history.messages_from_beginning()) == ["new"]


def test_what_was_skipped_is_told_until_it_is_too_old() -> None:
    broker = FakeBroker()
    history = KafkaChatMessageHistory(
        SESSION, "unused:9092", log=broker, replay=True, on_corrupt="skip", max_age=timedelta(seconds=1)
    )
    history.add_messages([HumanMessage("x")])
    broker.cluster.inject(SESSION, b"no message", key=SESSION.encode(), partition=0)
    assert (texts(history.messages), len(history.skipped)) == (["x"], 1)
    broker.cluster.sleep(5_000)
    assert (texts(history.messages), len(history.skipped)) == ([], 0)


@pytest.mark.parametrize("wrong", [0, 1.5, True, "1 day", timedelta(0), timedelta(seconds=-1)])
def test_an_age_is_a_timedelta(wrong: Any) -> None:
    with pytest.raises(ValueError, match="max_age"):
        KafkaChatMessageHistory(SESSION, "unused:9092", log=FakeBroker(), max_age=wrong)


def test_who_was_given_a_message_is_told_of_its_removal_whatever_was_read_in_between() -> None:
    history = KafkaChatMessageHistory(SESSION, "unused:9092", log=FakeBroker())
    history.add_messages([HumanMessage(str(number), id=f"id {number}") for number in range(12)])
    assert texts(history.messages) == ["0", "1", "2", "3", "4"]
    history.add_messages([RemoveMessage(id="id 0"), RemoveMessage(id="id 7")])
    assert len(history.messages_last(99)) == 10, "it knows of both now"
    assert texts(history.messages) == ["5", "6", "8", "9", "10"]
    assert history.messages == [HumanMessage("11", id="id 11"), RemoveMessage(id="id 0")]
    assert history.messages == []
