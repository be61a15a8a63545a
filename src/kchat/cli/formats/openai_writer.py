"""The OpenAI chat format: `{"messages": [{"role": ..., "content": ...}, ...]}`.

LangChain's own `convert_to_openai_messages` makes the messages, with tool calls, their results and images.
What it leaves out is reported.
"""

import json
from collections.abc import Iterable
from typing import IO, Any, Literal

from langchain_core.messages import BaseMessage, convert_to_openai_messages

from kchat.cli.formats.entries import About, Entry, Placed, Poison
from kchat.cli.formats.losses import Losses
from kchat.cli.formats.openai_fields import left_out
from kchat.core import DECODE_ERRORS
from kchat.langchain.chunks import made

_JSON = json.JSONEncoder(ensure_ascii=True, allow_nan=False)

CONTENT_KEPT_AS_TEXT = "content other than its text"


def write(about: About, entries: Iterable[Entry], out: IO[str], losses: Losses) -> None:  # noqa: ARG001
    """Write the file: one message a line, within one JSON document."""
    out.write('{"messages": [')
    separator = "\n"
    for entry in entries:
        for message in _messages(entry, losses):
            out.write(separator + message.replace("\x7f", "\\u007f"))
            separator = ",\n"
    out.write("\n]}\n")


def _messages(entry: Entry, losses: Losses) -> list[str]:
    if isinstance(entry, Poison):
        losses.whole("it is no message", f"{entry.place}, {entry.reason}")
        return []
    try:
        message = made(entry.message)
    except DECODE_ERRORS:
        losses.whole("LangChain does not take it for a message", entry.place)
        return []
    for what in left_out(entry.message):
        losses.part(what, entry.place)
    return _converted(entry, message, losses)


def _converted(entry: Placed, message: BaseMessage, losses: Losses) -> list[str]:
    # A list of blocks stays one: as one string they would be joined by line breaks that nobody wrote.
    text_format: Literal["string", "block"] = "string" if isinstance(message.content, str) else "block"
    try:
        converted = convert_to_openai_messages([message], text_format=text_format)
        return [_JSON.encode(one) for one in converted]
    except DECODE_ERRORS:
        losses.part(CONTENT_KEPT_AS_TEXT, entry.place)
        return [_JSON.encode(_text_only(entry, message))]


def _text_only(entry: Placed, message: BaseMessage) -> dict[str, Any]:
    roles = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant", "HumanMessageChunk": "user"}
    only: dict[str, Any] = {"role": roles.get(message.type, "system"), "content": entry.message.text}
    if isinstance(tool_call_id := entry.message.data.get("tool_call_id"), str):
        only |= {"role": "tool", "tool_call_id": tool_call_id}
    return only
