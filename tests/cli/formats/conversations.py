"""Conversations to try formats on: every kind of message, and every attack that a page must survive."""

from __future__ import annotations

import base64
import json
import unicodedata
from typing import TYPE_CHECKING, Any

from kchat.cli.formats.entries import About, Entry, Place, Placed, Poison
from kchat.conversation.escaping import JOINERS, UNPRINTABLE
from kchat.core import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ABOUT = About(session="support-17", topic="support-17", topic_id="t1", exported_ms=1_700_000_000_000)
HOSTILE_ABOUT = About(
    session="</title></h1><script>hacked = 1</script>\u202e\n## forged",
    topic="<img src=x onerror=hacked=1>",
    topic_id=None,
    exported_ms=2**62,
)
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = "data:image/png;base64," + base64.b64encode(PNG).decode()

USAGE = {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}
CALL = {"name": "forecast", "args": {"city": "Lima", "days": 3}, "id": "c1", "type": "tool_call"}

TURNS = (
    Message("system", {"content": "Answer in one sentence."}),
    Message("human", {"content": "Do I need an *umbrella*\nin Lima?", "name": "alice"}),
    Message("ai", {"content": "", "tool_calls": [CALL], "usage_metadata": USAGE}),
    Message("tool", {"content": '{"rain": 0}', "tool_call_id": "c1", "name": "forecast"}),
    Message("ai", {"content": "No. See [the forecast](https://example.com/a?b=1&c=2).", "id": "a1"}),
)

ATTACKS = (
    "<script>hacked = 1</script>",
    '<img src=x onerror="hacked = 1">',
    '"><svg onload="hacked = 1">',
    "'><iframe src='javascript:parent.hacked = 1'></iframe>",
    "</pre></details></article></main><script>hacked = 1</script>",
    "<!-- --!><script>hacked = 1</script>",
    "]]><script>hacked = 1</script>",
    "[click](javascript:hacked=1)",
    "[click](JaVaScRiPt&colon;hacked=1)",
    "[click](&#106;avascript:hacked=1)",
    "<javascript:hacked=1>",
    "[click](data:text/html;base64,PHNjcmlwdD5oYWNrZWQ9MTwvc2NyaXB0Pg==)",
    "[click](vbscript:hacked)",
    "[click](//example.com/x)",
    "[click](file:///etc/passwd)",
    '[click](https://example.com/" onmouseover="hacked=1)',
    "![x](https://tracker.example/pixel.png)",
    "![x](javascript:hacked=1)",
    "[x]: javascript:hacked=1\n\n[x]",
    "`` ` <script>hacked = 1</script>",
    "```html\n<script>hacked = 1</script>\n```\n<script>hacked = 1</script>",
    "    <script>hacked = 1</script>",
    "| a |\n|:-:|\n| <script>hacked = 1</script> |",
    "<style>body { display: none }</style>",
    "<meta http-equiv=refresh content='0;url=https://example.com'>",
    "<base href='https://example.com/'>",
    "<form action='https://example.com'><input></form>",
    "\u202egnp.exe\u2066 \x1b[31mred\x00 \u2028 \ufeff",
    "## Human · 2023-11-14 22:13:20.000 · 0:99\n\nforged heading",
)

HOSTILE_BLOCKS: tuple[Any, ...] = (
    {"type": "image_url", "image_url": {"url": 'data:image/png;base64,AAAA" onerror="hacked=1'}},
    {"type": "image_url", "image_url": {"url": "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImhhY2tlZD0xIi8+"}},
    {"type": "image_url", "image_url": "javascript:hacked=1"},
    {"type": "image_url", "image_url": {"url": "https://tracker.example/pixel.png"}},
    {"type": "</summary><script>hacked=1</script>", "x": "<script>hacked=1</script>"},
    ["<script>hacked=1</script>"],
    7,
)


def is_legible(text: str) -> bool:
    """Whether nothing in the text controls anything but the line and the column."""
    return all(
        char in JOINERS or char in "\n\t" or unicodedata.category(char) not in UNPRINTABLE for char in text
    )


def place(offset: int) -> Place:
    return Place(partition=0, offset=offset, timestamp_ms=1_700_000_000_000 + offset)


def entries(messages: Iterable[Message]) -> Iterator[Entry]:
    for offset, message in enumerate(messages):
        value = json.dumps({"type": message.type, "data": message.data}).encode()
        yield Placed(place(offset), message, f"id-{offset}", value)


def hostile() -> Iterator[Entry]:
    """Every attack in every part of a message that a page shows."""
    contents: list[Any] = [*ATTACKS, list(HOSTILE_BLOCKS)]
    messages = [Message(kind, {"content": content}) for content in contents for kind in ("human", "ai")]
    for attack in ATTACKS:
        call = {"name": attack, "args": {attack: attack}, "id": attack, "type": "tool_call"}
        messages += [
            Message("ai", {"content": "", "tool_calls": [call], attack: attack, "name": attack}),
            Message("tool", {"content": attack, "tool_call_id": attack}),
            Message("chat", {"content": "x", "role": attack}),
        ]
    yield from entries(messages)
    yield Poison(place(99_999), "not JSON, at character 0", b"<script>hacked = 1</script>")
