"""Every kind of LangChain message comes back equal from each broker."""

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    ChatMessageChunk,
    FunctionMessage,
    FunctionMessageChunk,
    HumanMessage,
    HumanMessageChunk,
    InvalidToolCall,
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolCall,
    ToolMessage,
    ToolMessageChunk,
)
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import ToolCallChunk

from kchat.langchain import MESSAGE_CLASSES
from tests.conformance.conftest import Caller, Open

USAGE = UsageMetadata(input_tokens=3, output_tokens=4, total_tokens=7)

MESSAGES: dict[str, BaseMessage] = {
    "human": HumanMessage("hello", id="1", name="Ada"),
    "human with blocks": HumanMessage(
        [{"type": "text", "text": "what is this?"}, {"type": "image_url", "image_url": {"url": "data:,x"}}]
    ),
    "human with any text": HumanMessage("\x00 \ud800 \u2028 🙂 é e\u0301 \r\n"),
    "human without text": HumanMessage(""),
    "ai": AIMessage("hello", response_metadata={"model": "canned", "seed": 2**70, "p": 0.1}),
    "ai with tool calls": AIMessage(
        "",
        tool_calls=[ToolCall(name="add", args={"a": 1, "b": [None, True, {"c": 1.5}]}, id="call-1")],
    ),
    "ai with invalid tool calls": AIMessage(
        "",
        invalid_tool_calls=[
            InvalidToolCall(name="add", args="{", id="call-2", error="not JSON", type="invalid_tool_call")
        ],
    ),
    "ai with usage": AIMessage("hello", usage_metadata=USAGE),
    "ai with reasoning": AIMessage(
        [
            {"type": "reasoning", "reasoning": "hm", "extras": {"signature": "s"}},
            {"type": "text", "text": "yes"},
        ]
    ),
    "tool with an artifact": ToolMessage(
        "3 rows", tool_call_id="call-1", artifact={"rows": [1, 2.5, None]}, status="error"
    ),
    "system": SystemMessage("be kind", additional_kwargs={"priority": 1}),
    "chat": ChatMessage(content="hello", role="critic"),
    "function": FunctionMessage(content="3", name="add"),
    "remove": RemoveMessage(id="another"),
    "human chunk": HumanMessageChunk(content="hel"),
    "ai chunk": AIMessageChunk(
        content="hel",
        tool_call_chunks=[ToolCallChunk(name="add", args='{"a": ', id="call-1", index=0)],
        usage_metadata=USAGE,
        chunk_position="last",
    ),
    "system chunk": SystemMessageChunk(content="be"),
    "chat chunk": ChatMessageChunk(content="hel", role="critic"),
    "function chunk": FunctionMessageChunk(content="3", name="add"),
    "tool chunk": ToolMessageChunk(content="3 r", tool_call_id="call-1"),
}


def test_every_class_of_message_is_tried() -> None:
    assert {type(message) for message in MESSAGES.values()} == MESSAGE_CLASSES


def test_all_kinds_of_messages_come_back_equal(open_history: Open, call: Caller) -> None:
    call(open_history(), "add_messages", list(MESSAGES.values()))
    back = call(open_history(replay=True), "messages")
    # A removal is stored, and is none of the messages of a whole conversation.
    shown = {kind: message for kind, message in MESSAGES.items() if not isinstance(message, RemoveMessage)}
    assert dict(zip(shown, back, strict=True)) == shown
    assert [type(message) for message in back] == [type(message) for message in shown.values()]


@pytest.mark.parametrize("broker", ["fake"], indirect=True)
@pytest.mark.parametrize("kind", MESSAGES)
def test_each_kind_of_message_comes_back_equal(open_history: Open, call: Caller, kind: str) -> None:
    history = open_history()
    call(history, "add_message", MESSAGES[kind])
    assert call(history, "messages") == [MESSAGES[kind]]
