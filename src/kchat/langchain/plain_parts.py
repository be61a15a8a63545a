"""The parts of a plain message, in the form in which LangChain's validation leaves them as they are.

LangChain fills in the `type` of a tool call, makes ints of other numbers and texts, and puts the fields of
both into an order of its own. What is in that form already is left alone (docs/adr/0027-plain-messages.md).
"""

from typing import Any

from langchain_core.messages.ai import InputTokenDetails, OutputTokenDetails

DETAILS = {
    "input_token_details": tuple(InputTokenDetails.__annotations__),
    "output_token_details": tuple(OutputTokenDetails.__annotations__),
}
"""What LangChain names there. It keeps a provider's own counts, too, behind these."""

_CALL = ("name", "args", "id", "type")
_COUNTS = ("input_tokens", "output_tokens", "total_tokens")
_USAGE = frozenset(
    {_COUNTS, (*_COUNTS, "input_token_details"), (*_COUNTS, "output_token_details"), (*_COUNTS, *DETAILS)}
)


def is_text(value: Any) -> bool:
    """Whether this is a text."""
    return type(value) is str


def is_status(value: Any) -> bool:
    """Whether this says how a tool's call ended."""
    return type(value) is str and value in ("success", "error")


def is_usage(value: Any) -> bool:
    """Whether these are a model's counts of tokens, or None."""
    if value is None:
        return True
    if type(value) is not dict or tuple(value) not in _USAGE:
        return False
    return all(
        _are_details(count, DETAILS[name]) if name in DETAILS else type(count) is int
        for name, count in value.items()
    )


def _are_details(value: Any, named: tuple[str, ...]) -> bool:
    if type(value) is not dict or any(type(count) is not int for count in value.values()):
        return False
    # LangChain takes no name with half a character.
    if not all(map(str.isascii, value)):
        return False
    places = [named.index(name) if name in named else len(named) for name in value]
    return places == sorted(places)


def are_tool_calls(value: Any) -> bool:
    """Whether these are tool calls, parsed."""
    return type(value) is list and all(map(_is_tool_call, value))


def _is_tool_call(value: Any) -> bool:
    if type(value) is not dict or tuple(value) != _CALL:
        return False
    name, args, call_id, kind = value.values()
    return (
        type(name) is str
        and type(args) is dict
        and (call_id is None or type(call_id) is str)
        and kind == "tool_call"
    )
