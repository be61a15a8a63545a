"""`kchat tail`: the newest messages of one or many sessions, and those that come."""

import asyncio
import errno
import os
import select
import sys
from collections.abc import Sequence
from typing import cast

import click
from attrs import field, frozen
from rich.text import Text

from kchat.cli.connection import Connection, connection_options
from kchat.cli.json_lines import entry_json, print_json
from kchat.cli.options import COUNT_MAX, debug_option, json_option
from kchat.cli.session_argument import missing_session, sessions_argument
from kchat.cli.telling import TellingLog
from kchat.cli.transcript import printed
from kchat.conversation import AsyncConversation, Entry, async_conversation
from kchat.conversation.escaping import printable
from kchat.core import ChatPosition, Corrupt, Log, Message, OnCorrupt, PositionGone

LOOK_SECONDS = 1.0
"""How often it is looked whether somebody reads stdout."""

COLORS = ("cyan", "magenta", "green", "yellow", "blue", "red")
"""Of the sessions, in turn."""


@frozen(kw_only=True)
class Printer:
    """Prints messages of these sessions; of several, each with its session's name in a colour of its own."""

    sessions: tuple[str, ...] = field(kw_only=False)
    raw: bool
    as_json: bool

    def print(self, session: str, entry: Entry[Message]) -> None:
        """Print one message."""
        if self.as_json:
            print_json(entry_json(session, entry))
            return
        terminal = sys.stdout.isatty()
        text = printed(entry, raw=self.raw, terminal=terminal, label=self._label(session))
        click.echo(text, nl=False)

    def _label(self, session: str) -> Text | None:
        if len(self.sessions) == 1:
            return None
        color = COLORS[self.sessions.index(session) % len(COLORS)]
        return Text(printable(session), style=f"bold {color}")


@click.command()
@sessions_argument
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "-n",
    "count",
    type=click.IntRange(0, COUNT_MAX),
    default=10,
    show_default=True,
    metavar="N",
    help="Begin with the newest N messages of each session.",
)
@click.option("--raw", is_flag=True, help="On a terminal, too: texts as they were written.")
@connection_options
@json_option
@debug_option
def tail(
    connection: Connection, sessions: Sequence[str], follow: bool, count: int, raw: bool, as_json: bool
) -> None:
    """Show the newest messages, and those that come.

    Of one or many sessions; with -f it goes on until Ctrl-C.
    With -f a session that is not there yet is waited for. With --json each message is a line, as of show.
    """
    printer = Printer(tuple(sessions), raw=raw, as_json=as_json)
    with connection.log() as log:
        asyncio.run(_tail(log, printer, count, follow=follow))


async def _tail(log: Log, printer: Printer, count: int, *, follow: bool) -> None:
    telling = cast(Log, TellingLog(log, _tell_skipped))
    talks = [async_conversation(telling, name, on_corrupt=OnCorrupt.SKIP) for name in printer.sessions]
    # A count of 0 asks nothing: one is asked for where it is to be known whether the session is there.
    pages = await asyncio.gather(*(talk.last(max(count, 1)) for talk in talks))
    for name, page in zip(printer.sessions, pages, strict=True):
        if page.end is None and not follow:
            raise missing_session(name)
        if page.end is None:
            click.echo(printable(f"kchat: session '{name}' is not there yet: waiting for it"), err=True)
    found = [
        (entry.timestamp_ms, index, entry)
        for index, page in enumerate(pages)
        for entry in (page.entries[-count:] if count else ())
    ]
    for _, index, entry in sorted(found, key=lambda item: item[:2]):
        printer.print(printer.sessions[index], entry)
    if follow:
        places = zip(talks, pages, strict=True)
        follows = (_follow(talk, printer, page.end) for talk, page in places)
        await asyncio.gather(*follows, _until_nobody_reads())


async def _until_nobody_reads() -> None:
    """Raise BrokenPipeError when the reader of stdout has gone: nothing else shows it while nothing comes."""
    if not hasattr(select, "poll"):
        return
    try:
        descriptor = sys.stdout.fileno()
    except (OSError, ValueError):  # no file, or closed
        return
    readers = select.poll()
    readers.register(descriptor, 0)  # what is wrong is told without being asked for
    while not any(told & (select.POLLERR | select.POLLHUP) for _, told in readers.poll(0)):
        await asyncio.sleep(LOOK_SECONDS)
    raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))  # as a write would


def _tell_skipped(topic: str, skipped: Corrupt) -> None:
    told = f"a record that is no message, and left out: {skipped.partition}:{skipped.offset} of topic {topic}"
    click.echo(printable(f"kchat: {told}, {skipped.reason}"), err=True)


async def _follow(talk: AsyncConversation[Message], printer: Printer, after: ChatPosition | None) -> None:
    """Print what comes; of a session that was deleted what begins it anew."""
    while True:
        try:
            async for entry in talk.follow(after=after, wait_for_session=True, silence_seconds_max=None):
                printer.print(talk.session_id, entry)
        except PositionGone:
            after = None
            told = f"kchat: session '{talk.session_id}' was deleted, or lost this place: on with what it has"
            click.echo(printable(told), err=True)
        else:
            return
