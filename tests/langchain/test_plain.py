"""Plain messages are made and written without LangChain: what comes out is what the long way gives."""

import json
import math
import pickle
from collections import OrderedDict
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    messages_from_dict,
)
from pydantic import BaseModel, Field

from kchat.core import MESSAGE_TYPES, Message, NewRecord, Unstorable, find_unstorable
from kchat.langchain import plain
from kchat.langchain.messages import _encode, _encode_judged
from kchat.langchain.plain import PROBES, Shape, exactly, made_plain, stored_plain
from tests.core.json_strategies import HIGH, LOW, any_text, odd_text, unstorable_scalars, values

CLASSES = (HumanMessage, AIMessage, SystemMessage)
TEXT = any_text | odd_text
CALLS = [{"id": "c", "function": {"name": "f", "arguments": "{}"}, "type": "function"}]
METADATA: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(
    TEXT | st.sampled_from(["function_call", "id", "type", "output_version"]), values, max_size=3
)
NEAR: dict[str, st.SearchStrategy[Any]] = {
    "content": values | st.lists(TEXT, max_size=2),
    "additional_kwargs": values | st.just({"tool_calls": CALLS}) | st.just({"tool_calls": []}),
    "response_metadata": values,
    "name": values,
    "id": values | st.integers(),
    "type": st.sampled_from(["human", "ai", "system", "tool"]),
    "tool_calls": values | st.just([{"name": "f", "args": {}, "id": "c"}]),
    "invalid_tool_calls": values,
    "usage_metadata": values | st.just({"input_tokens": 1, "output_tokens": 2.0, "total_tokens": 3}),
    "example": st.booleans(),
}


@st.composite
def stored_fields(draw: st.DrawFn) -> Message:
    """Fields as they may stand in a record: those of a plain message, some with one thing changed."""
    empty = vars(draw(st.sampled_from(CLASSES))(content=""))
    data: dict[str, Any] = {
        **empty,
        "content": draw(TEXT),
        "additional_kwargs": draw(METADATA),
        "response_metadata": draw(METADATA),
        "name": draw(st.none() | TEXT),
        "id": draw(st.none() | TEXT),
    }
    match draw(st.sampled_from(["plain", "other value", "other value", "missing", "added", "moved"])):
        case "other value":
            name = draw(st.sampled_from(sorted(empty)))
            data[name] = draw(NEAR[name])
        case "missing":
            data.pop(draw(st.sampled_from(sorted(empty))))
        case "added":
            name = draw(st.sampled_from(sorted(NEAR)))
            data[name] = draw(NEAR[name])
        case "moved":
            data = dict(draw(st.permutations(list(data.items()))))
        case _:
            pass
    return Message(empty["type"], data)


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


NOT_PLAIN: dict[str, tuple[Any, ...]] = {
    "content": (None, 1, ["x"], {}),
    "additional_kwargs": (None, [], {"tool_calls": CALLS}, {"tool_calls": []}),
    "response_metadata": (None, []),
    "type": ("tool", "AIMessageChunk"),
    "name": (1, True, []),
    "id": (1, 1.5, []),
    "tool_calls": ([{"name": "f", "args": {}, "id": "c"}], None, {}, ""),
    "invalid_tool_calls": ([{"name": "f", "args": "", "id": "c", "error": None}], None),
    "usage_metadata": ({}, {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}, 0),
}


@pytest.mark.parametrize(("name", "value"), [(name, one) for name in NOT_PLAIN for one in NOT_PLAIN[name]])
def test_one_other_value_makes_it_langchains(name: str, value: Any) -> None:
    for made_by in CLASSES:
        empty = vars(made_by(content=""))
        if name in empty:
            changed = {**empty, name: value}
            assert made_plain(Message(empty["type"], changed)) is None
            message = made_by(content="")
            setattr(message, name, value)
            assert stored_plain(message) is None


@pytest.mark.parametrize("made_by", CLASSES)
def test_one_field_more_or_fewer_or_elsewhere_makes_it_langchains(made_by: type[BaseMessage]) -> None:
    empty = vars(made_by(content=""))
    for changed in ({**empty, "example": False}, {"content": ""}, {}):
        assert made_plain(Message(empty["type"], changed)) is None
    for one, other in pairwise(empty):
        names = [{one: other, other: one}.get(name, name) for name in empty]
        assert made_plain(Message(empty["type"], {name: empty[name] for name in names})) is None
    assert stored_plain(made_by(content="", example=False)) is None


@given(st.sampled_from(CLASSES), TEXT, st.none() | TEXT)
def test_a_text_alone_is_plain(made_by: type[BaseMessage], content: str, message_id: str | None) -> None:
    message = made_by(content=content, id=message_id)
    assert made_plain(Message(message.type, message.model_dump())) is not None
    if find_unstorable([content, message_id]) is None:
        assert stored_plain(message) == Message(message.type, message.model_dump())


@pytest.mark.parametrize("made_by", CLASSES)
def test_what_is_made_shares_nothing_with_the_next_one(made_by: type[BaseMessage]) -> None:
    data = vars(made_by(content="x"))
    first, second = (made_plain(Message(data["type"], json.loads(json.dumps(data)))) for _ in range(2))
    assert first is not None
    assert second is not None
    first.additional_kwargs["a"] = 1
    first.__pydantic_fields_set__.clear()
    first.name = "other"
    setattr(first, "extra", 1)  # noqa: B010 - a field that the class does not have
    assert exactly(second) == exactly(made_by(**data))
    assert stored_plain(made_by(content="x")) == Message(data["type"], data)


class Sneaky(str):
    """Equal to what it is not."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


class Pretending(BaseModel):
    a: int = 1

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]  # what a class with such an __eq__ has


class Text(str):
    """A subclass that is as good as a str."""


odd_values = (
    values
    | unstorable_scalars
    | st.builds(Sneaky, st.text())
    | st.builds(Text, st.text())
    | st.builds(Pretending)
    | st.just((1, 2))
    | st.just(OrderedDict(a=1))
    | st.sampled_from([math.nan, math.inf, b"x", {1}, {5: 1}, {Sneaky("a"): 1}, 10**4300])
    | st.dictionaries(TEXT, st.lists(values | unstorable_scalars, max_size=2), max_size=2)
)


@st.composite
def messages(draw: st.DrawFn) -> BaseMessage:
    """Messages of the classes that may be plain, into which somebody may have put whatever he liked."""
    made_by = draw(st.sampled_from(CLASSES))
    message: BaseMessage = made_by(
        content=draw(TEXT),
        id=draw(st.none() | TEXT),
        additional_kwargs=draw(METADATA),
        response_metadata=draw(METADATA),
    )
    if draw(st.booleans()):
        name = draw(st.sampled_from([*vars(message), "example"]))
        setattr(message, name, draw(odd_values | NEAR[name]))  # no assignment is validated
    return message


class Touchy:
    """It raises when it is compared."""

    def __init__(self, like: object) -> None:
        self.like = like

    def __eq__(self, other: object) -> bool:
        raise AssertionError("compared")

    def __hash__(self) -> int:
        return hash(self.like)


@pytest.mark.parametrize("name", ["content", "type", "name", "id", "tool_calls", "usage_metadata"])
def test_a_foreign_value_is_left_to_the_long_way_and_never_compared(name: str) -> None:
    message = AIMessage("x")
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
    message = made_by(content="hello", response_metadata=metadata)
    judged = _encode_judged(message, b"key", "id-1", MESSAGE_TYPES)
    monkeypatch.setattr("kchat.langchain.messages._encode_judged", None)
    assert _encode(message, b"key", "id-1", MESSAGE_TYPES) == judged


def test_a_type_that_is_not_allowed_is_refused_on_the_short_way_too() -> None:
    refused = _encode(HumanMessage("x"), b"key", "id-1", frozenset({"ai"}))
    assert refused == Unstorable(".type", "type 'human' is not among the allowed types")


@pytest.mark.parametrize("changes_both", [True, False])
def test_what_another_thread_changes_between_two_steps_is_judged_the_slow_way(
    changes_both: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = HumanMessage("x", response_metadata={"a": [1]})

    def dump(_: HumanMessage) -> dict[str, Any]:
        dumped = {**vars(message), "response_metadata": {"a": (1,) if changes_both else [2]}}
        if changes_both:
            message.response_metadata["a"] = (1,)
        return dumped

    monkeypatch.setattr(HumanMessage, "model_dump", dump)
    assert stored_plain(message) is None


def test_what_changes_while_it_is_written_is_not_in_the_record() -> None:
    message = HumanMessage("x", response_metadata={"a": [1]})
    found, bare = stored_plain(message), stored_plain(HumanMessage("x"))
    assert found is not None
    assert bare is not None
    message.response_metadata["a"].append((1, 2))
    assert found.data["response_metadata"] == {"a": [1]}
    assert bare.data["response_metadata"] is not HumanMessage("x").response_metadata


@pytest.mark.parametrize("made_by", CLASSES)
def test_every_plain_class_is_known_to_be_made_so_here(made_by: type[BaseMessage]) -> None:
    assert Shape.of(made_by).holds()
    assert made_by in plain._BY_CLASS


class Stripping(HumanMessage):
    """A LangChain that strips texts."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content.strip(), **more)


class Counting(HumanMessage):
    """A LangChain that fills in a field."""

    tokens: int = 0

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **(more | {"tokens": len(content)}))


class Filled(HumanMessage):
    """A LangChain with a private field, that each message has."""

    _seen: bool = False


class Reading(HumanMessage):
    """A LangChain that reads the metadata."""

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        self.name = self.response_metadata.get("type", self.name)


class Reordered(HumanMessage):
    """A LangChain whose fields have another order."""

    content: Any = Field(default="")
    added: int = 0

    def __init__(self, content: Any = None, **more: Any) -> None:
        super().__init__(content=content, **more)
        fields = vars(self)
        fields["content"] = fields.pop("content")


@pytest.mark.parametrize("made_by", [Stripping, Counting, Filled, Reading, Reordered])
def test_a_langchain_that_makes_them_otherwise_makes_them_itself(made_by: type[BaseMessage]) -> None:
    assert not Shape.of(made_by).holds()


def test_the_probes_are_plain() -> None:
    shape = Shape.of(HumanMessage)
    assert all(shape.fits({**shape.empty, **probe}) for probe in PROBES)
