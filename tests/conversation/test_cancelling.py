"""A call that is cancelled at any point: its place is where it was, nothing is half done, nothing comes late.

Both asynchronous APIs, on a broker in memory that lets other tasks run, and so a cancellation come, before
and after each command; faults go on meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import define, field
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from kchat.conversation import AsyncConversation, Edge, async_conversation, computing, conversation
from kchat.core import KchatError, Message
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import Delay, FakeBroker, Fault, LostAnswer, NoAnswer, ShortFetch
from kchat.testing.strategies import fault_plans

SESSION = "chat"
STEPS_MAX = 24
"""The longest call here has some 20 points at which it can be cancelled."""

FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.builds(Delay, st.integers(1, 50)),
    st.just(NoAnswer()),
    st.just(LostAnswer()),
    st.builds(ShortFetch, st.integers(1, 3)),
)
STEPS = st.integers(0, STEPS_MAX)
PLANS = fault_plans(FAULTS, size_max=3)
LENGTHS = st.integers(0, 7)


@pytest.fixture(scope="module", autouse=True, params=["small", "large"])
def sizes(request: pytest.FixtureRequest) -> Iterator[None]:
    """With `large` every answer is taken to be large: its steps are done on another thread."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "large":
            patch.setattr(computing, "MESSAGES_MAX", 0)
        yield


def said(*texts: str) -> list[Message]:
    return [Message("human", {"content": text}) for text in texts]


async def cancelled_after(steps: int, call: Awaitable[Any]) -> tuple[bool, Any]:
    """Run the call so many steps far, then cancel it: whether it had ended by then, and with what."""

    task = asyncio.ensure_future(call)
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    try:
        return True, await task
    except asyncio.CancelledError:
        return False, None
    except KchatError as error:
        return True, error


@define
class Scene:
    """A conversation of so many messages, and a cursor that has read and stored the first ones."""

    length: int
    stored: int
    broker: FakeBroker = field(factory=FakeBroker)

    def __attrs_post_init__(self) -> None:
        talk = conversation(self.broker, SESSION)
        talk.append(said("first", *(str(number) for number in range(self.length))))
        self.stored = min(self.stored, self.length)
        audit = talk.cursor("audit")
        audit.read(1 + self.stored)
        audit.commit()

    @property
    def texts(self) -> list[str]:
        return ["first", *(str(number) for number in range(self.length))]

    @property
    def talk(self) -> AsyncConversation[Message]:
        return async_conversation(self.broker, SESSION)

    @property
    def place(self) -> dict[Any, Any]:
        return {key: dict(value) for key, value in self.broker.cluster.committed.items()}

    def log(self) -> list[str]:
        return [message.text for message in conversation(self.broker, SESSION).read().messages]

    def after_cursor(self) -> list[str]:
        return [
            message.text for message in conversation(self.broker, SESSION).cursor("audit").read().messages
        ]


async def _all(following: Any) -> list[Any]:
    return [entry async for entry in following]


async def _beside(talk: AsyncConversation[Message], how: str) -> Any:
    """A page before or after the newest message: cancelled there, or on the way to it."""
    newest = (await talk.last(1))[0].position
    return await (talk.before(newest, 2) if how == "before" else talk.after(newest, 2))


READS: dict[str, Callable[[AsyncConversation[Message]], Awaitable[Any]]] = {
    "read": lambda talk: talk.read(),
    "last": lambda talk: talk.last(3),
    "since": lambda talk: talk.since(datetime(1970, 1, 1, tzinfo=UTC)),
    "before": lambda talk: _beside(talk, "before"),
    "after": lambda talk: _beside(talk, "after"),
    "window": lambda talk: talk.window(3, len),
    "follow": lambda talk: _all(talk.follow(seconds_max=0.1)),
    "cursor": lambda talk: talk.cursor("audit").read(2, wait_seconds=0.05),
    "cursors": lambda talk: talk.cursors(),
}


@given(st.sampled_from(sorted(READS)), LENGTHS, LENGTHS, STEPS, PLANS)
def test_a_cancelled_read_leaves_every_place_and_the_next_one_reads_as_ever(
    name: str, length: int, stored: int, steps: int, plan: Any
) -> None:
    scene = Scene(length, stored)
    before = scene.place

    async def main() -> list[str]:
        talk = scene.talk
        scene.broker.plan += plan
        await cancelled_after(steps, READS[name](talk))
        scene.broker.plan.clear()
        return [message.text for message in (await talk.read()).messages]

    assert asyncio.run(main()) == scene.texts
    assert scene.place == before
    assert scene.after_cursor() == scene.texts[1 + scene.stored :]


@given(LENGTHS, LENGTHS, st.lists(st.tuples(st.integers(1, 3), STEPS, PLANS), min_size=1, max_size=4))
def test_a_cursor_whose_reads_are_cancelled_loses_nothing_and_repeats_nothing(
    length: int, stored: int, reads: list[tuple[int, int, Any]]
) -> None:
    scene = Scene(length, stored)

    async def main() -> list[str]:
        audit, got = scene.talk.cursor("audit"), list[str]()
        for count, steps, plan in reads:
            scene.broker.plan += plan
            ended, page = await cancelled_after(steps, audit.read(count))
            scene.broker.plan.clear()
            if ended and not isinstance(page, KchatError):
                got += [message.text for message in page.messages]
        return got + [message.text for message in (await audit.read()).messages]

    assert asyncio.run(main()) == scene.texts[1 + scene.stored :]


MOVES: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "commit": lambda audit: audit.commit(),
    "to the end": lambda audit: audit.seek(Edge.END),
    "to the beginning": lambda audit: audit.seek(Edge.BEGINNING),
    "to a time": lambda audit: audit.seek(datetime(1970, 1, 1, tzinfo=UTC)),
}


@given(st.sampled_from(sorted(MOVES)), LENGTHS, LENGTHS, st.integers(0, 3), STEPS, PLANS)
def test_a_move_that_is_cancelled_moved_nothing(
    name: str, length: int, stored: int, read: int, steps: int, plan: Any
) -> None:
    scene = Scene(length, stored)
    before = scene.place

    async def main() -> tuple[bool, list[str]]:
        audit = scene.talk.cursor("audit")
        if read:
            await audit.read(read)
        scene.broker.plan += plan
        ended, _ = await cancelled_after(steps, MOVES[name](audit))
        scene.broker.plan.clear()
        return ended, [message.text for message in (await audit.read()).messages]

    ended, rest = asyncio.run(main())
    if not ended:
        assert scene.place == before
        assert rest == scene.texts[1 + scene.stored + read :]


@given(LENGTHS, st.integers(1, 3), STEPS, PLANS)
def test_a_cancelled_append_is_whole_or_not_at_all_and_does_not_surface_later(
    length: int, count: int, steps: int, plan: Any
) -> None:
    scene = Scene(length, 0)
    new = [f"new {number}" for number in range(count)]

    async def main() -> None:
        scene.broker.plan += plan
        await cancelled_after(steps, scene.talk.append(said(*new)))
        scene.broker.plan.clear()

    asyncio.run(main())
    log = scene.log()
    assert log in (scene.texts, scene.texts + new)
    conversation(scene.broker, SESSION).append(said("after"))
    assert scene.log() == [*log, "after"]


@given(st.booleans(), LENGTHS, STEPS, PLANS)
def test_a_cancelled_clear_or_redaction_is_done_or_it_is_not(
    keep_topic: bool, length: int, steps: int, plan: Any
) -> None:
    scene = Scene(length, 0)

    async def main() -> None:
        talk = scene.talk
        place = (await talk.read())[0].position
        scene.broker.plan += plan
        await cancelled_after(steps, talk.redact(place))
        scene.broker.plan.clear()
        assert scene.log() in (scene.texts, scene.texts[1:])
        left = scene.log()
        scene.broker.plan += plan
        await cancelled_after(steps, talk.clear(keep_topic=keep_topic))
        scene.broker.plan.clear()
        assert scene.log() in (left, [])
        await talk.append(said("after"))

    asyncio.run(main())
    assert scene.log()[-1] == "after"


CALLS: dict[str, Callable[[KafkaChatMessageHistory], Awaitable[Any]]] = {
    "messages": lambda history: history.aget_messages(),
    "from the beginning": lambda history: history.amessages_from_beginning(2),
    "from the latest": lambda history: history.amessages_from_latest(1, 0.05),
    "last": lambda history: history.amessages_last(2),
    "stream": lambda history: _all(history.astream_messages(2)),
}


@given(st.sampled_from(sorted(CALLS)), LENGTHS, st.booleans(), STEPS, PLANS)
def test_a_cancelled_call_of_a_history_leaves_its_place(
    name: str, length: int, read_before: bool, steps: int, plan: Any
) -> None:
    broker, texts = FakeBroker(), [str(number) for number in range(1 + length)]
    history = KafkaChatMessageHistory("s", "unused:9092", log=broker)
    history.add_messages([HumanMessage(text) for text in texts])
    first = len(history.messages_from_beginning(1)) if read_before else 0

    async def main() -> tuple[bool, list[str]]:
        broker.plan += plan
        ended, _ = await cancelled_after(steps, CALLS[name](history))
        broker.plan.clear()
        rest = [*await history.amessages_from_last_consumed(None, None)]
        return ended, [str(message.content) for message in rest]

    ended, rest = asyncio.run(main())
    if not ended:
        assert rest == texts[first:]


@given(LENGTHS, st.integers(1, 3), STEPS, PLANS)
def test_what_a_history_is_cancelled_in_adding_or_clearing_is_done_or_it_is_not(
    length: int, count: int, steps: int, plan: Any
) -> None:
    broker, texts = FakeBroker(), [str(number) for number in range(1 + length)]
    history = KafkaChatMessageHistory("s", "unused:9092", log=broker, replay=True)
    history.add_messages([HumanMessage(text) for text in texts])
    new = [f"new {number}" for number in range(count)]

    async def cancelled(call: Awaitable[Any]) -> list[str]:
        broker.plan += plan
        await cancelled_after(steps, call)
        broker.plan.clear()
        return [str(message.content) for message in await history.aget_messages()]

    async def main() -> list[str]:
        held = await cancelled(history.aadd_messages([HumanMessage(text) for text in new]))
        assert held in (texts, texts + new)
        assert await cancelled(history.aclear()) in (held, [])
        await history.aadd_messages([HumanMessage("after")])
        return [str(message.content) for message in await history.aget_messages()]

    assert asyncio.run(main())[-1] == "after"


@given(LENGTHS, st.booleans(), STEPS, PLANS)
def test_a_cancelled_replay_leaves_the_next_one_whole(length: int, kept: bool, steps: int, plan: Any) -> None:
    broker, texts = FakeBroker(), [str(number) for number in range(1 + length)]
    history = KafkaChatMessageHistory("s", "unused:9092", log=broker, replay=True)
    history.add_messages([HumanMessage(text) for text in texts[:1]])
    if kept:
        assert len(history.messages) == 1
    history.add_messages([HumanMessage(text) for text in texts[1:]])

    async def main() -> list[str]:
        broker.plan += plan
        await cancelled_after(steps, history.aget_messages())
        broker.plan.clear()
        return [str(message.content) for message in await history.aget_messages()]

    assert asyncio.run(main()) == texts
