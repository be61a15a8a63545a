import pytest
from bench.figures import Findings, Goal, Timing, ratio


def timing(*seconds: float, contender: str = "kchat", case: str = "") -> Timing:
    return Timing(contender=contender, case=case, seconds=seconds)


def test_the_median_is_the_middle_run() -> None:
    assert timing(3.0, 1.0, 2.0).median == 2.0
    assert timing(1.0, 2.0).median == 1.5


def test_p99_is_the_slowest_of_a_few_runs_and_not_of_many() -> None:
    assert timing(1.0).p99 == 1.0
    assert timing(*map(float, range(1, 100))).p99 == 99.0
    assert timing(*map(float, range(1, 101))).p99 == 99.0
    assert timing(*map(float, range(1, 202))).p99 == 199.0


def test_a_ratio_is_of_medians_in_the_same_case() -> None:
    timings = [
        timing(3.0, case="a"),
        timing(2.0, contender="raw", case="a"),
        timing(1.0, contender="raw", case="b"),
    ]
    assert ratio(timings, "kchat", "raw", "a") == 1.5
    with pytest.raises(KeyError):
        ratio(timings, "kchat", "raw", "b")


@pytest.mark.parametrize(("measured", "met"), [(1.5, True), (1.51, False)])
def test_a_bound_is_met_by_what_is_equal_to_it(measured: float, met: bool) -> None:
    assert Goal.ratio_max("<= 1.5x", measured, 1.5).met is met
    assert Goal.count_max("count", measured, 1.5).met is met


def test_counts_alone_are_structural() -> None:
    assert not Goal.ratio_max("", 1.0, 1.0).structural
    assert Goal.count_max("", 1, 1).structural
    assert Goal.count_max("", 1_000, 1).measured == "1,000"


def test_a_median_that_was_not_taken_is_an_error() -> None:
    with pytest.raises(KeyError):
        Findings().median("kchat")
