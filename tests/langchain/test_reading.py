"""The reads beyond the seed's, and `RemoveMessage`, on the fake broker."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
    trim_messages,
)

from kchat.conversation import conversation
from kchat.core import InvalidMessage, Message
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker

PARTS = st.lists(
    st.tuples(st.sampled_from(["human", "ai", "tool", "function"]), st.integers(1, 9)), max_size=12
)


def history(**more: object) -> KafkaChatMessageHistory:
    return KafkaChatMessageHistory("chat", "fake:9092", log=FakeBroker(), **more)  # type: ignore[arg-type]


def texts(messages: list[BaseMessage]) -> list[object]:
    return [message.content for message in messages]


def turns(count: int) -> list[BaseMessage]:
    return [HumanMessage(str(number)) for number in range(count)]


def test_a_page_after_a_page_goes_back_to_the_beginning() -> None:
    with history() as chat:
        chat.add_messages(turns(7))
        assert texts(chat.messages_last(3)) == ["4", "5", "6"]
        pages = []
        while chat.last_page is not None and chat.last_page.begin is not None and len(chat.last_page):
            pages.append(texts(chat.messages_before(chat.last_page.begin, 3)))
        assert pages == [["1", "2", "3"], ["0"], []]


def test_what_came_since_a_moment() -> None:
    broker = FakeBroker()
    with KafkaChatMessageHistory("chat", "fake:9092", log=broker) as chat:
        chat.add_messages(turns(2))
        broker.cluster.sleep(1_000)
        moment = datetime.fromtimestamp(broker.timestamp_ms / 1000, UTC)
        chat.add_messages([HumanMessage("late")])
        assert texts(chat.messages_since(moment)) == ["late"]
        assert texts(chat.messages_since(None, moment)) == ["0", "1"]
        assert chat.messages_since(moment + timedelta(days=1)) == []


def test_the_async_twins_give_the_same() -> None:
    async def main(chat: KafkaChatMessageHistory) -> list[list[object]]:
        await chat.aadd_messages(turns(5))
        last = texts(await chat.amessages_last(2))
        assert chat.last_page is not None
        assert chat.last_page.begin is not None
        before = texts(await chat.amessages_before(chat.last_page.begin, 2))
        window = texts(await chat.amessages_window(3, len))
        followed = texts([m async for m in chat.afollow(messages_max=2)])
        return [last, before, window, followed, texts(await chat.amessages_since(None))]

    with history() as chat:
        found = asyncio.run(main(chat))
    assert found == [["3", "4"], ["1", "2"], ["2", "3", "4"], ["0", "1"], ["0", "1", "2", "3", "4"]]


def test_the_seed_s_place_is_left_alone() -> None:
    with history() as chat:
        chat.add_messages(turns(4))
        assert len(chat.messages_last(3)) == 3
        assert texts(list(chat.follow(messages_max=4))) == ["0", "1", "2", "3"]
        assert texts(chat.messages) == ["0", "1", "2", "3"]


@pytest.mark.parametrize("replay", [True, False])
def test_a_removed_message_is_not_read_and_neither_is_the_marker(replay: bool) -> None:
    with history(replay=replay) as chat:
        chat.add_messages([HumanMessage("a", id="1"), AIMessage("b", id="2"), RemoveMessage(id="1")])
        assert texts(chat.messages) == ["b"]
        assert texts(chat.messages_last(9)) == ["b"]


def test_a_replay_that_goes_on_forgets_what_is_removed_later() -> None:
    with history(replay=True) as chat:
        chat.add_messages([HumanMessage("a", id="1"), AIMessage("b", id="2")])
        assert texts(chat.messages) == ["a", "b"]
        chat.add_messages([RemoveMessage(id="1"), HumanMessage("c", id="1")])
        assert texts(chat.messages) == ["b", "c"]
        assert texts(chat.messages) == ["b", "c"]


def test_a_replay_honours_a_redaction_by_position() -> None:
    with history(replay=True) as chat:
        chat.add_messages(turns(4))
        assert len(chat.messages) == 4
        assert len(chat.messages_last(4)) == 4
        assert chat.last_page is not None
        chat.conversation.redact(chat.last_page[1].position)
        assert texts(chat.messages) == ["0", "2", "3"]
        chat.add_messages([HumanMessage("4")])
        assert texts(chat.messages) == ["0", "2", "3", "4"]


def test_whoever_read_a_message_before_is_told_that_it_is_removed() -> None:
    with history() as chat:
        chat.add_messages([HumanMessage("a", id="1")])
        assert texts(chat.messages) == ["a"]
        chat.add_messages([RemoveMessage(id="1")])
        assert chat.messages == [RemoveMessage(id="1")]


def test_a_removal_is_honoured_where_few_types_are_allowed() -> None:
    with history(replay=True, allowed_types={"human"}) as chat:
        chat.add_messages(turns(2))
        assert len(chat.messages_last(2)) == 2
        assert chat.last_page is not None
        chat.conversation.redact(chat.last_page[0].position)
        assert texts(chat.messages) == ["1"]


@pytest.mark.parametrize("provision", [True, False])
def test_a_history_is_emptied_and_its_topic_kept(provision: bool) -> None:
    broker = FakeBroker()
    broker.cluster.create("chat")
    topic_id = broker.cluster.topics["chat"].topic_id
    with KafkaChatMessageHistory("chat", "f:1", log=broker, replay=True, provision=provision) as chat:
        chat.add_messages(turns(3))
        assert len(chat.messages) == 3
        chat.clear(keep_topic=True)
        assert chat.messages == []
        chat.add_messages(turns(1))
        assert texts(chat.messages) == ["0"]
    assert broker.cluster.topics["chat"].topic_id == topic_id


def made(parts: list[tuple[str, int]]) -> list[BaseMessage]:
    kinds = {
        "human": HumanMessage,
        "ai": AIMessage,
        "tool": lambda content: ToolMessage(content, tool_call_id="call"),
        "function": lambda content: FunctionMessage(content=content, name="call"),
    }
    return [kinds[kind]("x" * size) for kind, size in parts]  # type: ignore[operator]


def tokens(messages: Sequence[BaseMessage]) -> int:
    return sum(len(str(message.content)) for message in messages)


@given(PARTS, st.integers(1, 40))
def test_a_window_is_what_trim_messages_keeps(parts: list[tuple[str, int]], budget: int) -> None:
    messages = made(parts)
    trimmed = trim_messages(
        messages,
        max_tokens=budget,
        token_counter=tokens,
        strategy="last",
        start_on=(HumanMessage, AIMessage, SystemMessage),
    )
    with history() as chat:
        chat.add_messages(messages)
        assert chat.messages_window(budget, tokens) == trimmed


def test_a_removal_of_everything_is_refused_with_what_to_call_instead() -> None:
    log = FakeBroker()
    chat = KafkaChatMessageHistory("s", "unused:9092", log=log, replay=True)
    chat.add_messages([HumanMessage("a", id="1")])
    with pytest.raises(InvalidMessage, match=r"clear\(keep_topic=True\)") as refused:
        chat.add_messages([HumanMessage("b"), RemoveMessage(id="__remove_all__")])
    assert (refused.value.index, refused.value.path) == (1, ".id")
    with pytest.raises(InvalidMessage, match=r"clear\(keep_topic=True\)"):
        conversation(log, "s").append([Message("remove", {"content": "", "id": "__remove_all__"})])
    assert [message.content for message in chat.messages] == ["a"]
