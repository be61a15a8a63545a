"""A run of a machine as a script: for a person who wants to see what a property did not hold for.

The script needs kchat alone: the request, and the shell's answers in their order. Reprs leave out message
content, so the values are written here, as the source that makes them.
"""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum
from textwrap import indent
from types import ModuleType
from typing import Any

import attrs
from hypothesis import currently_in_test_context, note

import kchat.core
from kchat.core import Event

FIRST_LINE = (
    '"""A run of a machine, step by step, up to where a property does not hold. Needs kchat alone."""'
)
LINE_MAX, LINE_END = 100, ",\n"
PLAIN = (type(None), bool, int, float, str, bytes)


def source(value: object, used: set[type]) -> str:
    """The Python expression that makes a value. The classes that it names are added to `used`."""
    kind = type(value)
    if kind in PLAIN:
        return repr(value)
    if isinstance(value, tuple | list):
        items = [source(item, used) for item in value]
        if isinstance(value, list):
            return f"[{_joined(items)}]"
        return f"({_joined(items)}{',' if len(items) == 1 and not _joined(items).endswith(LINE_END) else ''})"
    if isinstance(value, dict):
        return "{" + _joined([f"{source(k, used)}: {source(v, used)}" for k, v in value.items()]) + "}"
    if isinstance(value, frozenset | set):
        items = sorted(source(item, used) for item in value)
        return f"{kind.__name__}([{_joined(items)}])"
    used.add(kind)
    if isinstance(value, Enum):
        return f"{kind.__name__}.{value.name}"
    if attrs.has(kind):
        return f"{kind.__name__}({_joined(_arguments(value, used))})"
    raise TypeError(f"no source for a {kind.__name__}")


def script(machine: ModuleType, request: object, at_ms: int, events: Sequence[Event]) -> str:
    """The whole script. It prints every state, and in the end what the machine asks for or how it ended."""
    used: set[type] = set()
    asked = source(request, used)
    answers = [source(event, used) for event in events]
    name = machine.__name__.rpartition(".")[2]
    return "\n".join(
        [
            FIRST_LINE,
            "",
            *_imports(used, name),
            "",
            f"request = {asked}",
            "events = [",
            *(indent(f"{answer},", "    ") for answer in answers),
            "]",
            "",
            f"state = {name}.start(request, {at_ms})",
            'print("start:", state)',
            "for event in events:",
            f'    print("asked:", {name}.pending(state))',
            '    print("answer:", event)',
            f"    state = {name}.advance(state, event)",
            '    print("state:", state)',
            f'print("in the end:", {name}.pending(state))',
            f"# {_end(machine, request, at_ms, events)}",
            "",
        ]
    )


@contextmanager
def replayable(machine: ModuleType, request: object, at_ms: int) -> Iterator[list[Event]]:
    """Collect the events of a run; should the test fail, in the run or later, its script is printed.

    Hypothesis keeps a note for the smallest failing example alone, and only then makes a text of it.
    """
    events: list[Event] = []
    try:
        yield events
    finally:
        if currently_in_test_context():
            note(_Note(machine, request, at_ms, tuple(events)))


def scripts_in(error: BaseException) -> list[str]:
    """The scripts among the notes of a failure. They are taken out of it."""
    notes: list[str] = getattr(error, "__notes__", [])
    found = [text for text in notes if text.startswith(FIRST_LINE)]
    notes[:] = [text for text in notes if text not in found]
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            found += scripts_in(inner)
    return found


class _Note:
    """Becomes text when it is printed, which is for one example of thousands."""

    def __init__(self, *run: Any) -> None:
        self._run = run

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle
        printer.text(script(*self._run))


def _end(machine: ModuleType, request: Any, at_ms: int, events: Sequence[Event]) -> str:
    """The last line that the script should print; with another version of kchat it may be another one."""
    state = machine.start(request, at_ms)
    try:
        for event in events:
            state = machine.advance(state, event)
        return f"in the end: {machine.pending(state)}"
    except AssertionError as error:
        return f"AssertionError: {error}"


def _arguments(value: Any, used: set[type]) -> list[str]:
    """What the class is called with; a field that has its default's value is left out."""
    found: list[str] = []
    for field in attrs.fields(type(value)):
        given = getattr(value, field.name)
        default = field.default.factory() if isinstance(field.default, attrs.Factory) else field.default  # type: ignore[arg-type]
        if field.init and (field.default is attrs.NOTHING or given != default):
            found.append(f"{field.alias}={source(given, used)}")
    return found


def _imports(used: set[type], machine: str) -> list[str]:
    names = [kind.__name__ for kind in used if getattr(kchat.core, kind.__name__, None) is kind]
    others = sorted((kind.__module__, kind.__name__) for kind in used if kind.__name__ not in names)
    for module, name in others:
        if not hasattr(importlib.import_module(module), name):
            raise TypeError(f"{module}.{name} cannot be imported")
    listed = [f"    {name}," for name in [*sorted(names), machine]]
    return [
        "from kchat.core import (",
        *listed,
        ")",
        *(f"from {module} import {name}" for module, name in others),
    ]


def _joined(items: list[str]) -> str:
    """Side by side, or one on a line where that is too long."""
    line = ", ".join(items)
    if len(line) <= LINE_MAX and "\n" not in line:
        return line
    return "\n" + indent(LINE_END.join(items), "    ") + LINE_END
