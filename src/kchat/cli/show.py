"""`kchat show`: a conversation as a transcript."""

import sys
from collections.abc import Sequence
from datetime import datetime

import click

from kchat.cli.connection import Connection, connection_options
from kchat.cli.json_lines import entry_json, print_json
from kchat.cli.moments import moment_option
from kchat.cli.options import COUNT_MAX, debug_option, json_option
from kchat.cli.pages import print_paged
from kchat.cli.session_argument import missing_session, session_argument
from kchat.cli.transcript import printed
from kchat.conversation import Conversation, Entry, Page, conversation
from kchat.conversation.escaping import printable
from kchat.core import Message, OnCorrupt


@click.command()
@session_argument
@click.option(
    "-n", "count", type=click.IntRange(1, COUNT_MAX), metavar="N", help="The newest N messages alone."
)
@moment_option("--since", "Messages of this time or later: 2026-03-01T09:30 (UTC), or 2h, 1d ago.")
@moment_option("--until", "Messages before this time.")
@click.option(
    "--offset",
    type=click.IntRange(min=0),
    metavar="OFFSET",
    help="Messages from this offset on. With -n the first N of them.",
)
@click.option("--raw", is_flag=True, help="On a terminal, too: texts as they were written.")
@click.option("--pager/--no-pager", default=None, help="Use a pager, or none.  [default: on a terminal]")
@connection_options
@json_option
@debug_option
def show(
    connection: Connection,
    session: str,
    count: int | None,
    since: datetime | None,
    until: datetime | None,
    offset: int | None,
    raw: bool,
    pager: bool | None,
    as_json: bool,
) -> None:
    """Show a conversation as a transcript. No cursor is moved by it.

    On a terminal what a model said is shown as markdown, where markdown shows all of it; else, and in a pipe,
    texts are shown as they were written. With --json each message is a line: {"session", "partition",
    "offset", "time", "id", "position", "message": {"type", "data"}}.
    """
    with connection.log() as log:
        talk = conversation(log, session, on_corrupt=OnCorrupt.SKIP)
        page = _page(talk, count, since, until, offset)
        if page.begin is None:
            raise missing_session(session)
    entries = _wanted(page, count, offset)
    _tell_skipped(page, session)
    if not entries:
        click.echo("kchat: no messages in this range", err=True)
    if as_json:
        for entry in entries:
            print_json(entry_json(session, entry))
        return
    terminal = sys.stdout.isatty()
    print_paged((printed(entry, raw=raw, terminal=terminal) for entry in entries), wanted=pager)


def _page(
    talk: Conversation[Message],
    count: int | None,
    since: datetime | None,
    until: datetime | None,
    offset: int | None,
) -> Page[Message]:
    """What is asked for, or somewhat more."""
    if count is not None and since is None and until is None and offset is None:
        return talk.last(count)
    if since is None and until is None:
        return talk.read()
    return talk.since(since, until)


def _wanted(page: Page[Message], count: int | None, offset: int | None) -> Sequence[Entry[Message]]:
    if offset is None:
        return page.entries if count is None else page.entries[-count:]
    return [entry for entry in page if _offset(entry) >= offset][:count]


def _offset(entry: Entry[Message]) -> int:
    record = entry.position.record
    return -1 if record is None else record.offset


def _tell_skipped(page: Page[Message], session: str) -> None:
    if page.skipped:
        left_out = f"records that are no messages, and left out: {len(page.skipped)}"
        click.echo(printable(f"kchat: {left_out}; kchat verify '{session}' says which"), err=True)
