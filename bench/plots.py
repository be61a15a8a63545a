"""The two pictures: replay latency by length of the conversation, and appends per second."""

from collections.abc import Mapping, Sequence
from math import log10
from pathlib import Path
from statistics import fmean

import matplotlib as mpl
from attrs import frozen
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.contenders.names import (
    KCHAT,
    OLD,
    POSTGRES,
    RAW,
    RAW_DECODED,
    REDIS,
    SQLITE,
)
from bench.figures import Timing
from bench.tables import Found

KCHAT_AGAIN = "kchat, replay again after a turn"


@frozen
class Style:
    """How one contender looks in both pictures. Never told by its colour alone."""

    colour: str
    marker: str
    line: str = "-"
    label: str = ""


# Okabe and Ito's palette: told apart by people with any kind of colour blindness.
STYLES = {
    KCHAT: Style("#0072B2", "o", label="kchat"),
    KCHAT_AGAIN: Style("#0072B2", "s", "--", label="kchat, again after a turn"),
    RAW: Style("#000000", "v", ":", label="raw client"),
    RAW_DECODED: Style("#000000", "^", label="raw client + decode"),
    REDIS: Style("#D55E00", "D", label="Redis"),
    SQLITE: Style("#E69F00", "P", label="SQLite"),
    POSTGRES: Style("#009E73", "X", label="PostgreSQL"),
    OLD: Style("#CC79A7", "*", label="langchain_community's Kafka"),
}
"""Who is not here explains a figure of the tables, and would hide another line."""

LABEL_GAP = 0.055
"""Least distance of two labels, as a share of the height."""

Lines = Mapping[str, Sequence[tuple[int, float]]]


def latency_lines(found: Sequence[Found]) -> dict[str, list[tuple[int, float]]]:
    """Size and median milliseconds of each contender, from the workloads that replay."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for number, rename in ((2, {}), (3, {KCHAT: KCHAT_AGAIN, RAW_DECODED: ""})):
        for timing in _timings(found, number):
            name = rename.get(timing.contender, timing.contender)
            if name in STYLES and timing.size is not None:
                lines.setdefault(name, []).append((timing.size, timing.median * 1e3))
    return lines


def throughputs(found: Sequence[Found]) -> dict[str, dict[str, float]]:
    """Appends of a turn per second, by case and contender."""
    groups: dict[str, dict[str, float]] = {}
    for number, cases in ((4, {"a turn of 2": "1 session"}), (8, {})):
        for timing in _timings(found, number):
            case = cases.get(timing.case, timing.case if number == 8 and timing.size else "")
            if case and timing.contender in STYLES:
                groups.setdefault(case, {})[timing.contender] = 1 / timing.median
    return groups


def draw(found: Sequence[Found], directory: Path) -> None:
    """Write both as SVG."""
    with mpl.rc_context({"svg.hashsalt": "kchat", "font.size": 9.5, "svg.fonttype": "path"}):
        _latency(latency_lines(found), directory / "performance-latency.svg")
        _throughput(throughputs(found), directory / "performance-throughput.svg")


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Positions as near to the wanted ones as a gap between each two allows, in the same order."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    # Without the gaps the positions must only not descend: neighbours that do are put at their middle.
    groups: list[list[float]] = []
    for place, index in enumerate(order):
        groups.append([wanted[index] - place * gap])
        while len(groups) > 1 and fmean(groups[-2]) > fmean(groups[-1]):
            last = groups.pop()
            groups[-1] += last
    level = [fmean(group) for group in groups for _ in group]
    placed = {index: level[place] + place * gap for place, index in enumerate(order)}
    return [placed[index] for index in range(len(wanted))]


def _timings(found: Sequence[Found], number: int) -> list[Timing]:
    return [timing for each in found if each.number == number for timing in each.findings.timings]


def _latency(lines: Lines, path: Path) -> None:
    figure = Figure(figsize=(8.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    for name, points in lines.items():
        style = STYLES[name]
        axes.plot(*zip(*sorted(points), strict=True), style.line, color=style.colour, marker=style.marker)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("messages in the conversation")
    axes.set_ylabel("median time of one replay, ms")
    axes.set_title("Replay of a whole conversation, warm clients (lower is better)", loc="left")
    axes.grid(visible=True, which="major", color="#DDDDDD", linewidth=0.6)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    _label_ends(axes, lines)
    _save(figure, axes, path)


def _label_ends(axes: Axes, lines: Lines) -> None:
    """Name each line where it ends; labels that would cover each other move apart."""
    low, high = (log10(limit) for limit in axes.get_ylim())
    ends = {name: max(points) for name, points in lines.items()}
    for size in {size for size, _ in ends.values()}:
        names = [name for name, end in ends.items() if end[0] == size]
        wanted = [(log10(ends[name][1]) - low) / (high - low) for name in names]
        for name, height in zip(names, spread(wanted, LABEL_GAP), strict=True):
            _label(axes, name, ends[name], (size * 1.6, 10 ** (low + height * (high - low))))
    if ends:
        axes.set_xlim(right=max(size for size, _ in ends.values()) * 40)


def _label(axes: Axes, name: str, end: tuple[int, float], place: tuple[float, float]) -> None:
    style = STYLES[name]
    line = {"arrowstyle": "-", "color": style.colour, "linewidth": 0.6}
    axes.annotate(style.label, end, place, color=style.colour, va="center", arrowprops=line)


def _throughput(groups: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Points, not bars: on a logarithmic axis the length of a bar means nothing."""
    figure = Figure(figsize=(8.4, 5.2), layout="constrained")
    axes = figure.add_subplot()
    names: dict[float, str] = {}
    place = 0.0
    for case, group in groups.items():
        for contender, rate in sorted(group.items(), key=lambda each: each[1]):
            style = STYLES[contender]
            axes.plot(rate, place, color=style.colour, marker=style.marker, markersize=8)
            axes.annotate(f"{rate:,.0f}", (rate, place), (8, 0), textcoords="offset points", va="center")
            names[place] = f"{case}: {style.label}"
            place += 1
        place += 0.7
    axes.set_yticks(list(names), list(names.values()))
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.grid(visible=True, axis="both", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.set_xlabel("appends of 2 messages per second, all sessions together")
    axes.set_title("Appends (further right is better)", loc="left")
    axes.margins(x=0.12)
    _save(figure, axes, path)


def _save(figure: Figure, axes: Axes, path: Path) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
