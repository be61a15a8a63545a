from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from bench.measuring import NotDoneError, Task, measure, returns

if TYPE_CHECKING:
    from collections.abc import Callable


def task(name: str, log: list[str], **more: object) -> Task:
    def prepare() -> Callable[[], list[str]]:
        log.append(f"prepare {name}")
        return run

    def run() -> list[str]:
        log.append(name)
        return [name]

    return Task(contender=name, case="", prepare=prepare, **more)  # type: ignore[arg-type]


def test_all_take_part_in_each_round_after_a_warmup() -> None:
    log: list[str] = []
    timings = measure([task("a", log), task("b", log)], 5)
    ran = [entry for entry in log if not entry.startswith("prepare")]
    assert [len(timing.seconds) for timing in timings] == [5, 5]
    assert [sorted(ran[at : at + 2]) for at in range(0, 12, 2)] == [["a", "b"]] * 6


def test_the_order_changes_and_is_the_same_in_every_run() -> None:
    logs: list[list[str]] = [[], []]
    for log in logs:
        measure([task(name, log) for name in "abc"], 6, warmups=0)
    ran = [entry for entry in logs[0] if not entry.startswith("prepare")]
    assert len({tuple(ran[at : at + 3]) for at in range(0, 18, 3)}) > 1
    assert logs[0] == logs[1]


def test_one_that_takes_long_has_no_warmup_and_few_rounds() -> None:
    log: list[str] = []
    slow, quick = measure([task("slow", log, rounds_max=2), task("quick", log)], 5)
    assert (len(slow.seconds), len(quick.seconds)) == (2, 5)
    assert log.count("slow") == 2


def test_preparing_is_not_measured_and_a_run_of_many_is_divided() -> None:
    def prepare() -> Callable[[], object]:
        time.sleep(0.05)
        return lambda: time.sleep(0.02)

    [timing] = measure([Task(contender="a", case="", prepare=prepare, per=10)], 1, warmups=0)
    assert 0.002 <= timing.seconds[0] < 0.05 / 10


def test_when_the_time_is_over_three_rounds_are_done_all_the_same() -> None:
    [timing] = measure([task("a", [])], 100, seconds_max=0.0)
    assert len(timing.seconds) == 3


def test_who_does_not_do_the_work_has_no_time() -> None:
    with pytest.raises(NotDoneError, match="a"):
        measure([task("a", [], check=returns(2))], 1)


def test_a_count_is_of_a_list() -> None:
    assert returns(1)(["m"])
    assert not returns(1)([])
    assert not returns(0)(None)


def test_what_a_run_leaves_is_given_back_before_the_next() -> None:
    log: list[str] = []
    measure([task("a", log, after=lambda: log.append("after a"))], 2, warmups=0)
    assert log == ["prepare a", "a", "after a"] * 2
