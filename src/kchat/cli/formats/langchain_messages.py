"""Messages of LangChain's classes as messages to import."""

from langchain_core.messages import BaseMessage

from kchat.cli.formats.entries import Source, Sourced, Unusable
from kchat.core import Corrupt, JsonDecoder, Record, Unstorable
from kchat.langchain.messages import encoder

_encode = encoder(b"", lambda: "0")


def sourced(where: str, message: BaseMessage) -> Source:
    """The message as it would be stored, or why it would not read back equal."""
    record = _encode(message)
    if isinstance(record, Unstorable):
        return Unusable(where + record.path, record.reason)
    neutral = JsonDecoder().decode(Record(0, 0, 0, None, record.value))
    return Unusable(where, neutral.reason) if isinstance(neutral, Corrupt) else Sourced(where, neutral)
