"""The measure of the readers that look on: each thing that must not be is noticed."""

import time

import pytest

from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker
from tests.proof.figures import Figures
from tests.proof.onlookers import Replaying, judge_slice

WHOLE = ["a", "b", "c", "d"]


def figures() -> Figures:
    return Figures("crowd", "none", operations=1)


@pytest.mark.parametrize("seen", [[], ["a"], ["b", "c"], WHOLE])
def test_one_piece_of_the_order_holds(seen: list[str]) -> None:
    counted = figures()
    judge_slice(seen, WHOLE, counted, "a reader")
    assert counted.missed == ()


@pytest.mark.parametrize(
    ("seen", "missed"),
    [
        (["a", "c"], "lost 1"),
        (["a", "b", "b"], "duplicates 1"),
        (["b", "a"], "out of order 1"),
        (["c", "x"], "a reader: 0 gaps, 0 again, 1 backwards"),
    ],
    ids=["gap", "again", "backwards", "invented"],
)
def test_another_piece_is_counted(seen: list[str], missed: str) -> None:
    counted = figures()
    judge_slice(seen, WHOLE, counted, "a reader")
    assert missed in counted.missed


def test_a_replay_that_does_not_begin_as_the_one_before_is_noticed() -> None:
    broker, counted = FakeBroker(), figures()
    with KafkaChatMessageHistory("s", "fake:1", replay=True, log=broker) as history:
        history.add_user_message("a")
        reader = Replaying(history)
        reader.until(time.monotonic(), counted)
        history.add_user_message("b")
        reader.until(time.monotonic(), counted)
        assert counted.missed == ()
        reader.judge(["a", "b", "c"], counted)
        assert counted.missed == ()
        reader.judge(["b", "a"], counted)
        assert counted.wrong == ["two readers replay in different orders"]
        history.clear()
        history.add_user_message("b")
        reader.until(time.monotonic(), counted)
        assert counted.wrong[1:] == ["replay 3 does not begin with the 2 before it"]
