"""Lossless JSON Lines: what `kchat import` reads back as the same messages.

One JSON document a line, in ASCII. The first line tells the version and the conversation, the last one how
many lines lie between: so a file that was cut short is known as one. In between is one record a line:

    {"partition": 0, "offset": 5, "time": "...", "timestamp_ms": 1700000000000, "id": "...",
     "message": {"type": "human", "data": {...}}}

A record that is no message, or none that can be written again, has its bytes in base64 under "corrupt" in
the place of "message".
"""

import base64
import json
from collections.abc import Iterable
from typing import IO, Any, assert_never

from kchat.cli.formats.entries import About, Entry, Place, Placed, Poison
from kchat.cli.formats.losses import Losses
from kchat.cli.tables import time_iso

VERSION = 1
"""The version that this code writes, and the newest it reads."""

VERSION_FIELD = "kchat_export"

_JSON = json.JSONEncoder(ensure_ascii=True, allow_nan=False)

NOT_WRITABLE = "it holds what JSON does not have (NaN, infinity), or is nested too deeply"


def write(about: About, entries: Iterable[Entry], out: IO[str], losses: Losses) -> None:  # noqa: ARG001
    """Write the file. All of it is carried: there are no losses to report."""
    head = {VERSION_FIELD: VERSION, "session": about.session, "topic": about.topic}
    out.write(_line({**head, "topic_id": about.topic_id, "time": time_iso(about.exported_ms)}))
    count = 0
    for entry in entries:
        count += 1
        out.write(_entry_line(entry))
    out.write(_line({"end": count}))


def _entry_line(entry: Entry) -> str:
    place = _place_json(entry.place)
    match entry:
        case Placed(message=message, message_id=message_id, value=value):
            envelope = {"type": message.type, "data": message.data}
            try:
                return _line({**place, "id": message_id, "message": envelope})
            except (ValueError, RecursionError):
                return _line({**place, "id": message_id, "corrupt": _corrupt(NOT_WRITABLE, value)})
        case Poison(reason=reason, value=value):
            return _line({**place, "id": None, "corrupt": _corrupt(reason, value)})
        case _:
            assert_never(entry)


def _corrupt(reason: str, value: bytes | None) -> dict[str, str | None]:
    return {"reason": reason, "base64": None if value is None else base64.b64encode(value).decode()}


def _place_json(place: Place) -> dict[str, Any]:
    return {
        "partition": place.partition,
        "offset": place.offset,
        "time": time_iso(place.timestamp_ms),
        "timestamp_ms": place.timestamp_ms,
    }


def _line(document: dict[str, Any]) -> str:
    # The one control character that JSON leaves as it is: the file may go to a terminal.
    return _JSON.encode(document).replace("\x7f", "\\u007f") + "\n"
