"""What a message says, part by part, whatever is in it: prose, tool calls, and what no terminal can show."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from attrs import frozen

from kchat.cli.formats.content import TEXTS, called_ids, is_call_of, tool_calls
from kchat.core import Message
from kchat.core.wire import is_removal

ARGUMENTS_MAX = 2_000
"""Characters shown of the arguments of one tool call."""

_PLACEHOLDERS = ("image", "audio", "video", "file", "document", "media")


@frozen
class Prose:
    """Text, in markdown maybe."""

    text: str


@frozen
class ToolCall:
    """A call that a model asks for."""

    name: str
    arguments: str


@frozen
class Placeholder:
    """What stands where an image or the like is."""

    label: str


Part = Prose | ToolCall | Placeholder


def message_parts(message: Message) -> tuple[Part, ...]:
    """The parts of a message in their order, and last its tool calls, also those that could not be parsed."""
    if is_removal(message):
        return (Placeholder("removes an earlier message"),)
    said = _content_parts(message.data.get("content"), called_ids(message))
    parts = [*said, *(_call(call, call.get("args")) for call in tool_calls(message))]
    return tuple(part for part in parts if not (isinstance(part, Prose) and not part.text))


def _content_parts(content: Any, called: frozenset[str]) -> Iterator[Part]:
    match content:
        case str():
            yield Prose(content)
        case list():
            for block in content:
                if not (is_call_of(block, called) or (called and _is_piece_of_call(block))):
                    yield _block_part(block)
        case None:
            pass
        case _:
            yield Placeholder("content that is no text; --json shows it")


def _is_piece_of_call(block: Any) -> bool:
    """Whether it came while a model streamed a call: the whole of it is among the tool calls."""
    return isinstance(block, dict) and block.get("type") in ("input_json_delta", "tool_call_chunk")


def _block_part(block: Any) -> Part:
    match block:
        case str():
            return Prose(block)
        case {"type": str() as kind, "text": str() as text} if kind in TEXTS:
            return Prose(text)
        case {"type": "refusal", "refusal": str() as text}:
            return Prose(text)
        case {"type": "tool_use" | "tool_call"}:
            return _call(block, block.get("input", block.get("args")))
        case {"type": ("reasoning" | "thinking") as kind}:
            thought = block.get("reasoning", block.get("thinking"))
            return Placeholder(f"{kind}, {len(thought):,} characters" if isinstance(thought, str) else kind)
        case {"type": str() as kind}:
            return Placeholder(_placeholder(kind, block))
        case _:
            return Placeholder("a content block of unknown type")


def _placeholder(kind: str, block: Mapping[str, Any]) -> str:
    """The kind, and where it is or how large it is."""
    kind = next((name for name in _PLACEHOLDERS if name in kind), kind[:40])
    sources = [block, *(value for value in block.values() if isinstance(value, Mapping))]
    media = next((s[name] for s in sources for name in ("mime_type", "media_type") if _told(s.get(name))), "")
    url = next((s["url"] for s in sources if _told(s.get("url"))), "")
    if not url and _told(block.get("image_url")):
        url = block["image_url"]
    inline = next((s[name] for s in sources for name in ("data", "base64") if _told(s.get(name))), "")
    if url.startswith("data:"):
        head, _, inline = url.partition(",")
        media, url = media or head.removeprefix("data:").partition(";")[0], ""
    size = f"about {len(inline) * 3 // 4:,} bytes" if inline else ""
    return ", ".join(part for part in (kind, media[:60], url[:200], size) if part)


def _told(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _call(call: Mapping[str, Any], arguments: Any) -> ToolCall:
    name = call.get("name")
    return ToolCall(name if isinstance(name, str) else "?", _arguments(arguments))


def _arguments(arguments: Any) -> str:
    if isinstance(arguments, Mapping):
        pairs = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in arguments.items())
        shown = ", ".join(pairs)
    else:
        shown = "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
    return shown if len(shown) <= ARGUMENTS_MAX else f"{shown[:ARGUMENTS_MAX]}..."
