import json

from bench.figures_json import as_json
from bench.page import BEGIN_BY_HAND, END_BY_HAND, by_hand, page

from tests.bench.fabricated import CRASHED, FOUND, MACHINE


def written(before: str = "", *, quick: bool = False) -> str:
    return page([FOUND, CRASHED], MACHINE, "2026-01-02", before, quick=quick)


def test_the_page_has_the_machine_the_goals_and_a_table_for_each_workload() -> None:
    lines = written().splitlines()
    assert "| processor | an abacus, 2 rows |" in lines
    assert "| date | 2026-01-02, a full run |" in lines
    assert "| 2 | <= 3 ms | 4 ms | NOT met: the sieve has holes |" in lines
    assert "| 2 | S: round trips | 3 | NOT met |" in lines
    assert "| 7 | the workload runs | ValueError: no | NOT met |" in lines
    assert "## 2. Full replay" in lines
    assert "| 4 messages | kchat | 3 ms | 4 ms | 3 | 1.50x |" in lines
    assert "|  | Redis | not here |  |  | not installed |" in lines
    assert "Nobody measured this." in lines


def test_a_quick_run_is_called_one() -> None:
    assert "2026-01-02, a quick run: few rounds" in written(quick=True)


def test_what_was_written_by_hand_is_kept_and_nothing_else() -> None:
    first = (
        written().replace(END_BY_HAND, f"Mind the gap.\n{END_BY_HAND}").replace("an abacus", "a slide rule")
    )
    second = written(first)
    assert f"{BEGIN_BY_HAND}\nMind the gap.\n{END_BY_HAND}" in second
    assert "a slide rule" not in second
    assert written(second) == second


def test_a_page_without_the_lines_has_nothing_by_hand() -> None:
    assert by_hand("") == ""
    assert by_hand(f"{BEGIN_BY_HAND}\nno end") == ""


def test_programs_get_the_figures() -> None:
    whole = json.loads(as_json([FOUND, CRASHED], MACHINE, "2026-01-02", quick=True))
    replay, crash = whole["workloads"]
    assert (whole["date"], whole["quick"], whole["machine"]) == ("2026-01-02", True, MACHINE)
    assert replay["timings"][0] == {
        "contender": "kchat",
        "case": "4 messages",
        "size": 4,
        "runs": 3,
        "median": 0.003,
        "p99": 0.004,
    }
    assert [goal["met"] for goal in replay["goals"]] == [True, False, False]
    assert crash["crash"] == "ValueError: no"
