"""The wire format's constants (docs/adr/0003-wire-format.md). What was written stays readable."""

import re
from typing import Any

HEADER_VERSION = "kchat-v"
"""Record header: the format version, decimal ASCII. Absent: written before kchat, by langchain_community."""

HEADER_ID = "kchat-id"
"""Record header: unique for each appended message, so that a reader knows the second copy of a resent one."""

HEADER_RESENT = "kchat-resent"
"""Record header: an earlier attempt may have stored this message already. Its value means nothing."""

MESSAGE_ID = re.compile(rb"[0-9A-Za-z._:-]{1,64}")
"""What counts as a message id. Anything else under `kchat-id` is another program's, and no second copy."""

FORMAT_VERSION = 1
"""The version that this code writes, and the newest it reads."""

MESSAGE_TYPES = frozenset(
    {
        "human",
        "ai",
        "system",
        "chat",
        "function",
        "tool",
        "remove",
        "HumanMessageChunk",
        "AIMessageChunk",
        "SystemMessageChunk",
        "ChatMessageChunk",
        "FunctionMessageChunk",
        "ToolMessageChunk",
    }
)
"""The `type` of every message that LangChain's `messages_from_dict` knows; no other is read or written."""

DEPTH_MAX = 100
"""How deep lists and objects may nest in a message that is written; the message itself is depth 0."""

INT_DIGITS_MAX = 4_300
"""Python's own limit for reading an int (`sys.int_info.default_max_str_digits`)."""

RECORD_BYTES_MAX = 999_900
"""Largest record with default settings. The client's `message.max.bytes` is 1,000,000; a value of 999,900
bytes passed a default cluster and 1,000,000 did not (measured on Kafka 4.3.1)."""

REMOVE_TYPE = "remove"
"""The type of a marker: a message that says of another one that it is removed (docs/adr/0021-removals.md)."""

REMOVE_ALL = "__remove_all__"
"""The id by which LangGraph's reducer is told to drop all messages (`langgraph.graph.message`)."""


def is_removal(message: Any) -> bool:
    """Whether this is a marker: kchat's own message, or LangChain's `RemoveMessage`."""
    return getattr(message, "type", None) == REMOVE_TYPE
