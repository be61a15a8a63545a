"""The goals that can fail a run: what meets them and what does not."""

from typing import Any

import pytest
from bench.children.fresh_start import APPEND
from bench.figures import Goal
from bench.workloads import w05_chain as w05
from bench.workloads import w06_fresh_process as w06
from bench.workloads import w07_history_per_request as w07
from bench.workloads import w09_memory as w09
from bench.workloads import w10_idle as w10
from bench.workloads import w12_followers as w12

MIB = 1 << 20


def unmet(goals: tuple[Goal, ...]) -> list[str]:
    return [goal.goal for goal in goals if not goal.met]


def started(append: float = 0.05, packages: tuple[str, ...] = w06.PACKAGES, *unneeded: str) -> dict[str, Any]:
    return {"steps": {APPEND: append}, "packages": list(packages), "unneeded": list(unneeded)}


def test_a_fresh_process_that_is_as_it_should_be() -> None:
    goals = w06.structural_goals([started(), started(0.7)])  # one that was slow is the machine's doing
    assert unmet(goals) == []
    assert all(goal.structural for goal in goals)


@pytest.mark.parametrize(
    ("child", "measured"),
    [
        (started(0.505), "505 ms"),
        (started(0.05, (*w06.PACKAGES, "rich")), "attr, attrs, kchat, rich"),
        (started(0.05, ("attr", "kchat")), "attr, kchat"),
        (started(0.05, w06.PACKAGES, "msgspec"), "msgspec"),
    ],
)
def test_a_fresh_process_that_is_not(child: dict[str, Any], measured: str) -> None:
    assert [goal.measured for goal in w06.structural_goals([child]) if not goal.met] == [measured]


def counts(**more: int) -> dict[str, int]:
    return {
        "threads": 40,
        "python_threads": 1,
        "connections": 18,
        "producers": 1,
        "admins": 1,
        "readers": 8,
        "cursors": 0,
        **more,
    }


AT_REST = counts(threads=1, connections=0, producers=0, admins=0, readers=0)


def per_request(missing: int = 0, bytes_kept: float = 1_900.0, **used: int) -> list[str]:
    use = {"rest": AT_REST, "few": counts(), "used": counts(**used), "missing": missing}
    return unmet(w07.structural_goals({"bytes_kept": bytes_kept}, use, 300))


def test_histories_that_share_their_clients() -> None:
    assert per_request() == []
    assert per_request(threads=38, connections=16) == []


@pytest.mark.parametrize("used", [{"producers": 2}, {"admins": 2}, {"readers": 9}, {"connections": 19}])
def test_histories_that_do_not(used: dict[str, int]) -> None:
    assert len(per_request(**used)) == 1


def test_more_threads_than_forty_are_more_than_with_few_sessions_too() -> None:
    assert len(per_request(threads=41)) == 2


def test_a_message_that_is_not_read_back_and_a_history_that_is_too_large() -> None:
    assert per_request(missing=1) == ["acknowledged messages that the same request did not read"]
    assert per_request(bytes_kept=3_100.0) == ["bytes of a history at rest"]


def test_what_is_at_rest_is_counted_without_the_programs_own_thread() -> None:
    assert w07.at_rest(AT_REST) == 0
    assert w07.at_rest({**AT_REST, "threads": 4, "producers": 1}) == 4


@pytest.mark.parametrize(("stream", "met"), [(4 * MIB, True), (5 * MIB, False)])
def test_a_stream_may_take_two_batches(stream: int, met: bool) -> None:
    goal = w09.peak_goal(stream=stream, batch=2 * MIB, whole=90 * MIB)
    assert goal.met is met
    assert "to 2.0 MiB; 90.0 MiB" in goal.measured


@pytest.mark.parametrize(("share", "measured", "met"), [(0.001, "0.10%", True), (0.005, "0.50%", False)])
def test_a_share_of_a_core(share: float, measured: str, met: bool) -> None:
    goal = w10.share_goal("tail", share)
    assert (goal.measured, goal.met) == (measured, met)


def test_a_tail_that_was_faster_than_the_acknowledgement_took_no_time() -> None:
    acknowledged, called = w10.arrival_timings(
        "tail", {"called": [0.003, 0.004], "acknowledged": [-0.001, 0.002]}
    )
    assert acknowledged.seconds == (0.0, 0.002)
    assert called.seconds == (0.003, 0.004)


def followed(**held: int) -> dict[str, Any]:
    return {"held": {"threads": 57, "sockets": 24, "files": 90, **held}}


def test_followers_that_share_threads_and_connections() -> None:
    goals = w12.structural_goals(followed(), followed(threads=60, files=95), 1_000)
    assert unmet(goals) == []
    assert all(goal.structural for goal in goals)


@pytest.mark.parametrize("held", [{"threads": 71}, {"sockets": 31}, {"files": 1_090}])
def test_followers_that_each_take_one(held: dict[str, int]) -> None:
    assert len(unmet(w12.structural_goals(followed(), followed(**held), 1_000))) == 1


@pytest.mark.parametrize(("share", "measured", "met"), [(0.026, "2.6%", True), (0.05, "5.0%", False)])
def test_a_share_of_a_core_of_all_followers(share: float, measured: str, met: bool) -> None:
    goal = w12.share_goal(1_000, share)
    assert (goal.measured, goal.met) == (measured, met)


@pytest.mark.parametrize(("round_trips", "met"), [(2, True), (4, False)])
def test_round_trips_of_a_read_from_the_place_are_told_and_fail_no_run(round_trips: int, met: bool) -> None:
    goal = w05.placed_goal(round_trips)
    assert (goal.measured, goal.met, goal.structural) == (str(round_trips), met, False)
