from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("matplotlib", reason="make bench installs it")

from bench.figures import Findings, Timing
from bench.plots import KCHAT_AGAIN, draw, latency_lines, spread, throughputs
from bench.tables import Found

from tests.bench.fabricated import FOUND

if TYPE_CHECKING:
    from pathlib import Path


def found(number: int, *timings: Timing) -> Found:
    return Found(number=number, title="", findings=Findings(timings=timings))


AGAIN = found(
    3,
    Timing(contender="kchat", case="c", seconds=(0.005,), size=100),
    Timing(contender="raw client + decode", case="c", seconds=(0.5,), size=100),
)
APPENDS = found(4, Timing(contender="kchat", case="a turn of 2", seconds=(0.002,)))
MANY = found(
    8,
    Timing(contender="kchat", case="8 threads", seconds=(0.001,), size=8),
    Timing(contender="kchat", case="beside another", seconds=(0.001,)),
)


def test_latency_is_of_whole_conversations_and_of_what_kchat_reads_again() -> None:
    assert latency_lines([FOUND, AGAIN]) == {
        "kchat": [(4, 3.0), (50, 30.0)],
        "raw client": [(4, 2.0)],
        KCHAT_AGAIN: [(100, 5.0)],
    }


def test_throughput_is_by_case() -> None:
    assert throughputs([APPENDS, MANY]) == {"1 session": {"kchat": 500.0}, "8 threads": {"kchat": 1000.0}}


def test_pictures_are_the_same_each_time(tmp_path: Path) -> None:
    drawn = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        draw([FOUND, AGAIN, APPENDS, MANY], tmp_path / name)
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert set(drawn[0]) == {"performance-latency.svg", "performance-throughput.svg"}
    assert drawn[0] == drawn[1]


def test_pictures_of_nothing_are_drawn_too(tmp_path: Path) -> None:
    draw([], tmp_path)


def test_labels_move_only_as_far_as_they_must() -> None:
    assert spread([], 1.0) == []
    assert spread([5.0, 0.0], 1.0) == [5.0, 0.0]
    assert spread([0.0, 0.0, 9.0], 1.0) == pytest.approx([-0.5, 0.5, 9.0])
    assert spread([1.0, 0.9, 1.1], 1.0) == pytest.approx([1.0, 0.0, 2.0])
