"""Plain messages and what comes near to them: as they are stored, and as somebody may have changed them."""

import math
from collections import OrderedDict
from typing import Any

from hypothesis import strategies as st
from langchain_core.messages import BaseMessage, ToolMessage
from pydantic import BaseModel

from kchat.core import Message
from kchat.langchain.plain import CLASSES
from tests.core.json_strategies import any_text, odd_text, unstorable_scalars, values

TEXT = any_text | odd_text
CALLS = [{"id": "c", "function": {"name": "f", "arguments": "{}"}, "type": "function"}]
METADATA: st.SearchStrategy[dict[str, Any]] = st.just({}) | st.dictionaries(
    TEXT | st.sampled_from(["function_call", "id", "type", "output_version"]), values, max_size=3
)
counts = st.integers() | st.sampled_from([1 << 70, -(1 << 70)])
near_counts = counts | st.booleans() | st.sampled_from([1.0, "1", None])


def usage_of(number: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Counts of tokens, with and without the details that LangChain names."""
    inputs = dict.fromkeys(("audio", "cache_creation", "cache_read"), number)
    outputs = dict.fromkeys(("audio", "reasoning"), number)
    return st.fixed_dictionaries(
        dict.fromkeys(("input_tokens", "output_tokens", "total_tokens"), number),
        optional={
            "input_token_details": st.fixed_dictionaries({}, optional=inputs),
            "output_token_details": st.fixed_dictionaries({}, optional=outputs),
        },
    )


def calls_of(name: st.SearchStrategy[Any], args: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Tool calls, parsed."""
    return st.fixed_dictionaries(
        {"name": name, "args": args, "id": st.none() | name, "type": st.just("tool_call")}
    )


@st.composite
def changed(draw: st.DrawFn, drawn: st.SearchStrategy[dict[str, Any]]) -> dict[str, Any]:
    """One that lacks something, has something more, or has it in another order."""
    data = draw(drawn)
    match draw(st.sampled_from(["missing", "added", "moved", "inner"])):
        case "missing":
            data.pop(draw(st.sampled_from(sorted(data))))
        case "added":
            data[draw(st.sampled_from(["index", "extras", "reasoning", "audio"]) | TEXT)] = draw(values)
        case "moved":
            data = dict(draw(st.permutations(list(data.items()))))
        case _:
            for name, value in data.items():
                if isinstance(value, dict):
                    added = draw(st.sampled_from(["reasoning", "cache_read", "ephemeral"]) | TEXT)
                    moved = list({**value, added: draw(near_counts)}.items())
                    data[name] = dict(draw(st.permutations(moved)))
    return data


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


args = st.dictionaries(TEXT | st.sampled_from(["type", "name"]), values, max_size=2)
usage, tool_calls = usage_of(counts), calls_of(TEXT, args)
near_usage = usage_of(near_counts) | changed(usage_of(counts))
near_calls = calls_of(TEXT, args) | calls_of(TEXT | values, args | values) | changed(calls_of(TEXT, args))
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "tool_calls": st.just([]) | st.lists(tool_calls, max_size=2),
    "usage_metadata": st.none() | usage,
    "tool_call_id": TEXT,
    "status": st.sampled_from(["success", "error"]),
}
NEAR: dict[str, st.SearchStrategy[Any]] = {
    "content": values | st.lists(TEXT, max_size=2),
    "additional_kwargs": values | st.just({"tool_calls": CALLS}) | st.just({"tool_calls": []}),
    "response_metadata": values,
    "name": values,
    "id": values | st.integers(),
    "type": st.sampled_from(["human", "ai", "system", "tool"]),
    "tool_calls": values | st.lists(near_calls, max_size=2),
    "invalid_tool_calls": values | st.just([{"name": "f", "args": "", "id": "c", "error": None}]),
    "usage_metadata": values | near_usage,
    "tool_call_id": values,
    "artifact": values,
    "status": values | st.sampled_from(["success", "error", "", "Success"]),
    "example": st.booleans(),
}


def empty_of(made_by: type[BaseMessage]) -> dict[str, Any]:
    """The fields of an empty message."""
    required = {"tool_call_id": ""} if made_by is ToolMessage else {}
    return dict(vars(made_by(content="", **required)))


def fitting(made_by: type[BaseMessage]) -> st.SearchStrategy[dict[str, Any]]:
    """What the fields that only this class has may hold."""
    return st.fixed_dictionaries({name: FITTING[name] for name in empty_of(made_by) if name in FITTING})


@st.composite
def stored_fields(draw: st.DrawFn) -> Message:
    """Fields as they may stand in a record: those of a plain message, some with one thing changed."""
    made_by = draw(st.sampled_from(CLASSES))
    empty = empty_of(made_by)
    data: dict[str, Any] = {
        **empty,
        **draw(fitting(made_by)),
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
        **draw(fitting(made_by)),
    )
    if draw(st.booleans()):
        name = draw(st.sampled_from([*vars(message), "example"]))
        setattr(message, name, draw(odd_values | NEAR[name]))  # no assignment is validated
    return message
