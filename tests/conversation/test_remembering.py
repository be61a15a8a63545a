"""What a log remembers of removals for all objects on it: it changes what reads cost, and nothing else."""

import asyncio
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from attrs import define, evolve, field, frozen
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage, RemoveMessage

from kchat.conversation import Conversation, Page, async_conversation, conversation
from kchat.conversation.remembering import SUBJECT_BYTES, RemovalsRemembered
from kchat.core import (
    NOTHING_KNOWN,
    Command,
    Event,
    JsonDecoder,
    KchatError,
    Known,
    Message,
    Position,
    Removals,
    Subject,
    TopicDescribed,
    TopicSettings,
)
from kchat.core.known import Stretch
from kchat.core.removals import MARKER_BYTES
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import Expire, FakeBroker, Fault, FaultPlan, Recreate
from kchat.testing.strategies import fault_plans
from tests.conversation.drawn import FAULTS
from tests.conversation.drawn import places as places_of

SESSION = "talk"
IDS = st.none() | st.sampled_from(["a", "b"])
WORSE: st.SearchStrategy[Fault] = st.one_of(FAULTS, st.just(Recreate()), st.builds(Expire, st.integers(1, 3)))


@frozen
class Say:
    """Messages of one call."""

    ids: tuple[str | None, ...]


@frozen
class Remove:
    """A marker: of an id, or of the so many-th message that is shown."""

    of: str | int


@frozen
class Clear:
    """The topic goes, or all that is in it; the next messages create it again."""

    keep_topic: bool


@frozen
class Look:
    """One read by an object of its own, with faults on the way: it may fail."""

    how: int
    index: int
    count: int
    faults: FaultPlan


Step = Say | Remove | Clear | Look
LOOKS = st.builds(
    Look, st.integers(0, 5), st.integers(0, 9), st.integers(1, 3), fault_plans(WORSE, size_max=8)
)
STEPS = st.lists(
    st.one_of(
        st.builds(Say, st.lists(IDS, min_size=1, max_size=4).map(tuple)),
        st.builds(Say, st.lists(IDS, min_size=1, max_size=4).map(tuple)),
        st.builds(Remove, st.sampled_from(["a", "b"]) | st.integers(0, 12)),
        st.builds(Clear, st.booleans()),
        LOOKS,
        LOOKS,
        LOOKS,
    ),
    max_size=14,
)


def said(ids: tuple[str | None, ...]) -> list[Message]:
    return [Message("human", {"content": "x"} | ({} if own is None else {"id": own})) for own in ids]


def ways(talk: Conversation[Message], position: Any, count: int) -> tuple[Callable[[], Any], ...]:
    """Every read whose answer depends on markers that it may not come to."""
    return (
        lambda: talk.before(position, count),
        lambda: talk.after(position, count),
        lambda: talk.last(count),
        lambda: talk.since(None, None, count),
        talk.read,
        lambda: talk.cursor("reader").read(count),
    )


def answer(way: Callable[[], Page[Message]]) -> object:
    """What a read gave, or how it failed."""
    try:
        page = way()
    except KchatError as error:
        return type(error)
    shown = [(str(entry.position), entry.message.type, entry.message.data) for entry in page]
    return shown, str(page.begin), str(page.end), page.ended


@define
class Twins:
    """A log with a memory, and the same cluster for whoever remembers nothing."""

    broker: FakeBroker = field(factory=FakeBroker)
    positions: list[Any] = field(factory=list)

    def talk(self, broker: FakeBroker | None = None) -> Conversation[Message]:
        return conversation(broker or self.broker, SESSION)

    def do(self, step: Step) -> None:
        match step:
            case Say(ids=ids):
                self.positions += self.talk(self.broker.reopened()).append(said(ids))
            case Remove(of=str(target)):
                marker = Message("remove", {"content": "", "id": target})
                self.positions += self.talk(self.broker.reopened()).append([marker])
            case Remove(of=index):
                page = self.talk(self.broker.reopened()).read()
                if len(page):
                    self.talk(self.broker.reopened()).redact(page[int(index) % len(page)].position)
            case Clear(keep_topic=keep_topic):
                self.talk(self.broker.reopened()).clear(keep_topic=keep_topic)
            case Look(how=how, index=index, count=count, faults=faults) if self.positions:
                self.broker.plan[:] = faults
                answer(ways(self.talk(), self.positions[-1 - index % len(self.positions)], count)[how])
                self.broker.plan.clear()
            case _:
                pass  # there is no position to look from yet

    def check(self) -> None:
        for position in self.positions[-10:]:
            for how in range(6):
                fresh = answer(ways(self.talk(self.broker.reopened()), position, 2)[how])
                assert answer(ways(self.talk(), position, 2)[how]) == fresh


@given(STEPS)
def test_what_is_remembered_changes_no_answer(steps: list[Step]) -> None:
    twins = Twins()
    for step in steps:
        twins.do(step)
    twins.check()


@pytest.mark.parametrize("how", [0, 1, 3, 5], ids=["before", "after", "since", "cursor"])
def test_the_next_object_fetches_what_is_new_and_a_page(
    counted: tuple[FakeBroker, list[int]], how: int
) -> None:
    broker, fetched = counted
    place = conversation(broker, SESSION).append(said((None,) * 400))[30]
    conversation(broker, SESSION).redact(place)
    fetched.clear()
    ways(conversation(broker, SESSION), place, 5)[how]()
    assert sum(fetched) >= 371 - 5, "the first one looks at all behind its page"
    conversation(broker, SESSION).last(3)
    for new in (0, 7, 0):
        if new:
            conversation(broker, SESSION).append(said((None,) * new))
        fetched.clear()
        ways(conversation(broker, SESSION), place, 5)[how]()
        assert sum(fetched) <= 30 + new


def test_who_looks_from_before_what_is_known_fetches_what_lies_between(
    counted: tuple[FakeBroker, list[int]],
) -> None:
    broker, fetched = counted
    places = conversation(broker, SESSION).append(said((None,) * 400))
    conversation(broker, SESSION).before(places[300], 5)
    for place, between in ((30, 270), (31, 0), (10, 20)):
        fetched.clear()
        conversation(broker, SESSION).after(places[place], 5)
        assert sum(fetched) <= between + 30


@pytest.mark.parametrize("how", range(6))
def test_a_topic_of_the_same_name_is_another_conversation(how: int) -> None:
    broker = FakeBroker()
    places = conversation(broker, SESSION).append(said((None,) * 9))
    conversation(broker, SESSION).redact(places[1])
    conversation(broker, SESSION).before(places[7], 9)
    conversation(broker, SESSION).clear()
    again = conversation(broker, SESSION).append(said((None,) * 9))
    position = again[8] if how == 0 else again[0]
    fresh = answer(ways(conversation(broker.reopened(), SESSION), position, 9)[how])
    assert answer(ways(conversation(broker, SESSION), position, 9)[how]) == fresh


def test_a_call_that_is_cancelled_leaves_what_it_had_seen_or_nothing() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    places = talk.append(said((None,) * 9))
    talk.redact(places[2])
    fresh = answer(lambda: conversation(broker.reopened(), SESSION).before(places[5], 5))

    async def cancelled(turns: int) -> None:
        task = asyncio.create_task(async_conversation(broker, SESSION).before(places[5], 5))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    for turns in range(12):
        asyncio.run(cancelled(turns))
        assert answer(lambda: conversation(broker, SESSION).before(places[5], 5)) == fresh


# The memory itself


def subject(topic: str = SESSION) -> Subject:
    return Subject(topic, None, None, JsonDecoder())


def known(begin: int, end: int, *targets: str, topic_id: str | None = "A") -> Known:
    stretch = Stretch((Position(0, begin),), (Position(0, end),))
    return Known(
        topic_id=topic_id,
        stretches=(stretch,),
        removals=Removals(tuple((target, (0, 0, end)) for target in targets)),
    )


def test_of_two_that_learn_at_once_neither_loses_what_the_other_found() -> None:
    memory = RemovalsRemembered()
    memory.learn(subject(), NOTHING_KNOWN, known(5, 9, "further"))
    now = memory.learn(subject(), NOTHING_KNOWN, known(0, 7, "earlier"))
    assert memory.recall(subject()) == now
    assert now.stretches == known(0, 9).stretches
    assert {target for target, _ in now.removals.markers} == {"further", "earlier"}


def test_threads_lose_nothing() -> None:
    memory = RemovalsRemembered()

    def learn(number: int) -> None:
        for step in range(50):
            memory.learn(subject(), NOTHING_KNOWN, known(step, step + 1, f"{number} {step}"))

    threads = [Thread(target=learn, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = memory.recall(subject())
    assert found is not None
    assert len(found.removals.markers) == 200
    assert found.stretches == known(0, 50).stretches


def test_nothing_is_known_of_the_next_topic_of_a_name_nor_where_topics_have_no_id() -> None:
    memory = RemovalsRemembered()
    memory.learn(subject(), NOTHING_KNOWN, known(0, 9, "old"))
    memory.learn(subject(), NOTHING_KNOWN, known(0, 9, "none", topic_id=None))
    assert memory.recall(subject()) == known(0, 9, "old")
    memory.learn(subject(), NOTHING_KNOWN, known(0, 2, "new", topic_id="B"))
    assert memory.recall(subject()) == known(0, 2, "new", topic_id="B")


def test_it_holds_so_many_conversations_and_what_was_used_last_stays() -> None:
    memory = RemovalsRemembered(subjects_max=2)
    for topic in ("a", "b"):
        memory.learn(subject(topic), NOTHING_KNOWN, known(0, 1))
    memory.recall(subject("a"))
    memory.learn(subject("c"), NOTHING_KNOWN, known(0, 1))
    assert [memory.recall(subject(topic)) is not None for topic in "abc"] == [True, False, True]


def test_it_holds_so_many_bytes_of_markers_and_nothing_that_alone_is_larger() -> None:
    size = SUBJECT_BYTES + MARKER_BYTES + 100
    memory = RemovalsRemembered(bytes_max=2 * size)
    for topic in ("a", "b", "c"):
        for begin in (3, 0):  # what is replaced counts once
            memory.learn(subject(topic), NOTHING_KNOWN, known(begin, 9, "x" * 100))
    assert [memory.recall(subject(topic)) is not None for topic in "abc"] == [False, True, True]
    large = known(0, 1, "x" * 3 * size)
    assert memory.learn(subject("a"), NOTHING_KNOWN, large) is large
    assert [memory.recall(subject(topic)) is not None for topic in "abc"] == [False, True, True]


def test_a_conversation_knows_what_its_log_has_no_room_for(counted: tuple[FakeBroker, list[int]]) -> None:
    broker, fetched = counted
    broker._removals_known = RemovalsRemembered(bytes_max=0)
    talk = conversation(broker, SESSION)
    place = talk.append(said((None,) * 400))[30]
    talk.before(place, 5)
    fetched.clear()
    talk.before(place, 5)
    assert sum(fetched) <= 30


def test_it_shows_no_content() -> None:
    memory = RemovalsRemembered()
    learnt = memory.learn(subject(), NOTHING_KNOWN, known(0, 9, "a secret"))
    assert "secret" not in f"{memory!r}{learnt!r}{subject()!r}"
    assert repr(memory) == "<removals of 1 conversations>"


def test_a_child_process_begins_with_nothing() -> None:
    with KafkaLog({"bootstrap.servers": "127.0.0.1:1"}) as log:
        memory = log.removals_known
        memory.learn(subject(), NOTHING_KNOWN, known(0, 1))
        memory._lock.acquire()  # as another thread may have had it at the fork
        log.after_fork()
        assert log.removals_known.recall(subject()) is None


def test_what_was_built_before_a_fork_uses_the_memory_of_its_child() -> None:
    with KafkaLog({"bootstrap.servers": "127.0.0.1:1"}) as log:
        memory = log.conversation(SESSION)._ask.memory
        log.removals_known._lock.acquire()  # as another thread may have had it at the fork
        log.after_fork()
        looking = Thread(target=lambda: memory.learn(memory.known, known(0, 9)), daemon=True)
        looking.start()
        looking.join(5)
        assert not looking.is_alive()
        assert log.removals_known.recall(memory.subject) == known(0, 9)


class WithoutIds(FakeBroker):
    """A broker that keeps no topic ids."""

    def perform(self, command: Command) -> Event:
        event = super().perform(command)
        return evolve(event, topic_id=None) if isinstance(event, TopicDescribed) else event


def test_without_topic_ids_what_is_known_of_a_topic_hides_nothing_of_the_next_one() -> None:
    broker = WithoutIds()
    history = KafkaChatMessageHistory(SESSION, "", log=broker)
    for texts in ("abc", "xyz"):
        broker.cluster.create(SESSION)
        history.add_messages([HumanMessage(text, id=f"id-{n}") for n, text in enumerate(texts)])
        if texts == "abc":
            history.add_messages([RemoveMessage(id="id-1")])
            assert [message.content for message in history.messages_from_beginning(1)] == ["a"]
            history.clear()
    assert [message.content for message in history.messages_from_beginning(None)] == ["x", "y", "z"]


@pytest.mark.kafka
def test_on_kafka_the_next_object_knows_what_the_first_one_found(kafka: str) -> None:
    with KafkaLog({"bootstrap.servers": kafka}) as log, KafkaLog({"bootstrap.servers": kafka}) as fresh:
        session, settings = f"remembered-{log.now_ms}", TopicSettings()

        def talk(on: KafkaLog = log) -> Conversation[Message]:
            return conversation(on, session, settings=settings)

        places = talk().append(said((None,) * 50))
        talk().redact(places[3])
        first = answer(lambda: talk().before(places[9], 20))
        known_then = log.removals_known.recall(subject(session))
        assert known_then is not None
        assert sum(position.offset for position in known_then.end) == 51
        assert answer(lambda: talk().before(places[9], 20)) == first
        talk().redact(places[5])
        for on in (log, fresh):
            assert [offset for _, offset in places_of(talk(on).before(places[9], 20))] == [
                0,
                1,
                2,
                4,
                6,
                7,
                8,
            ]
        talk().clear()
        again = talk().append(said((None,) * 12))
        for on in (log, fresh):
            assert len(talk(on).before(again[9], 20)) == 9
