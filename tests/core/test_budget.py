"""Time is spent by events and never overdrawn."""

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import BrokerError, Budget, ErrorKind
from kchat.core.budget import BACKOFF_MS_MAX, SLICE_MS, SLICE_MS_MAX

BROKEN = BrokerError(ErrorKind.TRANSIENT, "_TRANSPORT", "the connection broke")
SILENT = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT")
NAMED = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "no broker answers")

steps = st.tuples(
    st.sampled_from(["answered", "waited", "not_yet", "broken", "silent", "extended"]), st.integers(0, 1_000)
)


def after(budget: Budget, step: tuple[str, int]) -> Budget:
    name, passed_ms = step
    at_ms = budget.now_ms + passed_ms
    match name:
        case "broken":
            return budget.failed(at_ms, BROKEN)
        case "silent":
            return budget.failed(at_ms, SILENT)
        case "extended":
            return budget.extended(passed_ms)
        case _:
            result = getattr(budget, name)(at_ms)
            assert isinstance(result, Budget)
            return result


def limited(wait_ms_max: int | None = 5_000, at_ms: int = 0) -> Budget:
    return Budget.start(at_ms=at_ms, wait_ms_max=wait_ms_max, stall_ms_max=3_000)


@given(st.none() | st.integers(0, 5_000), st.lists(steps, max_size=20))
def test_no_command_gets_more_than_a_slice_or_more_than_is_left(
    wait_ms_max: int | None, history: list[tuple[str, int]]
) -> None:
    budget = limited(wait_ms_max, at_ms=70)
    for step in history:
        budget = after(budget, step)
        assert 1 <= budget.timeout_ms <= SLICE_MS_MAX
        assert 0 <= budget.backoff_ms <= BACKOFF_MS_MAX
        left_ms = budget.end_ms - budget.now_ms
        assert budget.spent is (left_ms <= 0)
        assert budget.spent or budget.backoff_ms + budget.timeout_ms <= left_ms


@given(st.lists(steps.filter(lambda step: step[0] != "extended"), max_size=20))
def test_a_deadline_is_fixed_when_the_call_starts(history: list[tuple[str, int]]) -> None:
    budget = limited(at_ms=70)
    for step in history:
        budget = after(budget, step)
        assert budget.end_ms == 5_070


def test_a_call_without_a_limit_ends_when_nothing_is_answered() -> None:
    budget = limited(None)
    assert budget.answered(2_999).end_ms == 5_999
    assert budget.waited(2_999).end_ms == budget.failed(2_999, BROKEN).end_ms == 3_000
    assert budget.not_yet(2_999).end_ms == 5_999, "'ask again later' is an answer"
    assert budget.waited(3_000).spent
    assert not budget.waited(2_999).spent


def test_time_outs_get_longer_slices_and_no_backoff() -> None:
    budget, seen = limited(), []
    for _ in range(4):
        seen.append((budget.timeout_ms, budget.backoff_ms))
        budget = budget.failed(0, SILENT)
    assert seen == [(SLICE_MS, 0), (2 * SLICE_MS, 0), (SLICE_MS_MAX, 0), (SLICE_MS_MAX, 0)]


def test_failures_back_off_longer_each_time_and_an_answer_ends_it() -> None:
    budget, seen = limited(), []
    for _ in range(7):
        seen.append(budget.backoff_ms)
        budget = budget.failed(0, BROKEN)
    assert seen == [0, 5, 10, 20, 40, 80, BACKOFF_MS_MAX]
    assert budget.answered(0) == limited()
    assert limited().not_yet(0).backoff_ms == 5, "'ask again later' waits as the first failure does"


@pytest.mark.parametrize(
    ("left_ms", "backoff_ms", "timeout_ms"), [(0, 0, 1), (1, 0, 1), (2, 1, 1), (7, 5, 2)]
)
def test_the_last_command_keeps_a_millisecond_of_the_waiting_before_it(
    left_ms: int, backoff_ms: int, timeout_ms: int
) -> None:
    budget = limited(5_000, at_ms=70).failed(5_070 - left_ms, BROKEN)
    assert (budget.backoff_ms, budget.timeout_ms) == (backoff_ms, timeout_ms)


def test_an_answer_ends_the_longer_slices() -> None:
    slow = limited().failed(0, SILENT).failed(0, SILENT)
    assert slow.timeout_ms == SLICE_MS_MAX
    assert slow.answered(0).timeout_ms == SLICE_MS
    assert slow.extended(800).timeout_ms == SLICE_MS


def test_the_reason_that_names_a_cause_is_kept_for_the_end() -> None:
    budget = limited().failed(0, BROKEN)
    assert budget.failed(0, SILENT).trouble == BROKEN
    assert budget.failed(0, NAMED).trouble == NAMED
    assert limited().failed(0, SILENT).trouble == SILENT
    assert budget.waited(1).trouble == BROKEN
    assert budget.answered(1).trouble is None


def test_an_extension_grants_at_least_what_it_says_and_never_shortens() -> None:
    late = evolve(limited(), now_ms=4_990).failed(4_990, BROKEN)
    assert late.extended(800).end_ms == 5_790
    assert late.extended(800).trouble is None
    assert (late.extended(800).backoff_ms, late.extended(800).timeout_ms) == (0, SLICE_MS)
    assert limited().extended(800).end_ms == 5_000
    assert limited(None).extended(800).end_ms == 3_000
