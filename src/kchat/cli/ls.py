"""`kchat ls`: the sessions on a cluster."""

import shutil
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

from kchat.cli.connection import Connection, connection_options
from kchat.cli.json_lines import print_json
from kchat.cli.options import debug_option, json_option
from kchat.cli.progress import progress
from kchat.cli.quantities import age_text, size_text
from kchat.cli.session_rows import SessionRow, matches
from kchat.cli.session_survey import survey_sessions
from kchat.cli.tables import time_iso, time_text
from kchat.conversation.escaping import printable
from kchat.core import session_id_of

FOR_EVER = 1 << 63
"""Behind every retention in milliseconds; of one that is not known nobody can say that it is shorter."""

KEYS: dict[str, Callable[[SessionRow], Any]] = {
    "name": lambda row: row.session,
    "messages": lambda row: -(row.messages or 0),
    "first": lambda row: -(row.first_ms or 0),
    "last": lambda row: -(row.last_ms or 0),
    "bytes": lambda row: -(row.size_bytes or 0),
    "partitions": lambda row: -row.partitions,
    "retention": lambda row: _kept_ms(row.retention_ms),
}


def _kept_ms(retention_ms: int | None) -> int:
    return FOR_EVER if retention_ms is None or retention_ms < 0 else retention_ms


NARROW = 100
"""Columns; a narrower terminal shows less of each session, so that its name has room."""

WIDE_ONLY = frozenset({1, 4, 5})
HEADINGS = ("messages", "first (UTC)", "last (UTC)", "bytes", "parts", "keeps", "session")


@click.command()
@click.option(
    "--sort",
    type=click.Choice(tuple(KEYS)),
    default="name",
    show_default=True,
    help="Names from a on; the newest, the largest, the soonest to expire first.",
)
@click.option("-r", "--reverse", is_flag=True, help="The other way round.")
@click.option(
    "--match", "pattern", metavar="PATTERN", help="Sessions like alice-*, or with this in their name."
)
@click.option("--all", "show_all", is_flag=True, help="Topics too whose newest records are no messages.")
@connection_options
@json_option
@debug_option
def ls(
    connection: Connection, sort: str, reverse: bool, pattern: str | None, show_all: bool, as_json: bool
) -> None:
    """List the sessions on a cluster.

    A session is every topic that this user may see, that is not Kafka's own, and that has a message among
    its five newest records, or no record at all. "messages" counts offsets: transactions and compaction
    leave some without a message. "bytes" is what the records have, uncompressed and once; with ~ it is
    reckoned from the newest ones. "parts" are partitions, "keeps" is the retention. With --json each
    session is a line.
    """
    rows = _rows(connection, pattern)
    shown = [row for row in rows if show_all or row.is_conversation]
    shown.sort(key=KEYS["name"])
    shown.sort(key=KEYS[sort], reverse=reverse)
    if as_json:
        for row in shown:
            print_json(_row_json(row))
    elif shown:
        _print_table(shown)
    click.echo(_summary(len(shown), len(rows) - len(shown)), err=True)


def _rows(connection: Connection, pattern: str | None) -> list[SessionRow]:
    with connection.survey() as survey:
        topics = survey.topics()
        named = {topic: session_id_of(topic) for topic in topics}
        sessions = {t: s for t, s in named.items() if s is not None and matches(s, pattern)}
        with progress("sessions") as advance:
            advance(0, len(sessions))
            return list(survey_sessions(survey, sessions, topics, advance))


def _print_table(rows: Sequence[SessionRow]) -> None:
    """The name is last: whatever its length, it is in one piece, and the columns before it stand straight."""
    narrow = sys.stdout.isatty() and shutil.get_terminal_size().columns < NARROW
    lines = [_kept(line, narrow=narrow) for line in (HEADINGS, *map(_cells, rows))]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)][:-1]
    texts = (
        "  ".join([*(cell.rjust(width) for cell, width in zip(line, widths, strict=False)), line[-1]])
        for line in lines
    )
    click.secho(next(texts), dim=True)
    click.echo("\n".join(texts))


def _kept(line: tuple[str, ...], *, narrow: bool) -> tuple[str, ...]:
    return tuple(cell for index, cell in enumerate(line) if not (narrow and index in WIDE_ONLY))


def _cells(row: SessionRow) -> tuple[str, ...]:
    return (
        "?" if row.messages is None else f"{row.messages:,}",
        _time(row.first_ms),
        _time(row.last_ms),
        _size(row),
        str(row.partitions),
        "?" if row.retention_ms is None else age_text(row.retention_ms),
        printable(row.session),
    )


def _time(timestamp_ms: int | None) -> str:
    return "-" if timestamp_ms is None else time_text(timestamp_ms)[:16]


def _size(row: SessionRow) -> str:
    if row.size_bytes is None:
        return "?"
    return ("" if row.size_exact else "~") + size_text(row.size_bytes)


def _row_json(row: SessionRow) -> dict[str, Any]:
    return {
        "session": row.session,
        "topic": row.topic,
        "messages": row.messages,
        "first": None if row.first_ms is None else time_iso(row.first_ms),
        "last": None if row.last_ms is None else time_iso(row.last_ms),
        "bytes": row.size_bytes,
        "bytes_estimated": None if row.size_bytes is None else not row.size_exact,
        "partitions": row.partitions,
        "retention_ms": row.retention_ms,
        "conversation": row.is_conversation,
    }


def _summary(shown: int, other: int) -> str:
    sessions = f"{shown:,} session{'' if shown == 1 else 's'}"
    hidden = f"{other:,} topic{' has' if other == 1 else 's have'} no messages in the newest records: --all"
    return f"kchat: {sessions}" + (f"; {hidden}" if other else "")
