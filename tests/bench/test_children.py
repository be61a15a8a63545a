"""Children that say something, say nothing, fail, and do not end."""

import json

import pytest
from bench.children.fresh_start import third_party
from bench.children.replay_memory import resident_peak
from bench.children.running import ChildFailedError, figures_of, run_python


def test_the_last_line_that_a_child_prints_has_its_figures() -> None:
    told = "from bench.children.telling import tell; print('before'); tell({'threads': 4})"
    done = run_python("-c", told, seconds_max=20.0)
    assert json.loads(done.stdout.splitlines()[-1]) == {"threads": 4}


def test_a_child_without_figures_is_an_error() -> None:
    with pytest.raises(ChildFailedError, match="telling said nothing"):
        figures_of("telling", seconds_max=20.0)


def test_a_child_that_fails_is_an_error_with_its_last_words() -> None:
    with pytest.raises(ChildFailedError, match="no_such_child"):
        figures_of("no_such_child", seconds_max=20.0)


def test_a_child_that_does_not_end_is_killed() -> None:
    with pytest.raises(ChildFailedError, match=r"not done after 0\.3 s"):
        run_python("-c", "import time; time.sleep(60)", seconds_max=0.3)


def test_a_child_has_the_environment_that_it_is_given() -> None:
    done = run_python(
        "-c", "import os; print(os.environ.get('ONE'))", seconds_max=20.0, environment={"ONE": "1"}
    )
    assert done.stdout.strip() == "1"


def test_only_new_packages_of_third_parties_are_named() -> None:
    before = frozenset({"pydantic", "pydantic.main", "sys"})
    new = frozenset({"pydantic.type_adapter", "ctypes", "_ctypes", "attr", "attr._make", "kchat.core"})
    assert third_party(new, before) == ["attr", "kchat"]


def test_constructing_histories_is_measured_without_a_broker() -> None:
    figures = figures_of("histories_at_rest", 200, seconds_max=60.0)
    assert len(figures["seconds"]) == 10
    assert figures["bytes_kept"] > figures["bytes_dropped"]


def test_resident_memory_is_told_in_bytes() -> None:
    assert resident_peak() == 0 or resident_peak() > 1 << 20
