"""What the nightly run says at its end."""

import pytest

from tests.nightly import EXAMPLES_DEFAULT, examples, is_nightly, last_lines


def test_the_examples_are_those_that_were_asked_for() -> None:
    assert examples({}) == EXAMPLES_DEFAULT
    assert examples({"NIGHTLY_EXAMPLES": "7"}) == 7


@pytest.mark.parametrize(("profile", "nightly"), [("nightly", True), ("dev", False), (None, False)])
def test_a_run_is_nightly_by_its_profile(profile: str | None, nightly: bool) -> None:
    assert is_nightly({} if profile is None else {"HYPOTHESIS_PROFILE": profile}) is nightly


def test_the_last_lines_say_where_the_failures_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTLY_EXAMPLES", "2000")
    assert last_lines(3, []) == ["nightly: 3 properties with 2,000 examples each: all hold"]
    lines = last_lines(3, ["tests/core/test_x.py::test_y"])
    assert lines[0] == "nightly: 4 properties with 2,000 examples each: 1 do not hold"
    assert ".venv/bin/pytest 'tests/core/test_x.py::test_y'" in lines[1]
