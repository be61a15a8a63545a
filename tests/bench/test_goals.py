from bench.figures import Timing
from bench.goals import at_least_faster, at_most, faster_than_stores

TIMINGS = (
    Timing(contender="kchat", case="c", seconds=(1.0,)),
    Timing(contender="raw", case="c", seconds=(0.5,)),
    Timing(contender="old", case="c", seconds=(5_000.0,)),
    Timing(contender="slow store", case="c", seconds=(2.0,)),
    Timing(contender="fast store", case="c", seconds=(0.1,)),
)


def test_a_goal_compares_two_contenders_in_one_case() -> None:
    [goal] = at_most(TIMINGS, "kchat", "raw", "c", 1.5, "raw")
    assert (goal.measured, goal.met) == ("2.00x", False)
    assert at_most(TIMINGS, "kchat", "raw", "c", 2.0, "raw")[0].met


def test_who_is_absent_sets_no_goal() -> None:
    assert at_most(TIMINGS, "kchat", "nobody", "c", 1.5, "nobody") == ()
    assert at_least_faster(TIMINGS, "kchat", "nobody", "c", 2.0, "nobody") == ()
    assert faster_than_stores(TIMINGS, "kchat", "c", ("nobody",)) == ()


def test_faster_is_the_other_way_round() -> None:
    [goal] = at_least_faster(TIMINGS, "kchat", "old", "c", 2_000, "the old class")
    assert (goal.measured, goal.met) == ("5,000x", True)
    assert not at_least_faster(TIMINGS, "kchat", "old", "c", 5_001, "the old class")[0].met


def test_each_store_is_a_goal() -> None:
    goals = faster_than_stores(TIMINGS, "kchat", "c", ("slow store", "fast store"))
    assert [goal.met for goal in goals] == [True, False]
