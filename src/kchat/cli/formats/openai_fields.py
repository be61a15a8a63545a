"""Which fields of a message the OpenAI chat format has no place for."""

from collections.abc import Iterator
from typing import Any

from kchat.core import Message

CARRIED = frozenset({"type", "content", "name", "tool_calls", "tool_call_id", "role"})
KNOWN = frozenset(
    {
        "additional_kwargs",
        "artifact",
        "chunk_position",
        "example",
        "id",
        "invalid_tool_calls",
        "response_metadata",
        "status",
        "tool_call_chunks",
        "usage_metadata",
    }
)
"""LangChain's names: any other may be content, and is not named."""

OTHER = "other fields"
DEFAULTS: dict[str, Any] = {"status": "success", "example": False}

_KEPT_KWARGS = frozenset({"refusal", "__openai_role__"})
_BLOCK_FIELDS = {"text": {"type", "text"}, "image_url": {"type", "image_url"}}


def left_out(message: Message) -> Iterator[str]:
    """What of a message is not carried, in words."""
    if message.type.endswith("Chunk"):
        yield "that it is a chunk"
    for name, value in message.data.items():
        if name not in CARRIED and _is_lost(message, name, value):
            yield name if name in KNOWN else OTHER
    if any(map(_loses_fields, _blocks(message))):
        yield "fields of content blocks"


def _is_lost(message: Message, name: str, value: Any) -> bool:
    if value in (None, "", [], {}) or value == DEFAULTS.get(name):
        return False
    if name == "additional_kwargs" and isinstance(value, dict):
        return any(key not in _KEPT_KWARGS for key in value)
    return not (name == "tool_call_chunks" and message.data.get("tool_calls"))


def _blocks(message: Message) -> list[Any]:
    content = message.data.get("content")
    return content if isinstance(content, list) else []


def _loses_fields(block: Any) -> bool:
    kept = _BLOCK_FIELDS.get(str(block.get("type"))) if isinstance(block, dict) else None
    return kept is not None and not set(block) <= kept
