"""Messages as a transcript for a terminal. Nothing that a message holds can control it."""

from collections.abc import Iterable
from typing import assert_never

from attrs import frozen
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.markdown import Markdown
from rich.padding import Padding
from rich.segment import Segment
from rich.text import Text

from kchat.cli.message_parts import Part, Placeholder, Prose, ToolCall, message_parts
from kchat.cli.tables import TYPE_STYLES, time_text
from kchat.conversation import Entry
from kchat.conversation.escaping import printable, printable_lines
from kchat.core import Message

MARKDOWN_CHARACTERS_MAX = 20_000
"""A longer text is shown as it is: markdown is for what somebody reads."""

_PLAIN_TYPES = frozenset({"tool", "function", "ToolMessageChunk", "FunctionMessageChunk"})
"""What programs say: mostly JSON, in which markdown would find marks that are none."""

INDENT = 2


@frozen
class Printable:
    """A renderable whose text is made printable once more, after it was laid out.

    Markdown has ways of its own to spell a character: an entity, a percent sign in a link.
    """

    inner: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.inner, options):
            if not segment.control:
                yield Segment(printable_lines(segment.text), segment.style)


def entry_block(entry: Entry[Message], *, raw: bool, label: Text | None = None) -> RenderableType:
    """One message: a line of who, when and where, and below it what was said."""
    message = entry.message
    body = [_part_block(part, raw=raw or message.type in _PLAIN_TYPES) for part in message_parts(message)]
    indented = Padding(Printable(Group(*body)), (0, 0, 0, INDENT))
    return Group(_headline(entry, label), *([indented] if body else []), Text())


def console_for(*, color: bool, width: int | None = None) -> Console:
    """A console that writes to memory, to be paged or printed."""
    return Console(
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        width=width,
        legacy_windows=False,
    )


def rendered(blocks: Iterable[RenderableType], console: Console) -> Iterable[str]:
    """Each block as text, colours included where the console has them."""
    for block in blocks:
        with console.capture() as capture:
            console.print(block)
        text = capture.get()
        # Rich fills lines up to the width, which only a background colour needs.
        yield text if console.is_terminal else "".join(f"{line.rstrip()}\n" for line in text.splitlines())


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


def _part_block(part: Part, *, raw: bool) -> RenderableType:
    match part:
        case Prose(text=text) if raw or len(text) > MARKDOWN_CHARACTERS_MAX:
            return Text(printable_lines(text))
        case Prose(text=text):
            # No hyperlinks: a terminal would hide where they lead, and opens them at a click.
            return Markdown(printable_lines(text), hyperlinks=False, code_theme="ansi_dark")
        case ToolCall(name=name, arguments=arguments):
            return Text.assemble(("calls ", "yellow"), (printable(f"{name}({arguments})"), "yellow"))
        case Placeholder(label=label):
            return Text(f"[{printable(label)}]", style="italic dim")
        case _:
            assert_never(part)
