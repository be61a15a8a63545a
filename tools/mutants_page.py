"""docs/mutants.md: the survivors that it explains, and the figures that a run writes into it."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Self

from attrs import field, frozen

KILLED_MIN = 0.95

BEGIN, END = "<!-- figures: written by tools/mutants.py -->", "<!-- end of figures -->"


@frozen
class Survivor:
    """A change that no test notices: where, and which lines. Numbers would change with every edit."""

    function: str
    lines: tuple[str, ...]

    @property
    def module(self) -> str:
        """The module of the core."""
        return self.function.partition(".")[0]

    def __str__(self) -> str:
        return "\n".join([f"# {self.function}", *self.lines])


@frozen(kw_only=True)
class Figures:
    """The counts of one module."""

    module: str
    mutants: int
    survived: int
    timed_out: int = field(default=0)
    not_run: int = field(default=0)

    @classmethod
    def total(cls, counted: Sequence["Figures"]) -> Self:
        """The sum of all modules."""
        return cls(
            module="all",
            mutants=sum(one.mutants for one in counted),
            survived=sum(one.survived for one in counted),
            timed_out=sum(one.timed_out for one in counted),
            not_run=sum(one.not_run for one in counted),
        )

    @property
    def run(self) -> int:
        """How many were judged."""
        return self.mutants - self.not_run

    @property
    def killed(self) -> int:
        """How many were noticed."""
        return self.run - self.survived

    @property
    def share_killed(self) -> float:
        """What part of the judged ones was noticed."""
        return self.killed / self.run if self.run else 0.0

    @property
    def percent(self) -> str:
        """The same for people, never rounded up."""
        return f"{int(self.share_killed * 1_000) / 10:.1f} %" if self.run else "not run"


def listed(page: str) -> Iterator[Survivor]:
    """The survivors that the page explains: in its `diff` blocks, each below a line `# module.function`."""
    for block in re.findall(r"^```diff\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        for entry in re.split(r"^# ", block, flags=re.MULTILINE)[1:]:
            function, *lines = entry.rstrip("\n").split("\n")
            yield Survivor(function, tuple(line for line in lines if line))


def with_figures(page: str, counted: Sequence[Figures], circumstances: str) -> str:
    """The page with the figures of a run."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = [
        f"| {one.module} | {one.mutants} | {one.killed} | {one.timed_out} | {one.survived} | {one.percent} |"
        for one in [*counted, Figures.total(counted)]
    ]
    unfinished = [one.module for one in counted if one.not_run]
    note = [f"Not finished: {', '.join(unfinished)}."] if unfinished else []
    lines = [
        BEGIN,
        f"{datetime.now(UTC).date().isoformat()}; {circumstances}.",
        *note,
        "",
        "| module | mutants | killed | of these out of time | survived | |",
        "|---|---|---|---|---|---|",
        *rows,
        END,
    ]
    return head + "\n".join(lines) + tail
