"""The content of a message as blocks to show: texts, images, and what is neither."""

import base64
import binascii
import json
import re
from typing import Any

from attrs import field, frozen

from kchat.core import Message


@frozen
class Text:
    """A text, which may be Markdown."""

    text: str = field(repr=False)


@frozen
class Image:
    """An image: its URL, which may be of any scheme and hold anything."""

    url: str = field(repr=False)


@frozen
class Other:
    """A block of another kind, as JSON."""

    kind: str
    json: str = field(repr=False)


Block = Text | Image | Other

DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,([A-Za-z0-9+/]+={0,2})")
"""Pictures that can do nothing but be seen. SVG is none of them: it is a program."""

TEXTS = ("text", "output_text", "input_text")
"""Types of blocks that are texts: LangChain's, and those of OpenAI's responses."""

SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"RIFF")
"""How the files of those kinds begin."""


def blocks(message: Message) -> list[Block]:
    """The blocks of a message, without the tool calls, which it has in a field of their own as well."""
    content = message.data.get("content")
    called = called_ids(message)
    if isinstance(content, str):
        return [Text(content)] if content else []
    listed = content if isinstance(content, list) else [] if content is None else [content]
    return [_block(one) for one in listed if not is_call_of(one, called)]


def tool_calls(message: Message) -> list[dict[str, Any]]:
    """The tool calls of a message of a model, those that could not be parsed among them."""
    found = []
    for name in ("tool_calls", "invalid_tool_calls"):
        calls = message.data.get(name)
        found += [call for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return found


def called_name(call: dict[str, Any]) -> str:
    """What a tool call calls, as `kchat show` has it."""
    name = call.get("name")
    return name if isinstance(name, str) else "?"


def called_ids(message: Message) -> frozenset[str]:
    """The ids of the tool calls of a message; of another program's record an id may be anything."""
    ids = (call.get("id") for call in tool_calls(message))
    return frozenset(known for known in ids if isinstance(known, str))


def is_call_of(block: Any, called: frozenset[str]) -> bool:
    """Whether a block of the content is a tool call that is among these, too."""
    if not isinstance(block, dict) or block.get("type") not in ("tool_use", "tool_call"):
        return False
    known = block.get("id")
    return isinstance(known, str) and known in called


def is_safe_picture(url: str) -> bool:
    """Whether it is a picture within the URL itself, of a kind that is a picture and no program."""
    found = DATA_IMAGE.fullmatch(url)
    if found is None:
        return False
    try:
        begin = base64.b64decode(found[1][:64] if len(found[1]) > 64 else found[1], validate=True)
    except binascii.Error:
        return False
    return begin.startswith(SIGNATURES)


def pretty(value: Any) -> str:
    """A value as JSON for people. It may hold what JSON has not (NaN)."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False)
    except RecursionError:  # another program's record: kchat writes none that is so deep
        return "nested too deeply to be shown"


def _block(block: Any) -> Block:
    if isinstance(block, str):
        return Text(block)
    if not isinstance(block, dict):
        return Other("", pretty(block))
    text = block.get("text")
    if block.get("type") in TEXTS and isinstance(text, str):
        return Text(text)
    url = _image_url(block)
    if url is not None:
        return Image(url)
    kind = block.get("type")
    return Other(kind if isinstance(kind, str) else "", pretty(block))


def _image_url(block: dict[str, Any]) -> str | None:
    """The URL of an image in OpenAI's form, in LangChain's two and in Anthropic's."""
    match block:
        case {"type": "image_url" | "input_image", "image_url": {"url": str(url)}}:
            return url
        case {"type": "image_url" | "input_image", "image_url": str(url)}:
            return url
        case {"type": "image", "url": str(url)}:
            return url
        case {"type": "image", "mime_type": str(kind), "base64": str(content)}:
            return f"data:{kind};base64,{content}"
        case {"type": "image", "mime_type": str(kind), "source_type": "base64", "data": str(content)}:
            return f"data:{kind};base64,{content}"
        case {"type": "image", "source": {"type": "base64", "media_type": str(kind), "data": str(content)}}:
            return f"data:{kind};base64,{content}"
        case {"type": "image", "source": {"type": "url", "url": str(url)}}:
            return url
        case _:
            return None
