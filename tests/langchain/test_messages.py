"""LangChain's messages through the codec: what comes back is equal, and what would not is refused by path."""

import datetime
import json
import warnings
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
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
    RemoveMessage,
    SystemMessage,
    SystemMessageChunk,
    ToolMessage,
    ToolMessageChunk,
    message_to_dict,
)
from pydantic import BaseModel

from kchat.core import MESSAGE_TYPES, Corrupt, Message, NewRecord, Record, Unstorable
from kchat.langchain import MESSAGE_CLASSES, LangChainDecoder
from kchat.langchain.faults import fields_of, langchain_fault
from kchat.langchain.messages import encoder
from tests.core.parsers import each_parser

__all__ = ["each_parser"]

ENCODE = encoder(b"session", lambda: "id-1")
DECODER = LangChainDecoder()

EVERY_TYPE: list[BaseMessage] = [
    HumanMessage("hi", id="h", name="alice", example=True),
    HumanMessage([{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": "data:,x"}}]),
    AIMessage(
        "",
        tool_calls=[{"name": "f", "args": {"x": [1, {"y": None}]}, "id": "c1", "type": "tool_call"}],
        invalid_tool_calls=[
            {"name": "g", "args": "{oops", "id": "c2", "error": "no JSON", "type": "invalid_tool_call"}
        ],
        usage_metadata={
            "input_tokens": 9,
            "output_tokens": 2,
            "total_tokens": 11,
            "input_token_details": {"cache_read": 3},
            "output_token_details": {"reasoning": 1},
        },
        response_metadata={"model_name": "m", "logprobs": None, "big": 2**70},
    ),
    AIMessage([{"type": "reasoning", "reasoning": "well, ..."}, {"type": "text", "text": "42"}]),
    AIMessage(
        "", additional_kwargs={"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]}
    ),
    ToolMessage("42", tool_call_id="c1", artifact={"rows": [[1, 2.5], ["a", None, True]]}, status="error"),
    SystemMessage("be brief"),
    ChatMessage(content="hm", role="critic"),
    FunctionMessage(content="42", name="f"),
    RemoveMessage(id="h"),
    AIMessageChunk(content="par", tool_call_chunks=[{"name": "f", "args": '{"x', "id": "c", "index": 0}]),
    HumanMessageChunk(content="h"),
    SystemMessageChunk(content="s"),
    ChatMessageChunk(content="c", role="r"),
    FunctionMessageChunk(content="f", name="f"),
    ToolMessageChunk(content="t", tool_call_id="c"),
]


def through(message: BaseMessage) -> BaseMessage | Corrupt:
    record = ENCODE(message)
    assert isinstance(record, NewRecord), record
    return DECODER.decode(Record(0, 0, 0, record.key, record.value, record.headers))


def test_the_examples_cover_every_class_and_every_type() -> None:
    assert {type(message) for message in EVERY_TYPE} == MESSAGE_CLASSES
    assert {message.type for message in EVERY_TYPE} == MESSAGE_TYPES


@pytest.mark.parametrize("message", EVERY_TYPE, ids=lambda message: type(message).__name__)
def test_every_type_comes_back_equal_and_of_its_class(message: BaseMessage) -> None:
    back = through(message)
    assert type(back) is type(message)
    assert back == message


@pytest.mark.parametrize("message", EVERY_TYPE, ids=lambda message: type(message).__name__)
def test_the_value_is_what_langchain_itself_writes(message: BaseMessage) -> None:
    record = ENCODE(message)
    assert isinstance(record, NewRecord)
    assert json.loads(record.value) == message_to_dict(message)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(content=st.text(), extra=st.dictionaries(st.text(), JSON, max_size=3), artifact=JSON)
def test_any_json_in_a_message_comes_back_equal(
    content: str, extra: dict[str, Any], artifact: object
) -> None:
    human = HumanMessage(content, response_metadata=extra)
    tool = ToolMessage(content, tool_call_id="c", artifact=artifact)
    assert through(human) == human
    assert through(tool) == tool


class Rating(BaseModel):
    stars: int


REFUSED: list[tuple[object, str]] = [
    (float("nan"), "NaN"),
    (float("inf"), "infinity"),
    (b"bytes", "bytes"),
    ((1, 2), "tuple"),
    ({1, 2}, "set"),
    (datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "datetime"),
    (Rating(stars=5), "Rating"),
    ({5: "x"}, "key of type int"),
    (10**4301, "4,300"),
    (object(), "object"),
]


@pytest.mark.parametrize(("value", "reason"), REFUSED, ids=[reason for _, reason in REFUSED])
def test_what_json_would_change_is_refused_with_its_path(value: object, reason: str) -> None:
    fault = ENCODE(HumanMessage("x", additional_kwargs={"a": {"b": [0, value]}}))
    assert isinstance(fault, Unstorable)
    assert fault.path == ".additional_kwargs.a.b[1]"
    assert reason in fault.reason


def test_a_model_as_artifact_is_refused_and_not_flattened_to_a_dict() -> None:
    fault = ENCODE(ToolMessage("x", tool_call_id="c", artifact=Rating(stars=5)))
    assert fault == Unstorable(".artifact", "a value of type Rating; JSON would change or lose it")


def test_extra_fields_are_kept_or_refused_like_all_others() -> None:
    kept = HumanMessage("x", mood="fine")
    assert through(kept) == kept
    fault = ENCODE(HumanMessage("x", mood=(1, 2)))
    assert isinstance(fault, Unstorable)
    assert fault.path == ".mood"


def test_nesting_is_bounded_and_the_bound_itself_can_be_read() -> None:
    def nested(depth: int) -> HumanMessage:
        value: Any = "leaf"
        for _ in range(depth):
            value = [value]
        return HumanMessage("x", response_metadata={"v": value})

    assert through(nested(98)) == nested(98)
    for depth in (101, 5_000):
        fault = ENCODE(nested(depth))
        assert isinstance(fault, Unstorable)
        assert "deeper than 100" in fault.reason


class MyMessage(HumanMessage):
    """A user's own subclass."""


def test_a_subclass_is_refused_since_it_would_come_back_as_its_base() -> None:
    fault = ENCODE(MyMessage(content="x"))
    assert fault == Unstorable(
        "", "MyMessage would be read back as another class; convert it to HumanMessage first"
    )


@pytest.mark.parametrize("thing", ["text", {"type": "human"}, None, 5, HumanMessage])
def test_what_is_no_message_is_refused(thing: Any) -> None:
    fault = ENCODE(thing)
    assert isinstance(fault, Unstorable)
    assert "is no LangChain message" in fault.reason


def test_a_message_that_was_made_unreadable_is_refused() -> None:
    """Fields can be set without validation; written so, the record would be poison to every reader."""
    broken = HumanMessage("x")
    broken.__dict__["content"] = 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydantic's own remark on the dump; it is ours that is tested
        fault = ENCODE(broken)
    assert isinstance(fault, Unstorable)
    assert "not read back equal" in fault.reason


NOT_TAKEN = "LangChain does not take the field"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('{"type": "human", "data": {}}', "the field content is missing"),
        ('{"type": "tool", "data": {"content": "no call id"}}', "the field tool_call_id is missing"),
        ('{"type": "chat", "data": {"content": "x"}}', "the field role is missing"),
        ('{"type": "function", "data": {}}', "the fields content, name are missing"),
        ('{"type": "ai", "data": {"content": "x", "tool_calls": "oops"}}', f"{NOT_TAKEN} tool_calls"),
        ('{"type": "ai", "data": {"content": "x", "tool_calls": [5]}}', f"{NOT_TAKEN} tool_calls"),
        (
            '{"type": "ai", "data": {"content": "x", "tool_calls": [{"secret": 1}]}}',
            f"{NOT_TAKEN} tool_calls",
        ),
        ('{"type": "ai", "data": {"content": "x", "usage_metadata": {"secret": 1}}}', "usage_metadata"),
        ('{"type": "human", "data": {"content": {"secret": 1}}}', f"{NOT_TAKEN} content"),
        ('{"type": "human", "data": {"content": "x", "type": "ai"}}', f"{NOT_TAKEN} type"),
        ('{"type": "human", "data": {"content": 5, "name": {}}}', f"{NOT_TAKEN}s content, name"),
        ('{"type": "ai", "data": {"content": "x", "secret": "", "additional_kwargs": 7}}', "_kwargs"),
        ('{"lc": 1, "type": "constructor", "id": ["langchain", "schema"], "kwargs": {}}', "data is missing"),
        ('{"type": "human", "data": {"content": "secret", "self": 1}}', "not take its fields as they are"),
        ('{"type": "remove", "data": {"content": ""}}', "not take its fields as they are"),
    ],
)
def test_a_record_that_langchain_cannot_read_is_told_by_its_field_and_not_quoted(
    value: str, reason: str
) -> None:
    corrupt = DECODER.decode(Record(2, 7, 0, None, value.encode()))
    assert isinstance(corrupt, Corrupt)
    assert (corrupt.partition, corrupt.offset) == (2, 7)
    assert corrupt.reason.endswith(reason)
    assert "secret" not in corrupt.reason
    assert "Error" not in corrupt.reason


def test_a_key_of_what_was_said_is_told_by_no_reason() -> None:
    """LangChain looks keys up, and its KeyError would quote one."""
    message = Message("human", {"content": "x", "secret": 1})
    for error in (KeyError("secret"), KeyError(), KeyError("secret", 1), KeyError(["secret"])):
        told = langchain_fault(message, error, json.dumps, fields_of(MESSAGE_CLASSES))
        assert told == "LangChain does not take its fields as they are"


@given(data=st.dictionaries(st.text(), JSON, max_size=4), kind=st.sampled_from(sorted(MESSAGE_TYPES)))
def test_no_json_makes_the_decoder_raise(data: dict[str, Any], kind: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decoded = DECODER.decode(Record(0, 0, 0, None, json.dumps({"type": kind, "data": data}).encode()))
    assert isinstance(decoded, BaseMessage | Corrupt)
