"""Plain messages are made and written without LangChain: what comes out is what the long way gives."""

import json
import math
import pickle
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolCall,
    ToolMessage,
    messages_from_dict,
)
from langchain_core.messages.ai import UsageMetadata

from kchat.core import MESSAGE_TYPES, Message, NewRecord, Record, Unstorable, find_unstorable
from kchat.langchain.messages import DECODER, _encode, _encode_judged
from kchat.langchain.plain import CLASSES, exactly, made_plain, stored_plain
from tests.core.json_strategies import HIGH, LOW
from tests.langchain.plain_strategies import (
    CALLS,
    TEXT,
    Text,
    empty_of,
    messages,
    stored_fields,
)


def by_langchain(message: Message) -> BaseMessage:
    text = json.dumps({"type": message.type, "data": message.data})
    return messages_from_dict([json.loads(text)])[0]


@given(stored_fields())
def test_a_plain_message_is_made_exactly_as_langchain_makes_it(stored: Message) -> None:
    own = Message(stored.type, json.loads(json.dumps(stored.data)))
    made = made_plain(own)
    if made is None:
        return
    langchains = by_langchain(stored)
    assert exactly(made) == exactly(langchains)
    assert made == langchains
    assert repr(made) == repr(langchains)
    assert exactly(made.model_copy(update={"content": "x"})) == exactly(
        langchains.model_copy(update={"content": "x"})
    )
    assert exactly(pickle.loads(pickle.dumps(made))) == exactly(langchains)
    assert vars(made).keys() == vars(langchains).keys()


COUNTS = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
USAGE = UsageMetadata(
    input_tokens=1,
    output_tokens=2,
    total_tokens=3,
    input_token_details={"audio": 0, "cache_read": 1},
    output_token_details={"reasoning": 1},
)
CALL = {"name": "f", "args": {}, "id": "c", "type": "tool_call"}
OTHER_CALLS: tuple[dict[str, Any], ...] = (
    {"name": None},
    {"args": []},
    {"id": 1},
    {"type": "call"},
    {"index": 1},
)
OTHER_DETAILS: tuple[Any, ...] = (
    *(None, [], {"audio": True}, {"ephemeral": 1.0}, {HIGH: 1}),
    {"ephemeral": 1, "audio": 1},
)
NOT_PLAIN: dict[str, tuple[Any, ...]] = {
    "content": (None, 1, ["x"], {}),
    "additional_kwargs": (None, [], {"tool_calls": CALLS}, {"tool_calls": []}),
    "response_metadata": (None, []),
    "type": ("other", "AIMessageChunk"),
    "name": (1, True, []),
    "id": (1, 1.5, []),
    "tool_calls": (
        *(None, {}, "", [None], [[]]),
        [{"name": "f", "args": {}, "id": "c"}],
        [{"args": {}, "name": "f", "id": "c", "type": "tool_call"}],
        [{"id": "c", "args": {}, "name": "f", "type": "tool_call"}],
        *([{**CALL, **other}] for other in OTHER_CALLS),
        [CALL, {**CALL, "args": None}],
    ),
    "invalid_tool_calls": ([{"name": "f", "args": "", "id": "c", "error": None}], None),
    "usage_metadata": (
        *({}, 0, [], {"input_tokens": 1, "output_tokens": 2}),
        {"total_tokens": 3, "input_tokens": 1, "output_tokens": 2},
        *({**COUNTS, "total_tokens": wrong} for wrong in (True, 3.0, "3", None)),
        *({**COUNTS, "input_token_details": wrong} for wrong in OTHER_DETAILS),
        {**COUNTS, "input_token_details": {"cache_read": 1, "audio": 1}},
        {**COUNTS, "output_token_details": {"cache_read": 1, "reasoning": 1}},
        {**COUNTS, "output_token_details": {}, "input_token_details": {}},
        {**COUNTS, "other": 1},
    ),
    "tool_call_id": (None, 1, []),
    "artifact": ("", {}, [], 0),
    "status": (None, "", "Success", 1, []),
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name in NOT_PLAIN for one in NOT_PLAIN[name]])
def test_one_other_value_makes_it_langchains(name: str, value: Any) -> None:
    for made_by in CLASSES:
        empty = empty_of(made_by)
        if name in empty:
            assert made_plain(Message(empty["type"], {**empty, name: value})) is None
            message = made_by(**empty)
            setattr(message, name, value)
            assert stored_plain(message) is None


@pytest.mark.parametrize("made_by", CLASSES)
def test_one_field_more_or_fewer_or_elsewhere_makes_it_langchains(made_by: type[BaseMessage]) -> None:
    empty = empty_of(made_by)
    for other_fields in ({**empty, "example": False}, {"content": ""}, {}):
        assert made_plain(Message(empty["type"], other_fields)) is None
    for one, other in pairwise(empty):
        names = [{one: other, other: one}.get(name, name) for name in empty]
        assert made_plain(Message(empty["type"], {name: empty[name] for name in names})) is None
    assert stored_plain(made_by(**empty, example=False)) is None


@given(st.sampled_from(CLASSES), TEXT, st.none() | TEXT)
def test_a_text_alone_is_plain(made_by: type[BaseMessage], content: str, message_id: str | None) -> None:
    message = made_by(**{**empty_of(made_by), "content": content, "id": message_id})
    assert made_plain(Message(message.type, message.model_dump())) is not None
    if find_unstorable([content, message_id]) is None:
        assert stored_plain(message) == Message(message.type, message.model_dump())


@pytest.mark.parametrize("made_by", CLASSES)
def test_what_is_made_shares_nothing_with_the_next_one(made_by: type[BaseMessage]) -> None:
    data = {**empty_of(made_by), "content": "x"}
    first, second = (made_plain(Message(data["type"], json.loads(json.dumps(data)))) for _ in range(2))
    assert first is not None
    assert second is not None
    first.additional_kwargs["a"] = 1
    first.__pydantic_fields_set__.clear()
    first.name = "other"
    setattr(first, "extra", 1)  # noqa: B010 - a field that the class does not have
    assert exactly(second) == exactly(made_by(**data))
    assert stored_plain(made_by(**data)) == Message(data["type"], data)


class Touchy:
    """It raises when it is compared."""

    def __init__(self, like: object) -> None:
        self.like = like

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __hash__(self) -> int:
        return hash(self.like)


@pytest.mark.parametrize("name", ["content", "type", "name", "id", "tool_calls", "usage_metadata", "inner"])
def test_a_foreign_value_is_left_to_the_long_way_and_never_compared(name: str) -> None:
    message = AIMessage("x")
    if name == "inner":
        message.tool_calls = [{**CALL, "type": Touchy("tool_call")}]  # type: ignore[typeddict-item]
    else:
        setattr(message, name, Touchy("ai"))
    assert stored_plain(message) is None
    assert isinstance(_encode(message, b"key", "id-1", MESSAGE_TYPES), Unstorable)


def test_a_foreign_key_is_left_to_the_long_way_and_never_compared() -> None:
    message = AIMessage("x")
    message.additional_kwargs = {Touchy("tool_calls"): 1}
    assert stored_plain(message) is None
    assert isinstance(_encode(message, b"key", "id-1", MESSAGE_TYPES), Unstorable)


@pytest.mark.parametrize(
    "wrong", [HIGH + LOW, Text("x"), 10**4300, math.nan], ids=["halves", "a subclass", "long", "NaN"]
)
def test_what_json_would_change_is_left_to_the_long_way(wrong: object) -> None:
    for name in ("content", "name", "id"):
        message = HumanMessage("x")
        setattr(message, name, wrong)
        assert stored_plain(message) is None
    for name in ("additional_kwargs", "response_metadata"):
        message = HumanMessage("x")
        setattr(message, name, {"a": [wrong]})
        assert stored_plain(message) is None


@given(messages())
def test_nothing_is_written_that_the_slow_way_would_refuse_or_write_otherwise(message: BaseMessage) -> None:
    found = stored_plain(message)
    if found is None:
        return
    judged = _encode_judged(message, b"key", "id-1", MESSAGE_TYPES)
    assert isinstance(judged, NewRecord), judged
    assert _encode(message, b"key", "id-1", MESSAGE_TYPES) == judged


@pytest.mark.parametrize("made_by", CLASSES)
@pytest.mark.parametrize(
    "metadata", [{}, {"finish_reason": "stop", "logprobs": None, "usage": {"n": [1, 2.5, True]}}]
)
def test_the_usual_ones_take_the_short_way(
    made_by: type[BaseMessage], metadata: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = made_by(**{**empty_of(made_by), "content": "hello", "response_metadata": metadata})
    judged = _encode_judged(message, b"key", "id-1", MESSAGE_TYPES)
    monkeypatch.setattr("kchat.langchain.messages._encode_judged", None)
    assert _encode(message, b"key", "id-1", MESSAGE_TYPES) == judged


@pytest.mark.parametrize(
    "message",
    [
        AIMessage("hello", usage_metadata=USAGE),
        AIMessage("hello", usage_metadata={**COUNTS, "input_token_details": {"ephemeral": 0, "audio": 0}}),
        AIMessage("", tool_calls=[{"name": "f", "args": {"a": [1]}, "id": "c"}], usage_metadata=USAGE),
        AIMessage(
            "", tool_calls=[{"name": "f", "args": {}, "id": "c"}], additional_kwargs={"tool_calls": CALLS}
        ),
        ToolMessage("42", tool_call_id="c", name="f", status="error"),
    ],
    ids=["usage", "a provider's own counts", "tool calls", "raw tool calls, too", "a tool's answer"],
)
def test_what_models_and_tools_give_takes_the_short_ways(
    message: BaseMessage, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = _encode_judged(message, b"key", "id-1", MESSAGE_TYPES)
    assert isinstance(judged, NewRecord)
    monkeypatch.setattr("kchat.langchain.messages._encode_judged", None)
    monkeypatch.setattr("kchat.langchain.messages.made", None)
    assert _encode(message, b"key", "id-1", MESSAGE_TYPES) == judged
    assert DECODER.decode(Record(0, 0, 0, judged.key, judged.value, judged.headers)) == message


def test_a_type_that_is_not_allowed_is_refused_on_the_short_way_too() -> None:
    refused = _encode(HumanMessage("x"), b"key", "id-1", frozenset({"ai"}))
    assert refused == Unstorable(".type", "type 'human' is not among the allowed types")


@pytest.mark.parametrize(
    ("name", "dumped", "meanwhile"),
    [
        ("response_metadata", {"a": (1,)}, {"a": (1,)}),
        ("response_metadata", {"a": [2]}, {"a": [1]}),
        ("additional_kwargs", {"tool_calls": CALLS}, {"tool_calls": CALLS}),
    ],
    ids=["into what JSON changes", "after it was dumped", "into what LangChain parses"],
)
def test_what_another_thread_changes_between_two_steps_is_judged_the_slow_way(
    name: str, dumped: dict[str, Any], meanwhile: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = AIMessage("x", response_metadata={"a": [1]}, additional_kwargs={"a": 1})

    def dump(_: AIMessage) -> dict[str, Any]:
        held = getattr(message, name)
        held.clear()
        held.update(meanwhile)
        return {**vars(message), name: dumped}

    monkeypatch.setattr(AIMessage, "model_dump", dump)
    assert stored_plain(message) is None


def test_what_changes_while_it_is_written_is_not_in_the_record() -> None:
    message, empty = HumanMessage("x", response_metadata={"a": [1]}), AIMessage("x")
    found, bare = stored_plain(message), stored_plain(empty)
    assert found is not None
    assert bare is not None
    message.response_metadata["a"].append((1, 2))
    empty.response_metadata["a"] = (1, 2)
    empty.tool_calls.append(ToolCall(name="f", args={}, id=None))
    assert found.data["response_metadata"] == {"a": [1]}
    assert bare.data["response_metadata"] == {}
    assert bare.data["tool_calls"] == []
