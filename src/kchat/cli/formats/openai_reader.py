"""Reads the OpenAI chat format, `{"messages": [...]}` or the list alone: LangChain makes the messages."""

import json
from collections.abc import Iterator
from typing import IO, Any

from langchain_core.messages import convert_to_messages

from kchat.cli.formats.entries import NoConversation, Source, Unusable
from kchat.cli.formats.langchain_messages import sourced
from kchat.core import DECODE_ERRORS

ROLES = frozenset({"user", "assistant", "system", "developer", "tool", "function"})


def read(file: IO[bytes]) -> Iterator[Source]:
    """The messages of the file, which is read as a whole.

    Raises:
        NoConversation: it is no JSON, or no conversation.
    """
    try:
        document = json.load(file)
    except DECODE_ERRORS:
        raise NoConversation("the file is no JSON document") from None
    messages = document.get("messages") if isinstance(document, dict) else document
    if not isinstance(messages, list):
        raise NoConversation('the file is neither {"messages": [...]} nor a list of messages')
    for number, message in enumerate(messages, start=1):
        yield _read(f"message {number}", message)


def _read(where: str, message: Any) -> Source:
    role = message.get("role") if isinstance(message, dict) else None
    if not isinstance(role, str) or role not in ROLES:  # a list, say, could not be looked up
        return Unusable(where, "its role is none of the OpenAI chat format's")
    try:
        [converted] = convert_to_messages([{"content": None, **message}])
    except (*DECODE_ERRORS, NotImplementedError):  # the latter is LangChain's, of an unknown form
        return Unusable(where, "LangChain does not take it for a message of the OpenAI chat format")
    return sourced(where, converted)
