"""Messages with one field exchanged, or something deep inside: stored, and read back equal."""

from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage, ChatMessage, HumanMessage, ToolMessage

from tests.proof.hostile_calls import Arguments, Call, Caller

STORE_SECONDS = 3.0
FIELDS = ("content", "name", "id", "type", "additional_kwargs", "response_metadata", "unheard_of")

PLACES: dict[str, Callable[[Any], BaseMessage]] = {
    "key": lambda value: HumanMessage("x", additional_kwargs={value: 1}),
    "value": lambda value: HumanMessage("x", additional_kwargs={"deep": [{"value": value}]}),
    "metadata": lambda value: AIMessage("x", response_metadata={"value": value}),
    "block": lambda value: HumanMessage([{"type": "text", "text": value}]),
    "call_name": lambda value: AIMessage("", tool_calls=[{"name": value, "args": {}, "id": "1"}]),
    "call_args": lambda value: AIMessage("", tool_calls=[{"name": "f", "args": {"a": value}, "id": "1"}]),
    "call_id": lambda value: ToolMessage("x", tool_call_id=value),
    "artifact": lambda value: ToolMessage("x", tool_call_id="1", artifact=value),
    "role": lambda value: ChatMessage(content="x", role=value),
}


def message_calls() -> Iterator[tuple[str, Call]]:
    """The fields as LangChain checks them, the fields unchecked, and the places inside."""
    yield "message", Call(FIELDS, _checked, online=True)
    yield "message, unchecked", Call(FIELDS, _unchecked, online=True)
    yield "inside a message", Call(tuple(PLACES), _inside, {"role": "x"}, online=True)


def _checked(caller: Caller, changed: Arguments) -> None:
    content: Arguments = {"content": "x"}
    _store(HumanMessage(**(content | changed)), caller)


def _unchecked(caller: Caller, changed: Arguments) -> None:
    """LangChain's models check nothing once they are built."""
    message = HumanMessage("x")
    vars(message).update(changed)
    _store(message, caller)


def _inside(caller: Caller, changed: Arguments) -> None:
    [(place, value)] = changed.items()
    _store(PLACES[place](value), caller)


def _store(message: BaseMessage, caller: Caller) -> None:
    with caller.history(replay=True) as history:
        history.add_messages([message], STORE_SECONDS)
        [found] = history.messages
        caller.took(found)
        if found != message:
            raise AssertionError("a message was not read back equal")
