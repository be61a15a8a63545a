"""What `kchat demo` prints: as it goes for people, or one JSON document at the end for programs."""

import json
from typing import Any, Protocol

import click
from langchain_core.messages import AIMessage, BaseMessage, message_to_dict
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kchat.cli.demo_steps import FAILED, Step
from kchat.cli.tables import Row, message_table, time_iso
from kchat.conversation.escaping import printable
from kchat.core import Delivery

ROWS_MAX = 20
"""Messages shown of one read; a session that was there before may hold any number of them."""

INDENT = 4


class Report(Protocol):
    """Where the demo's steps go."""

    def note(self, text: str) -> None:
        """Say something about the demo itself."""

    def step(self, step: Step) -> None:
        """Show one call."""

    def end(self, error: str | None) -> None:
        """Nothing follows; `error` is the sentence of what stopped the demo."""


class TextReport:
    """For people: each step as it happens."""

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._steps = 0

    def note(self, text: str) -> None:
        """Say something about the demo itself."""
        if self._steps:
            self._console.print()
        self._console.print(Text(printable(text)))

    def step(self, step: Step) -> None:
        """Show one call, what it does, and the messages that it read."""
        self._steps += 1
        head = Table.grid(expand=True, padding=(0, 2, 0, 0))
        head.add_column(width=INDENT - 2, justify="right", style="dim")
        head.add_column(ratio=1)
        head.add_column(justify="right", no_wrap=True)
        head.add_row(str(self._steps), Text(step.call, style="bold"), _ended(step))
        about = _indented(Text(printable(step.about), style="italic dim"))
        self._console.print()
        self._console.print(Group(head, about, *_messages(step)))

    def end(self, error: str | None) -> None:
        """Nothing: the error is on stderr."""


class JsonReport:
    """For programs: one document with all steps on stdout; notes go to stderr."""

    def __init__(self, **about: Any) -> None:
        self._document: dict[str, Any] = {**about, "steps": []}

    def note(self, text: str) -> None:
        """Say something about the demo itself, on stderr."""
        click.echo(printable(text), err=True)

    def step(self, step: Step) -> None:
        """Add one call to the document."""
        self._document["steps"].append(_step_json(step))

    def end(self, error: str | None) -> None:
        """Print the document."""
        text = json.dumps({**self._document, "error": error}, indent=2, ensure_ascii=True)
        # The one control character that JSON leaves as it is.
        click.echo(text.replace("\x7f", "\\u007f"))


def said(message: BaseMessage) -> str:
    """What a message says, on one line: its text, and the tool calls of a model."""
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    parts = [str(message.text), *(f"calls {_call(call['name'], call['args'])}" for call in calls)]
    if not any(parts) and message.content:
        parts = [json.dumps(message.content)]  # an image, say
    return " ".join(part for part in parts if part)


def _call(name: str, arguments: dict[str, Any]) -> str:
    shown = (f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in arguments.items())
    return f"{name}({', '.join(shown)})"


def _ended(step: Step) -> Text:
    """How many, how it ended, how long it took."""
    ended = Text(step.ended, style="red" if step.ended == FAILED else "green")
    words = [ended, Text(f"{step.took_ms:.1f} ms")]
    if step.deliveries is not None:
        words.insert(0, Text(f"{len(step.deliveries)} message{'' if len(step.deliveries) == 1 else 's'}"))
    return Text(" · ").join(words)


def _messages(step: Step) -> list[Padding]:
    if not step.deliveries:
        return []
    shown = [_indented(message_table(map(_row, step.deliveries[:ROWS_MAX])))]
    more = len(step.deliveries) - ROWS_MAX
    if more > 0:
        shown.append(_indented(Text(f"... and {more} more", style="dim")))
    return shown


def _indented(block: RenderableType) -> Padding:
    return Padding(block, (0, 0, 0, INDENT), expand=False)


def _row(delivery: Delivery[BaseMessage]) -> Row:
    return Row(
        partition=delivery.partition,
        offset=delivery.offset,
        timestamp_ms=delivery.timestamp_ms,
        type=delivery.message.type,
        text=said(delivery.message),
    )


def _step_json(step: Step) -> dict[str, Any]:
    document = {
        "call": step.call,
        "about": step.about,
        "ended": step.ended,
        "took_ms": round(step.took_ms, 3),
    }
    if step.appended is not None:
        document["appended"] = step.appended
    if step.deliveries is not None:
        document["messages"] = [_delivery_json(delivery) for delivery in step.deliveries]
    return document


def _delivery_json(delivery: Delivery[BaseMessage]) -> dict[str, Any]:
    return {
        "partition": delivery.partition,
        "offset": delivery.offset,
        "time": time_iso(delivery.timestamp_ms),
        "message": message_to_dict(delivery.message),
    }
