"""Messages as a transcript for a terminal. Nothing that a message holds can control it."""

from typing import assert_never

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from kchat.cli.faithful_markdown import FaithfulMarkdown
from kchat.cli.message_parts import Part, Placeholder, Prose, ToolCall, message_parts
from kchat.cli.tables import TYPE_STYLES, time_text
from kchat.conversation import Entry
from kchat.conversation.escaping import printable, printable_lines
from kchat.core import Message

_MARKDOWN_TYPES = frozenset({"ai", "AIMessageChunk"})
"""What models say. People and programs write marks that are none: a star, a comment, a JSON document."""

INDENT = 2


def entry_block(entry: Entry[Message], *, raw: bool, label: Text | None = None) -> RenderableType:
    """One message: a line of who, when and where, and below it what was said."""
    as_written = raw or entry.message.type not in _MARKDOWN_TYPES
    body = [_on_terminal(part, as_written=as_written) for part in message_parts(entry.message)]
    indented = Padding(Group(*body), (0, 0, 0, INDENT))
    return Group(_headline(entry, label), *([indented] if body else []), Text())


def entry_text(entry: Entry[Message], label: Text | None = None) -> str:
    """The same for a pipe: what was said as it was written, each line one line, however long it is."""
    said = "\n".join(_as_written(part).plain for part in message_parts(entry.message))
    lines = [f"{' ' * INDENT}{line}" if line else "" for line in said.split("\n")] if said else []
    return "".join(f"{line}\n" for line in (_headline(entry, label).plain, *lines, ""))


def printed(entry: Entry[Message], *, raw: bool, terminal: bool, label: Text | None = None) -> str:
    """One message as text, colours included, for a terminal; or for whatever else reads it."""
    if not terminal:
        return entry_text(entry, label)
    console = Console(force_terminal=True, color_system="standard", highlight=False, legacy_windows=False)
    with console.capture() as capture:
        console.print(entry_block(entry, raw=raw, label=label))
    return capture.get()


def _headline(entry: Entry[Message], label: Text | None) -> Text:
    message = entry.message
    name = message.data.get("name")
    role = message.data.get("role") if message.type.startswith("chat") else None
    who = [text for text in (message.type, role, name) if isinstance(text, str) and text]
    record = entry.position.record
    where = "" if record is None else f"offset {record.offset}"
    if record is not None and record.partition:
        where = f"partition {record.partition}, {where}"
    headline = Text() if label is None else Text.assemble(label, " ")
    headline.append(printable(" ".join(who)), style=f"bold {TYPE_STYLES.get(message.type, '')}")
    return headline.append(f"  {time_text(entry.timestamp_ms)} UTC  {where}", style="dim")


def _on_terminal(part: Part, *, as_written: bool) -> RenderableType:
    return _as_written(part) if as_written or not isinstance(part, Prose) else FaithfulMarkdown(part.text)


def _as_written(part: Part) -> Text:
    match part:
        case Prose(text=text):
            return Text(printable_lines(text))
        case ToolCall(name=name, arguments=arguments):
            return Text.assemble(("calls ", "yellow"), (printable(f"{name}({arguments})"), "yellow"))
        case Placeholder(label=label):
            return Text(f"[{printable(label)}]", style="italic dim")
        case _:
            assert_never(part)
