"""docs/performance.md: generated, but for the part that is written by hand."""

from collections.abc import Mapping, Sequence

from bench.tables import HEADER, Found, goal_rows, rows

BEGIN_BY_HAND = "<!-- by hand: make bench keeps what is between these two lines -->"
END_BY_HAND = "<!-- end of what is written by hand -->"

INTRO = """\
# Performance

Written by `make bench`: kchat beside what one would pick instead, on real servers, in one run.
`make bench-quick` prints the same tables in two minutes. Times differ from machine to machine and from run to
run; the ratios within one run are what another machine repeats. Goals marked S are counts of requests or
records, and they alone fail a run.

The contenders take turns, in another order each round. p99 is the slowest run where there are fewer than 100.
All servers are child processes on loopback, and durable as far as each is by itself: Kafka answers when the
broker has the records, which is in memory with one broker as with many; Redis with `appendfsync always`,
PostgreSQL and SQLite with their defaults answer when the disk has them.
"""


def page(found: Sequence[Found], machine: Mapping[str, str], date: str, before: str, *, quick: bool) -> str:
    """The whole page.

    Args:
        found: what all workloads found.
        machine: as `bench.machine.description` gives it.
        date: of the run.
        before: the page as it was, whose hand-written part is kept.
        quick: it was a quick run, with few rounds.
    """
    kind = "a quick run: few rounds" if quick else "a full run"
    parts = [
        INTRO,
        f"{BEGIN_BY_HAND}\n{by_hand(before)}{END_BY_HAND}\n",
        f"## Where and when\n\n{table(('', ''), [('date', f'{date}, {kind}'), *machine.items()])}\n",
        "## Pictures\n\n![Replay latency by length of the conversation](performance-latency.svg)\n\n"
        "![Appends per second](performance-throughput.svg)\n",
        f"## Goals\n\n{_all_goals(found)}\n",
        *(_workload(each) for each in found),
    ]
    return "\n".join(parts)


def by_hand(before: str) -> str:
    """What was written by hand in the page as it was; each line ends."""
    if BEGIN_BY_HAND not in before or END_BY_HAND not in before:
        return ""
    return before.split(BEGIN_BY_HAND, 1)[1].split(END_BY_HAND, 1)[0].removeprefix("\n")


def table(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _all_goals(found: Sequence[Found]) -> str:
    body = [
        (str(each.number), *row) for each in found for row in (*goal_rows(each.findings.goals), *_crash(each))
    ]
    return table(("", "goal", "measured", "met?"), body)


def _crash(found: Found) -> tuple[tuple[str, str, str], ...]:
    return (("the workload runs", found.crash, "NOT met"),) if found.crash else ()


def _workload(found: Found) -> str:
    parts = [f"## {found.number}. {found.title[:1].upper()}{found.title[1:]}\n"]
    if body := rows(found.findings):
        parts.append(f"{table(HEADER, body)}\n")
    parts += [f"{note}\n" for note in found.findings.notes]
    return "\n".join(parts)
