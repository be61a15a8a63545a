"""Calls of conversations and their cursors, by both faces, with arguments that work."""

from collections.abc import Callable, Iterator
from typing import Any

from kchat import conversation as conversations
from kchat.conversation import AsyncConversation, AsyncCursor, Conversation, Cursor, Edge
from kchat.core import AppendUnknown, Message, NewRecord, encode, place
from tests.conversation.faces import ended
from tests.proof.hostile_calls import APPEND_SECONDS, SHORT_SECONDS, Arguments, Call, Caller, Invoke

Talk = Conversation[Message] | AsyncConversation[Message]

CURSOR = "hostile cursor"


def conversation_calls() -> Iterator[tuple[str, Call]]:
    """How conversations are made, and every method of theirs and of their cursors."""
    for name in ("conversation", "async_conversation"):
        make = getattr(conversations, name)
        yield name, Call.of(make, _making(make), online=True)
    for kind, invoke in (
        (Conversation, _conversing),
        (AsyncConversation, _conversing),
        (Cursor, _reading_by_cursor),
        (AsyncCursor, _reading_by_cursor),
    ):
        for name in dir(kind):
            found = getattr(kind, name)
            if not name.startswith("_") and callable(found):
                twin = "a" if kind in {AsyncConversation, AsyncCursor} else ""
                yield f"{kind.__name__}.{name}", Call.of(found, invoke(name, twin), online=True)


def _making(make: Callable[..., Talk]) -> Invoke:
    def invoke(caller: Caller, changed: Arguments) -> None:
        with caller.log() as log:
            own: Arguments = {"log": log, "session_id": caller.session}
            talk = make(**(own | changed))
            ended(talk.append([_said()], APPEND_SECONDS))
            caller.took(ended(talk.read()).messages)

    return invoke


def _conversing(name: str, twin: str) -> Callable[..., None]:
    def invoke(caller: Caller, changed: Arguments) -> None:
        with caller.log() as log:
            talk = getattr(conversations, "async_conversation" if twin else "conversation")(
                log, caller.session
            )
            _took(caller, ended(getattr(talk, name)(**(_working(name, caller, talk) | changed))))

    return invoke


def _reading_by_cursor(name: str, twin: str) -> Callable[..., None]:
    def invoke(caller: Caller, changed: Arguments) -> None:
        with caller.log() as log:
            talk = getattr(conversations, "async_conversation" if twin else "conversation")(
                log, caller.session
            )
            ended(talk.append([_said()], APPEND_SECONDS))
            cursor = talk.cursor(CURSOR)
            working: dict[str, Arguments] = {"seek": {"target": Edge.BEGINNING}, "read": {"count": 1}}
            _took(caller, ended(getattr(cursor, name)(**(working.get(name, {}) | changed))))
            _took(caller, ended(cursor.read(5)))

    return invoke


def _said() -> Message:
    return Message("human", {"content": "x"})


def _working(name: str, caller: Caller, talk: Talk) -> Arguments:
    """What works, where the call has no such defaults."""
    match name:
        case "append":
            return {"messages": [_said()], "seconds_max": APPEND_SECONDS}
        case "last":
            return {"count": 2}
        case "since":
            return {"since": None}
        case "window":
            return {"tokens_max": 9, "count": len}
        case "follow":
            ended(talk.append([_said()], APPEND_SECONDS))
            return {"messages_max": 1, "seconds_max": SHORT_SECONDS, "silence_seconds_max": SHORT_SECONDS}
        case "cursor":
            return {"name": CURSOR}
        case "resend":
            placement = place(caller.session)
            record = encode(_said(), key=placement.key, message_id="id")
            records = (record,) if isinstance(record, NewRecord) else ()
            return {"error": AppendUnknown("x", records=records, topic=placement.topic)}
        case "before" | "after" | "redact":
            position = ended(talk.append([_said()], APPEND_SECONDS))[0]
            return {"position": position} | ({} if name == "redact" else {"count": 2})
        case _:
            return {}


def _took(caller: Caller, result: Any) -> None:
    """Keep what messages there are: of a page, or of a follower's entries."""
    if isinstance(result, conversations.Page):
        caller.took(result.messages)
    elif isinstance(result, list):
        caller.took([each.message for each in result if isinstance(each, conversations.Entry)])
