"""Draws docs/machines.md from the machines' own tables.

`python tools/draw_machines.py` writes it; with `--check` it fails when the page is not what would be written.
"""

import inspect
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType

from kchat.core import appending, provisioning, reading

PAGE = Path(__file__).parents[1] / "docs" / "machines.md"

# What `start` can give; the tables begin after it.
STARTS: dict[ModuleType, tuple[type, ...]] = {
    reading: (reading.Describing, reading.Finished),
    appending: (appending.Ensuring, appending.Producing, appending.Finished),
    provisioning: (provisioning.Looking,),
}

INTRODUCTION = """\
# The three machines

Written by `tools/draw_machines.py` from `TRANSITIONS` in each module: change the table, then draw again.

A machine is two functions. `pending(state)` is the next command, or the outcome; `advance(state, event)` is
what the answer to a command means. An arrow is an event, a box is what is asked for until the next one.
"""


def arrows(machine: ModuleType) -> list[str]:
    """The lines of a diagram: one arrow for all events that lead from one state to another."""
    events: dict[tuple[str, str], list[str]] = defaultdict(list)
    order = [kind.__name__ for kind in states(machine)]
    for (before, event), afters in machine.TRANSITIONS.items():
        for after in sorted(afters, key=lambda kind: order.index(kind.__name__)):
            events[before.__name__, after.__name__].append(event.__name__)
    begin = [f"[*] --> {start.__name__}" for start in STARTS[machine]]
    drawn = [f"{before} --> {after}: {', '.join(names)}" for (before, after), names in events.items()]
    return [*begin, *drawn, "Finished --> [*]"]


def states(machine: ModuleType) -> list[type]:
    """The states of a table in the order in which their module defines them."""
    named = {before for before, _ in machine.TRANSITIONS}
    reached = {after for afters in machine.TRANSITIONS.values() for after in afters}
    return [kind for kind in vars(machine).values() if isinstance(kind, type) and kind in named | reached]


def section(machine: ModuleType) -> str:
    """One machine: what it is for, its laws, its diagram and its states."""
    title, _, text = inspect.cleandoc(str(machine.__doc__)).partition("\n\n")
    laws = text.rpartition("\n\n")[0]
    name = machine.__name__.rpartition(".")[2]
    diagram = "\n".join(f"    {arrow}" for arrow in arrows(machine))
    rows = "\n".join(
        f"| `{kind.__name__}` | {inspect.cleandoc(str(kind.__doc__)).splitlines()[0]} |"
        for kind in states(machine)
    )
    return f"""\
## {name.capitalize()}

{title}

{laws}

```mermaid
stateDiagram-v2
{diagram}
```

| state | |
|---|---|
{rows}
"""


def page() -> str:
    """The whole page."""
    return "\n".join([INTRODUCTION, *map(section, STARTS)])


def main(arguments: list[str]) -> int:
    """Write the page, or compare it."""
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
            return 0
        sys.stderr.write("docs/machines.md is stale: run python tools/draw_machines.py\n")
        return 1
    if arguments:
        sys.stderr.write("usage: draw_machines.py [--check]\n")
        return 2
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
