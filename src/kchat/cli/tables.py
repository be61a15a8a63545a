"""Messages as a table: where each is stored, when, and what it says."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from attrs import frozen
from rich.table import Table
from rich.text import Text

from kchat.conversation.escaping import printable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

TYPE_STYLES = {"human": "green", "ai": "cyan", "tool": "yellow", "system": "magenta"}

TYPE_WIDTH = max(map(len, TYPE_STYLES))
"""So that the tables of several reads stand one below the other."""


@frozen(kw_only=True)
class Row:
    """One message, as it is to be shown; `text` may hold anything."""

    partition: int
    offset: int
    timestamp_ms: int
    type: str
    text: str


def message_table(rows: Iterable[Row]) -> Table:
    """A table with one row a message; long messages are folded."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("partition", justify="right")
    table.add_column("offset", justify="right")
    table.add_column("time (UTC)", style="dim", no_wrap=True)
    table.add_column("type", no_wrap=True, min_width=TYPE_WIDTH)
    table.add_column("message", overflow="fold", ratio=1)
    for row in rows:
        table.add_row(
            str(row.partition),
            str(row.offset),
            time_text(row.timestamp_ms),
            Text(printable(row.type), style=TYPE_STYLES.get(row.type, "")),
            Text(printable(row.text)),
        )
    return table


def time_text(timestamp_ms: int) -> str:
    """A record's timestamp in UTC, or the number where no calendar has it."""
    try:
        return f"{_utc(timestamp_ms):%Y-%m-%d %H:%M:%S}.{timestamp_ms % 1000:03d}"
    except OverflowError:
        return str(timestamp_ms)


def time_iso(timestamp_ms: int) -> str | None:
    """The same as ISO 8601, None where no calendar has it."""
    try:
        return _utc(timestamp_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    except OverflowError:
        return None


def _utc(timestamp_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=timestamp_ms)
