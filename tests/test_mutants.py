"""The tool behind docs/mutants.md: it names a mutant by what it changes, and counts what a test noticed."""

import importlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def load(name: str) -> Any:
    """A tool is a script and in no package; the one imports the other."""
    tools = str(ROOT / "tools")
    sys.path.insert(0, tools)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(tools)


TOOL, PAGE = load("mutants"), load("mutants_page")

MUTATED = """\
def x_f__mutmut_orig(a):
    return a + 1

def x_f__mutmut_1(a):
    return a - 1

class C:
    async def xǁCǁg__mutmut_orig(self, b=0):
        return b

    async def xǁCǁg__mutmut_1(self, b=1):
        return b
"""


@pytest.mark.parametrize(
    ("mangled", "survivor"),
    [
        ("x_f__mutmut_1", "# budget.f\n- return a + 1\n+ return a - 1"),
        (
            "xǁCǁg__mutmut_1",
            "# budget.C.g\n- async def g(self, b=0):\n+ async def g(self, b=1):",
        ),
    ],
)
def test_a_mutant_is_named_by_its_function_and_the_lines_that_differ(mangled: str, survivor: str) -> None:
    found = PAGE.Survivor(*TOOL.change("budget", mangled, TOOL.functions(MUTATED)))
    assert str(found) == survivor
    assert found.module == "budget"
    assert list(PAGE.listed(f"Why.\n\n```diff\n{survivor}\n```\n")) == [found]


def test_one_block_may_explain_several() -> None:
    page = "```diff\n# a.f\n- x\n+ y\n# a.g\n- z\n```\n\n```python\n# no survivor\n```\n"
    assert [str(one) for one in PAGE.listed(page)] == ["# a.f\n- x\n+ y", "# a.g\n- z"]


def test_a_property_becomes_a_function_that_can_be_mutated() -> None:
    methods = [
        "@property\n    def one(self):\n        return 1",
        "@staticmethod\n    def two():\n        return 2",
    ]
    class_body = "\n\n    ".join(["class C:", *methods]) + "\n"
    names: dict[str, Any] = {}
    plain = TOOL.with_plain_properties(class_body)
    exec(plain, names)
    assert names["C"]().one == 1
    assert "@property" not in plain
    assert "@staticmethod" in plain


def mutants(codes: list[int | None]) -> list[Any]:
    return [TOOL.Mutant("budget", code, PAGE.Survivor("budget.f", ())) for code in codes]


def test_only_what_a_test_noticed_is_killed() -> None:
    (counted,) = TOOL.figures(mutants([1, 3, 0, 33, 5, -24, 36, None, 2]))
    assert (counted.mutants, counted.not_run, counted.run) == (9, 2, 7)
    assert (counted.survived, counted.timed_out, counted.killed) == (3, 2, 4)


def test_a_share_is_never_rounded_up() -> None:
    assert PAGE.Figures(module="m", mutants=2_000, survived=101).percent == "94.9 %"
    assert PAGE.Figures(module="m", mutants=2_000, survived=100).percent == "95.0 %"
    assert PAGE.Figures(module="m", mutants=2_000, survived=0, not_run=2_000).percent == "not run"


def test_figures_are_written_between_their_marks_and_name_what_was_not_finished() -> None:
    counted = [
        PAGE.Figures(module="budget", mutants=4, survived=1),
        PAGE.Figures(module="lanes", mutants=6, survived=0, not_run=6),
    ]
    page = f"before\n{PAGE.BEGIN}\nold\n{PAGE.END}\nafter\n"
    written = PAGE.with_figures(page, counted, "Python 3")
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "old" not in written
    assert "| budget | 4 | 3 | 0 | 1 | 75.0 % |" in written
    assert "Not finished: lanes." in written
    assert "| all | 10 | 3 | 0 | 1 | 75.0 % |" in written
    again = PAGE.with_figures(written, counted, "Python 3")
    assert again == written


@pytest.fixture
def mutmut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in the place of mutmut."""
    monkeypatch.setattr(TOOL, "WORK", tmp_path / "work")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    (tmp_path / "work").mkdir()
    script = tmp_path / "mutmut"
    script.touch(mode=0o700)
    return script


def test_a_run_is_stopped_with_its_children_when_its_time_is_over(
    mutmut: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutmut.write_text("#!/bin/sh\nsleep 100 & sleep 100\n")
    monkeypatch.setattr(TOOL, "SECONDS_MAX", 0.5)
    began = time.monotonic()
    TOOL.mutate([])
    assert time.monotonic() - began < 30, "the output ends when the last child is gone"


def test_a_run_that_fails_says_what_mutmut_said(mutmut: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mutmut.write_text("#!/bin/sh\nprintf '1/2  killed\\r2/2  killed\\rthe tests fail: %s' $2\nexit 1\n")
    with pytest.raises(SystemExit, match=r"the tests fail: kchat\.core\.budget\.\*"):
        TOOL.mutate(["budget"])
    assert capsys.readouterr().out == "1/2  killed\n", "the counters are shown now and then"


@pytest.mark.parametrize(
    ("mutant", "code"), [("kchat.core.budget.x_f__mutmut_1", pytest.ExitCode.INTERRUPTED), ("", 4)]
)
def test_a_run_that_does_not_start_kills_no_mutant(mutant: str, code: int) -> None:
    missing = "tests/core/test_budget.py::test_that_is_not_there"
    run = [sys.executable, "-m", "pytest", "-q", "--noconftest", "-p", "no:cacheprovider", missing]
    environ = os.environ | {"MUTANT_UNDER_TEST": mutant}
    done = subprocess.run(
        [*run, "-p", "tests.mutants"], cwd=ROOT, env=environ, capture_output=True, check=False
    )
    assert done.returncode == code
    assert int(pytest.ExitCode.INTERRUPTED) in TOOL.NOT_RUN


def test_every_explained_survivor_is_in_a_function_that_exists() -> None:
    sources = {path.stem: path.read_text() for path in (ROOT / "src" / "kchat" / "core").glob("*.py")}
    for survivor in PAGE.listed((ROOT / "docs" / "mutants.md").read_text()):
        name = survivor.function.rpartition(".")[2]
        assert re.search(rf"def {name}\(", sources[survivor.module]), survivor.function
