"""The OpenAI chat format: what it can carry comes back the same, and the rest is told."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.cli.formats import openai_reader, openai_writer
from kchat.cli.formats.entries import Entry, NoConversation, Poison, Sourced, Unusable
from kchat.cli.formats.losses import Losses
from kchat.core import Message
from kchat.langchain.chunks import made
from kchat.testing.strategies import messages
from tests.cli.formats.conversations import ABOUT, CALL, PICTURE, TURNS, entries, place


def written(found: list[Entry]) -> tuple[list[dict[str, Any]], Losses]:
    out, losses = io.StringIO(), Losses()
    openai_writer.write(ABOUT, iter(found), out, losses)
    assert out.getvalue().isascii()
    document = json.loads(out.getvalue())
    return document["messages"], losses


def read(document: Any) -> list[Sourced | Unusable]:
    return list(openai_reader.read(io.BytesIO(json.dumps(document).encode())))


def test_a_conversation_with_a_tool_call_is_what_openai_writes() -> None:
    document, losses = written(list(entries(TURNS)))
    assert [message["role"] for message in document] == ["system", "user", "assistant", "tool", "assistant"]
    assert document[1] == {"role": "user", "name": "alice", "content": "Do I need an *umbrella*\nin Lima?"}
    [call] = document[2]["tool_calls"]
    assert (call["id"], call["function"]["name"]) == ("c1", "forecast")
    assert json.loads(call["function"]["arguments"]) == CALL["args"]
    assert document[3]["tool_call_id"] == "c1"
    assert [(loss["what"], loss["first"]) for loss in losses.as_json] == [
        ("usage_metadata", ["0:2"]),
        ("id", ["0:4"]),
    ]


def test_an_image_is_carried() -> None:
    blocks = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": PICTURE}}]
    document, losses = written(list(entries([Message("human", {"content": blocks})])))
    assert document == [{"role": "user", "content": blocks}]
    assert losses.as_json == []


def test_a_record_that_is_no_message_is_counted_and_named_by_its_place() -> None:
    document, losses = written([Poison(place(7), "not JSON, at character 0", b"{")])
    assert document == []
    assert losses.whole_count == 1
    assert list(losses.lines()) == ["not carried: 1 record: it is no message (0:7, not JSON, at character 0)"]


def test_content_that_langchain_cannot_convert_keeps_its_text() -> None:
    content = [{"type": "text", "text": "look"}, {"type": "image"}]
    document, losses = written(list(entries([Message("human", {"content": content})])))
    assert document == [{"role": "user", "content": "look"}]
    assert [loss["what"] for loss in losses.as_json] == ["content other than its text"]


KINDS = ("human", "ai", "system", "tool", "function")
plain = st.builds(
    lambda kind, content, name: Message(
        kind,
        {"content": content, "tool_call_id": "c", "name": name}
        if kind == "tool"
        else {"content": content, "name": name},
    ),
    st.sampled_from(KINDS),
    st.text(min_size=1)
    | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": st.text()}), min_size=1),
    st.text(min_size=1),
)


@given(st.lists(plain, max_size=4))
def test_what_is_carried_without_a_report_comes_back_the_same(drawn: list[Message]) -> None:
    document, losses = written(list(entries(drawn)))
    assert losses.as_json == []
    back = [found for found in read({"messages": document}) if isinstance(found, Sourced)]
    assert [made(found.message) for found in back] == [made(message) for message in drawn]


@given(st.lists(messages(), max_size=3))
def test_every_message_is_carried_or_told(drawn: list[Message]) -> None:
    shown = [message for message in drawn if message.type != "remove"]
    document, losses = written(list(entries(shown)))
    assert len(document) + losses.whole_count >= len(shown)


@pytest.mark.parametrize("document", [{}, {"messages": {}}, "text", 5, None])
def test_another_document_is_refused(document: Any) -> None:
    with pytest.raises(NoConversation):
        read(document)
    with pytest.raises(NoConversation):
        list(openai_reader.read(io.BytesIO(b"{")))


@pytest.mark.parametrize(
    "message",
    [
        5,
        {},
        {"role": 5},
        {"role": ["user"], "content": "x"},
        {"role": {"user": 1}, "content": "x"},
        {"role": "secret", "content": "x"},
        {"role": "tool", "content": "x"},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{"}}]},
        {"type": "human", "content": "x"},
        {"lc": 1, "type": "constructor", "id": ["HumanMessage"], "kwargs": {"content": "x"}},
    ],
)
def test_a_message_of_no_known_role_is_reported_with_its_number(message: Any) -> None:
    [first, second] = read([message, {"role": "user", "content": "hi"}])
    assert isinstance(second, Sourced)
    assert isinstance(first, Unusable)
    assert first.where == "message 1"
    assert "secret" not in first.reason
