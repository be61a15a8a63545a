from bench.tables import duration, goal_rows, plain, rows, told

from tests.bench.fabricated import CRASHED, FOUND


def test_there_is_a_row_for_each_timing_case_by_case_and_for_who_is_absent() -> None:
    assert rows(FOUND.findings) == [
        ("4 messages", "kchat", "3 ms", "4 ms", "3", "1.50x"),
        ("4 messages", "raw client", "2 ms", "2 ms", "1", "1.00x"),
        ("50 messages", "kchat", "30 ms", "30 ms", "1", "-"),
        ("", "Redis", "not here", "", "", "not installed"),
    ]


def test_a_goal_says_whether_it_is_met_and_why_not() -> None:
    assert goal_rows(FOUND.findings.goals) == [
        ("<= 2x raw", "1.50x", "met"),
        ("<= 3 ms", "4 ms", "NOT met: the sieve has holes"),
        ("S: round trips", "3", "NOT met"),
    ]


def test_a_duration_has_three_digits_and_a_unit() -> None:
    assert [duration(seconds) for seconds in (5.123, 0.01234, 0.000456)] == ["5.12 s", "12.3 ms", "456 us"]


def test_columns_are_of_equal_width() -> None:
    assert plain(("a", "b"), [("long", "c")]) == "a     b\nlong  c"


def test_the_terminal_is_told_all() -> None:
    text = told(FOUND)
    assert text.startswith("2. full replay\n")
    assert text.endswith("note: Nobody measured this.")
    assert "CRASHED: ValueError: no" in told(CRASHED)
