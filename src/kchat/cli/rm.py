"""`kchat rm`: clear a session."""

import sys

import click

from kchat.cli.connection import Connection, connection_options
from kchat.cli.errors import CommandError, SettingError
from kchat.cli.json_lines import print_json
from kchat.cli.options import debug_option, json_option
from kchat.cli.session_argument import missing_session, session_argument
from kchat.cli.whose import check_whose
from kchat.conversation import conversation
from kchat.conversation.escaping import printable
from kchat.core import OnCorrupt


def can_ask() -> bool:
    """Whether somebody is there to answer."""
    return sys.stdin.isatty()


@click.command()
@session_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-topic", is_flag=True, help="Delete the messages, and keep the topic and its settings.")
@click.option("--any-topic", is_flag=True, help="A topic, too, whose newest records are no messages.")
@connection_options
@json_option
@debug_option
def rm(
    connection: Connection, session: str, yes: bool, keep_topic: bool, any_topic: bool, as_json: bool
) -> None:
    """Delete a conversation for good: its topic, and all that is in it.

    Any topic's name may be a session id. One that kchat ls leaves out, since its newest records are no
    messages, is somebody else's, most likely: it is deleted with --any-topic alone.
    """
    if not yes and not can_ask():
        raise SettingError(
            "nobody can be asked here: stdin is no terminal", "give --yes to delete it unasked"
        )
    with connection.log() as log:
        talk = conversation(log, session, on_corrupt=OnCorrupt.SKIP)
        if talk.last(1).end is None:
            raise missing_session(session)
        if not any_topic:
            check_whose(log, session, "deletes it")
        if not yes:
            what = "all messages of" if keep_topic else "the topic of"
            question = printable(f"Delete {what} session '{session}' (topic {talk.topic}) for good?")
            if not click.confirm(question, err=True):
                raise CommandError(f"session '{session}' is left as it is: the answer was no", "")
        talk.clear(keep_topic=keep_topic)
    done = f"is emptied; topic {talk.topic} stays" if keep_topic else "is deleted"
    click.echo(printable(f"kchat: session '{session}' {done}"), err=True)
    if as_json:
        print_json({"session": session, "topic": talk.topic, "kept_topic": keep_topic})
