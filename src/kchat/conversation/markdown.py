"""Messages as Markdown, for notebooks: who said what and when, and nothing of it taken for markup.

A notebook calls `_repr_markdown_` of the last value of a cell. What a message says is shown there on purpose,
and it may be hostile. So it stands in a fenced block, which no front end reads as HTML, Markdown or formulas,
and which it cannot end: the fence is longer than any row of backticks in it.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from kchat.conversation.escaping import printable_lines

ENTRIES_MAX = 100
"""So many messages of a page are shown: its first and its last half of that."""

CHARACTERS_MAX = 5_000
"""So many characters of a message are shown."""


def message_in_markdown(message: Any, time: datetime) -> str:
    """One message: its type, its time in UTC, and its text."""
    who = _named(str(getattr(message, "type", type(message).__name__)))
    said = str(getattr(message, "text", ""))
    more = f"\n\n… and {len(said) - CHARACTERS_MAX} characters more" if len(said) > CHARACTERS_MAX else ""
    return f"**{who}** · {time:%Y-%m-%d %H:%M:%S} UTC\n\n{_fenced(said[:CHARACTERS_MAX])}{more}"


def page_in_markdown(messages: Sequence[tuple[Any, datetime]], ended: str, skipped: int) -> str:
    """A page: its messages, and why there are no more."""
    half = ENTRIES_MAX // 2
    shown = [
        message_in_markdown(message, time) for message, time in (*messages[:half], *messages[half:][-half:])
    ]
    if left_out := len(messages) - len(shown):
        shown.insert(half, f"*… {left_out} messages are not shown …*")
    holes = f", {skipped} records skipped" if skipped else ""
    return "\n\n".join([*shown, f"*{len(messages)} messages, ended by {ended}{holes}*"])


def _fenced(text: str) -> str:
    plain = printable_lines(text)
    fence = "`" * max([3, *(len(row) + 1 for row in re.findall("`+", plain))])
    return f"{fence}text\n{plain}\n{fence}"


def _named(kind: str) -> str:
    """A type is a word; whatever else stands there is no markup either."""
    return re.sub(r"\W", "?", kind[:40], flags=re.ASCII).replace("_", "?") or "?"
