"""What a transcript shows of a message beside its content, and what it leaves out."""

from collections.abc import Iterator
from typing import Any

from kchat.core import Message

LABELS = {
    "human": "Human",
    "ai": "AI",
    "system": "System",
    "tool": "Tool",
    "function": "Function",
    "chat": "Chat",
    "remove": "Removal",
}

FOLDED = frozenset({"tool", "function"})
"""What these say is for a model, and no Markdown."""

KNOWN = frozenset(
    {
        "additional_kwargs",
        "artifact",
        "chunk_position",
        "example",
        "id",
        "response_metadata",
        "status",
        "tool_call_chunks",
        "usage_metadata",
    }
)
"""LangChain's names: any other may be content, and is not named in a report."""

_SHOWN = frozenset({"type", "content", "name", "role", "tool_calls", "invalid_tool_calls", "tool_call_id"})
_DEFAULTS: dict[str, Any] = {"status": "success", "example": False}


def kind(message: Message) -> str:
    """The kind of a message, one of `LABELS`: a chunk is shown as what it is a chunk of."""
    return message.type.removesuffix("MessageChunk").lower() if message.type not in LABELS else message.type


def label(message: Message) -> str:
    """Who speaks."""
    role, name = message.data.get("role"), message.data.get("name")
    who = role if kind(message) == "chat" and isinstance(role, str) and role else LABELS[kind(message)]
    return f"{who} · {name}" if isinstance(name, str) and name else who


def rest(message: Message) -> dict[str, Any]:
    """The fields that the content, the label and the tool calls do not show, but for empty ones."""
    return {
        name: value
        for name, value in message.data.items()
        if name not in _SHOWN and value not in (None, "", [], {}) and value != _DEFAULTS.get(name)
    }


def left_out(message: Message) -> Iterator[str]:
    """The same by names that a report may show."""
    for name in rest(message):
        yield name if name in KNOWN else "other fields"
