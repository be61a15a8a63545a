"""`kchat say`: append one message."""

import sys
from typing import Any

import click

from kchat.cli.connection import Connection, connection_options
from kchat.cli.errors import CommandError, SettingError, next_step, sentence
from kchat.cli.json_lines import print_json
from kchat.cli.options import debug_option, json_option
from kchat.cli.session_argument import session_argument
from kchat.cli.whose import check_whose
from kchat.conversation import Conversation, conversation
from kchat.conversation.escaping import printable
from kchat.core import AppendUnknown, ChatPosition, Log, Message, ReadFailed

ROLES = ("human", "ai", "system", "tool")

STDIN = "-"


@click.command()
@session_argument
@click.argument("text", metavar="TEXT")
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="human",
    show_default=True,
    help="Who says it: a type of LangChain's messages.",
)
@click.option("--tool-call-id", metavar="ID", help="The call that a message of the role tool answers.")
@click.option("--any-topic", is_flag=True, help="Into a topic, too, whose newest records are no messages.")
@connection_options
@json_option
@debug_option
def say(
    connection: Connection,
    session: str,
    text: str,
    role: str,
    tool_call_id: str | None,
    any_topic: bool,
    as_json: bool,
) -> None:
    """Append a message to a conversation.

    TEXT is read from stdin where it is -.
    It is done when all in-sync replicas have the message. A session that is not there yet begins with it.
    A topic whose newest records are no messages is somebody else's, most likely: nothing is appended to it.
    """
    message = _message(_read() if text == STDIN else text, role, tool_call_id)
    with connection.log() as log:
        if not any_topic:
            _check_whose(log, session)
        place = _appended(conversation(log, session), message)
    record = place.record
    offset = None if record is None else record.offset
    click.echo(printable(f"kchat: appended to '{session}' at offset {offset}"), err=True)
    if as_json:
        print_json({"session": session, "offset": offset, "position": str(place)})


def _read() -> str:
    try:
        text = sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise SettingError("stdin is no text in UTF-8", "convert it first") from None
    # The line break that ends every text file is not the user's.
    return text.removesuffix("\n").removesuffix("\r")


def _message(text: str, role: str, tool_call_id: str | None) -> Message:
    if not text:
        raise SettingError(
            "there is nothing to say: the text is empty", "give a TEXT, or - and text on stdin"
        )
    if (role == "tool") != (tool_call_id is not None):
        raise SettingError(
            "a message of the role tool answers a call, and no other does",
            "give --role tool and --tool-call-id together",
        )
    for name, given in (("TEXT", text), ("--tool-call-id", tool_call_id or "")):
        if any("\udc80" <= char <= "\udcff" for char in given):  # as Python has bytes that are no text
            raise SettingError(f"{name} is no text in UTF-8", "convert it first")
    more: dict[str, Any] = {} if tool_call_id is None else {"tool_call_id": tool_call_id}
    return Message(role, {"content": text, **more})


def _check_whose(log: Log, session: str) -> None:
    """Look at the topic first; where that fails, say that nothing was appended: nobody asked to read."""
    try:
        check_whose(log, session, "appends to it")
    except ReadFailed as error:
        raise CommandError(f"nothing was appended: {sentence(error)}", next_step(error)) from error


def _appended(talk: Conversation[Message], message: Message) -> ChatPosition:
    """Append it; where the answer was lost, once more with the same id: a reader drops a second copy.

    Raises:
        CommandError: it may be stored, or not.
    """
    try:
        return talk.append([message])[0]
    except AppendUnknown as unknown:
        try:
            return talk.resend(unknown)[0]
        except AppendUnknown as error:
            again = (
                f"look with kchat show {talk.session_id} -n 1 whether it is there, and say it again if not"
            )
            raise CommandError(sentence(error), again) from None
