"""The campaign's table: for the terminal, and for docs/reliability.md."""

import os
import platform
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import confluent_kafka

from kchat import __version__
from tests.brokers.distribution import KAFKA_VERSION
from tests.proof.figures import Figures

ROWS = (
    "broker killed",
    "leader killed",
    "client killed",
    "network",
    "crowd",
    "signals and lifecycles",
    "log surgery",
    "poison",
    "hostile input",
    "full",
)
"""All rows of the campaign. One that was not run is in the table all the same, and says so."""

HEAD = (
    "row",
    "fault",
    "operations",
    "faults",
    "acknowledged",
    "lost",
    "duplicates",
    "out of order",
    "hangs",
    "unknown",
    "longest call",
    "held",
)
BEGIN, END = "<!-- written by `make proof` -->", "<!-- end of what `make proof` wrote -->"


Planned = Sequence[tuple[str, str]]
"""Row and fault of every line that there should be."""


def table(rows: Sequence[Figures], planned: Planned = ()) -> list[tuple[str, ...]]:
    """A line for each row and fault that ran, in the campaign's order, and for each that did not."""
    ran = {(figures.row, figures.fault): _line(figures) for figures in rows}
    lines: list[tuple[str, ...]] = []
    for name in ROWS:
        keys = dict.fromkeys(key for key in (*planned, *ran) if key[0] == name) or {(name, ""): None}
        lines += [ran.get(key, (*key, *[""] * (len(HEAD) - 3), "not run")) for key in keys]
    return lines


def _line(figures: Figures) -> tuple[str, ...]:
    counts = (
        figures.operations,
        figures.faults,
        figures.acknowledged,
        figures.lost,
        figures.duplicates,
        figures.out_of_order,
        figures.hangs,
        figures.unknown,
    )
    longest = f"{figures.longest_seconds:.2f} s" if figures.longest_seconds else ""
    held = "no" if figures.missed else "yes"
    return figures.row, figures.fault, *(f"{count:,}" for count in counts), longest, held


def markdown(rows: Sequence[Figures], minutes: float, planned: Planned = ()) -> str:
    """What stands between the marks in docs/reliability.md."""
    lines = [HEAD, ("---",) * len(HEAD), *table(rows, planned)]
    text = [f"{key}: {value}  " for key, value in circumstances(minutes).items()]
    text += ["", *("| " + " | ".join(line) + " |" for line in lines), "", *remarks(rows)]
    return "\n".join(text)


def remarks(rows: Sequence[Figures]) -> list[str]:
    """What the figures alone do not say, a line for each row that has such."""
    lines: list[str] = []
    for figures in rows:
        stood_still = figures.stood_still_seconds
        kept = [f"the machine stood still for {stood_still:.1f} s of a call"] if stood_still else []
        said = [*figures.notes, *kept, *(f"**not held**: {missed}" for missed in figures.missed)]
        if said:
            lines.append(f"- {figures.row}, {figures.fault}: {'; '.join(said)}")
    return lines


def circumstances(minutes: float) -> dict[str, str]:
    """When, with which versions, on what."""
    versions = (
        f"kchat {__version__}",
        f"Apache Kafka {KAFKA_VERSION}",
        f"confluent-kafka {version('confluent-kafka')} (librdkafka {confluent_kafka.libversion()[0]})",
        f"langchain-core {version('langchain-core')}",
        f"Python {platform.python_version()}",
    )
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "length": f"MINUTES={minutes:g}",
        "versions": ", ".join(versions),
        "machine": f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, brokers on loopback",
    }


def write(path: Path, rows: Sequence[Figures], minutes: float, planned: Planned = ()) -> None:
    """Put the run's result between the marks; the text around them is people's."""
    text = path.read_text()
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"{path.name} needs the marks {BEGIN} and {END}, once")
    block = f"{BEGIN}\n{markdown(rows, minutes, planned)}\n{END}"
    path.write_text(pattern.sub(lambda _: block, text))
