"""Message chunks whose tool calls LangChain would parse for minutes.

`AIMessageChunk` completes the arguments of each tool call chunk by trying again with one character less: the
time grows with the square of their length, 0.5 s for 8,000 characters (measured on langchain-core 1.6), so an
hour or more for a record of 900 KB. Whoever may write to a topic could stop its readers with one record.
"""

import json
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage, messages_from_dict
from langchain_core.messages.tool import ToolCallChunk
from pydantic import TypeAdapter

from kchat.core import Message

TRIED_CHARACTERS_MAX = 500
"""Incomplete arguments up to this length are left to LangChain: at most 4 ms."""

_CHUNKS = TypeAdapter(list[ToolCallChunk])


def made(message: Message) -> BaseMessage:
    """LangChain's message; tool calls that would take long to parse again are taken as they were stored."""
    chunks = message.data.get("tool_call_chunks")
    if message.type != "AIMessageChunk" or not isinstance(chunks, list) or not _take_long(chunks):
        return messages_from_dict([{"type": message.type, "data": message.data}])[0]
    unparsed = {"type": message.type, "data": {**message.data, "tool_call_chunks": []}}
    [chunk] = messages_from_dict([unparsed])
    if not isinstance(chunk, AIMessageChunk):
        raise AssertionError(type(chunk))
    chunk.tool_call_chunks = _CHUNKS.validate_python(chunks)
    return chunk


def _take_long(chunks: list[Any]) -> bool:
    arguments = (chunk.get("args") for chunk in chunks if isinstance(chunk, dict))
    tried = (len(text) for text in arguments if isinstance(text, str) and not _is_parsed_at_once(text))
    return sum(tried) > TRIED_CHARACTERS_MAX


def _is_parsed_at_once(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except json.JSONDecodeError:
        return False
    except (ValueError, RecursionError):  # LangChain gives up here, too
        return True
    return True
