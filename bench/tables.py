"""Findings as rows of words, for the terminal and for the page."""

from collections.abc import Sequence

from attrs import frozen

from bench.contenders.names import RAW
from bench.figures import Findings, Goal, Timing

HEADER = ("case", "contender", "median", "p99", "runs", "ratio to raw")
GOALS_HEADER = ("goal", "measured", "")


@frozen(kw_only=True)
class Found:
    """What came of one workload: its findings, or why it has none."""

    number: int
    title: str
    findings: Findings
    crash: str = ""


def rows(findings: Findings) -> list[tuple[str, ...]]:
    """One for each timing, case by case, and one for each contender that could not take part."""
    cases = list(dict.fromkeys(timing.case for timing in findings.timings))
    ordered = sorted(findings.timings, key=lambda timing: cases.index(timing.case))
    found = [_row(timing, findings) for timing in ordered]
    return found + [("", absent.contender, "not here", "", "", absent.why) for absent in findings.absent]


def goal_rows(goals: Sequence[Goal]) -> list[tuple[str, ...]]:
    """One for each goal; "S" marks those that are counts."""
    return [
        (f"{'S: ' if goal.structural else ''}{goal.goal}", goal.measured, _verdict(goal)) for goal in goals
    ]


def duration(seconds: float) -> str:
    """With three digits, in the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def plain(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in columns of equal width."""
    lines = [header, *body]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    padded = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines
    )
    return "\n".join(line.rstrip() for line in padded)


def told(found: Found) -> str:
    """Everything about one workload, for the terminal."""
    parts = [f"{found.number}. {found.title}"]
    if found.crash:
        parts.append(f"CRASHED: {found.crash}")
    if body := rows(found.findings):
        parts.append(plain(HEADER, body))
    if goals := goal_rows(found.findings.goals):
        parts.append(plain(GOALS_HEADER, goals))
    parts += [f"note: {note}" for note in found.findings.notes]
    return "\n\n".join(parts)


def _row(timing: Timing, findings: Findings) -> tuple[str, ...]:
    try:
        base = f"{timing.median / findings.median(RAW, timing.case):.2f}x"
    except KeyError:
        base = "-"
    runs = str(len(timing.seconds))
    return (timing.case, timing.contender, duration(timing.median), duration(timing.p99), runs, base)


def _verdict(goal: Goal) -> str:
    if goal.met:
        return "met"
    return f"NOT met{f': {goal.why}' if goal.why else ''}"
