"""JSON for stdout: ASCII, one line a value, so that neither a terminal nor a pipe can stumble over it."""

import json
from typing import Any

import click

from kchat.cli.tables import time_iso
from kchat.conversation import Entry
from kchat.core import Message


def json_line(value: Any) -> str:
    """A value as one line of JSON without control characters."""
    text = json.dumps(value, ensure_ascii=True)
    return text.replace("\x7f", "\\u007f")  # the one control character that JSON leaves as it is


def print_json(value: Any) -> None:
    """Print it on stdout."""
    click.echo(json_line(value))


def entry_json(session: str, entry: Entry[Message]) -> dict[str, Any]:
    """A message and where it is. `position` is what `ChatPosition.parse` takes."""
    position = entry.position
    record = position.record
    return {
        "session": session,
        "partition": None if record is None else record.partition,
        "offset": None if record is None else record.offset,
        "time": time_iso(entry.timestamp_ms),
        "id": entry.message_id,
        "position": str(position),
        "message": {"type": entry.message.type, "data": entry.message.data},
    }
