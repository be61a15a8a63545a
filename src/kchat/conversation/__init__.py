"""A conversation in a log, without LangChain: append, read it in every way, follow it, edit it, end it.

`conversation(log, session_id)` makes one on any log: a `kchat.io.KafkaLog`, a `kchat.testing.FakeBroker`.
`KafkaLog.conversation` and `AsyncKafkaLog.conversation` are the same.
"""

from kchat.conversation.aio import AsyncConversation
from kchat.conversation.aio_cursor import AsyncCursor
from kchat.conversation.cursors import Edge
from kchat.conversation.making import async_conversation, conversation
from kchat.conversation.page import Ended, Entry, Page
from kchat.conversation.sync import Conversation
from kchat.conversation.sync_cursor import Cursor

__all__ = [
    "AsyncConversation",
    "AsyncCursor",
    "Conversation",
    "Cursor",
    "Edge",
    "Ended",
    "Entry",
    "Page",
    "async_conversation",
    "conversation",
]
