"""`kchat export`: a conversation as a file."""

import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

import click
from attrs import define

from kchat.cli.connection import Connection, connection_options
from kchat.cli.file_output import output
from kchat.cli.formats.choice import WRITTEN, writer, written_as
from kchat.cli.formats.entries import About, Entry
from kchat.cli.formats.losses import Losses
from kchat.cli.json_lines import print_json
from kchat.cli.moments import moment_option
from kchat.cli.options import debug_option, json_option
from kchat.cli.progress import Advance, progress
from kchat.cli.session_argument import missing_session, session_argument
from kchat.cli.whole_reads import Part, whole_read
from kchat.conversation.arguments import timestamp
from kchat.conversation.escaping import printable
from kchat.core import Log, place

STDOUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})
"""Names of what the shell has opened already: to replace it, as a file of that name is, would lose it."""


def _path(_: click.Context, __: click.Parameter, given: str | None) -> str | None:
    if given == "":
        raise click.BadParameter("the name of the file is empty")
    return None if given in STDOUT else given


@click.command()
@session_argument
@click.option(
    "-o",
    "--output",
    "path",
    metavar="FILE",
    type=click.Path(readable=False, allow_dash=True),  # for the completion; a file may be write-only
    callback=_path,
    help='Write to this file; "-" is stdout.  [default: stdout]',
)
@click.option(
    "--format",
    "format_name",
    type=click.Choice(WRITTEN),
    help="[default: what the ending of FILE says, else jsonl]",
)
@moment_option("--since", "Only messages from this time on.")
@moment_option("--until", "Only messages of before this time.")
@connection_options
@json_option
@debug_option
def export(
    connection: Connection,
    session: str,
    path: str | None,
    format_name: str | None,
    since: datetime | None,
    until: datetime | None,
    as_json: bool,
) -> None:
    """Write a conversation to a file, as its readers see it.

    jsonl is lossless, and what `kchat import` reads. openai is the OpenAI chat format. markdown is a
    transcript, and html a page of its own. What a format cannot carry is reported on stderr.

    A FILE appears when it is whole. --json prints a report on stdout, and needs -o.
    """
    if as_json and path is None:
        raise click.UsageError("--json prints a report on stdout: name a file for the conversation with -o")
    format_name = written_as(format_name, path)
    losses = Losses()
    on_terminal = path is None and sys.stdout.isatty()  # a bar would be drawn into the conversation
    with connection.log() as log, progress("exporting", wanted=not on_terminal) as advance:
        parts = whole_read(
            log,
            session=session,
            topic=place(session).topic,
            since_ms=None if since is None else timestamp(since, "--since"),
            until_ms=None if until is None else timestamp(until, "--until"),
        )
        counted = _Counted(parts, advance)
        first = next(parts)
        if not first.exists:
            raise missing_session(session)
        with output(path) as stream:
            writer(format_name)(_about(log, session, first), counted.entries(first), stream, losses)
    _report(session, path, format_name, counted.count, losses, as_json=as_json)


@define
class _Counted:
    """The entries of all parts, counted as they go by."""

    _parts: Iterator[Part]
    _advance: Advance
    count: int = 0

    def entries(self, first: Part) -> Iterator[Entry]:
        for part in chain((first,), self._parts):
            yield from part.entries
            self.count += len(part.entries)
            self._advance(self.count, max(self.count, part.records))


def _about(log: Log, session: str, first: Part) -> About:
    return About(
        session=session,
        topic=place(session).topic,
        topic_id=first.topic_id,
        exported_ms=log.timestamp_ms,
    )


def _report(
    session: str, path: str | None, format_name: str, count: int, losses: Losses, *, as_json: bool
) -> None:
    """Say what was done. A record that is missing in the file is exit code 1."""
    report: dict[str, Any] = {"session": session, "topic": place(session).topic, "file": path}
    if as_json:
        print_json({**report, "format": format_name, "records": count, "not_carried": losses.as_json})
    done = f"{count:,} record{'' if count == 1 else 's'} as {format_name}"
    for line in (done if path is None else f"{done} in {path}", *losses.lines()):
        click.echo(printable(f"kchat: {line}"), err=True)
    if losses.whole_count:
        click.get_current_context().exit(1)
