"""The campaign's own measure: each thing that must not be is noticed, and written down."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from langchain_core.messages import HumanMessage

from kchat.langchain import KafkaChatMessageHistory
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name, Told
from tests.proof.load import Seen
from tests.proof.report import BEGIN, END, ROWS, remarks, table, write


def names(writer: str, *numbers: int) -> list[Name]:
    return [Name(writer, number, 0) for number in numbers]


def judged(texts: list[str], **told: list[Name]) -> Figures:
    ledger, figures = Ledger(), Figures("crowd", "none", operations=1)
    for how, entered in told.items():
        ledger.enter(entered, Told(how))
    ledger.judge(texts, figures, "a reader")
    return figures


def test_what_was_appended_and_is_seen_once_and_in_order_holds() -> None:
    figures = judged(["a:0:0", "b:0:0", "a:1:0"], acknowledged=names("a", 0, 1), unknown=names("b", 0))
    assert figures.missed == ()


@pytest.mark.parametrize(
    ("texts", "told", "missed"),
    [
        (["a:0:0"], {"acknowledged": names("a", 0, 1)}, "lost 1"),
        (["a:0:0", "a:0:0"], {"acknowledged": names("a", 0)}, "duplicates 1"),
        (["a:0:0", "a:0:0"], {"unknown": names("a", 0)}, "duplicates 1"),
        (["a:1:0", "a:0:0"], {"acknowledged": names("a", 0, 1)}, "out of order 1"),
        (["a:0:0"], {"refused": names("a", 0)}, "a reader sees a:0:0, which was refused"),
        (["x:0:0"], {"refused": names("a", 0)}, "a reader sees x:0:0, which was never appended"),
    ],
    ids=["lost", "doubled", "doubled though unknown", "reordered", "surfaced", "invented"],
)
def test_what_must_not_be_is_counted(texts: list[str], told: dict[str, list[Name]], missed: str) -> None:
    assert missed in judged(texts, **told).missed


def test_a_hole_is_what_is_missing_between_the_first_and_the_last_one_seen() -> None:
    ledger = Ledger()
    ledger.enter(names("a", 0, 1, 2, 3, 4), Told.ACKNOWLEDGED)
    ledger.enter(names("a", 5), Told.UNKNOWN)
    assert [ledger.holes(texts) for texts in ([], ["a:3:0"], ["a:1:0", "a:4:0"])] == [0, 0, 2]


def test_what_is_unknown_may_be_there_or_not() -> None:
    assert judged([], unknown=names("a", 0)).missed == ()


@pytest.mark.parametrize(("unmoved", "counted"), [("not answered", 2), (None, 4)])
def test_only_what_a_read_without_its_commit_gave_may_come_again(unmoved: object, counted: int) -> None:
    seen, messages = Seen(), [HumanMessage("w:0:0"), HumanMessage("w:0:1")]
    history = SimpleNamespace(
        messages_from_last_consumed=lambda *_: messages,
        last_outcome=SimpleNamespace(progress=SimpleNamespace(unmoved=unmoved)),
    )
    seen.read(cast(KafkaChatMessageHistory, history), None)
    history.last_outcome.progress.unmoved = None
    seen.read(cast(KafkaChatMessageHistory, history), None)
    assert len(seen) == counted


def test_a_call_beyond_its_limit_and_a_second_is_counted_however_it_ends() -> None:
    figures = Figures("crowd", "none")
    with pytest.raises(ValueError, match="x"), figures.call(-2.0):
        raise ValueError("x")
    with figures.call(0.0):
        time.sleep(0.01)
    assert (figures.operations, figures.overruns, len(figures.missed)) == (2, 1, 1)
    assert figures.longest_seconds >= 0.01


def test_calls_that_another_process_timed_count_as_ones_own() -> None:
    figures = Figures("crowd", "none")
    figures.took(1.0, 1.9, calls=3)
    assert (figures.operations, figures.longest_seconds, figures.missed) == (3, 1.9, ())
    figures.took(1.0, 2.1)
    assert (figures.operations, figures.overruns, len(figures.missed)) == (4, 1, 1)


def test_what_the_figures_alone_do_not_say_is_told() -> None:
    silent, noted = (
        Figures("crowd", "none", operations=1),
        Figures("full", "none", faults=1, notes=["so it was"]),
    )
    assert remarks([silent, noted]) == ["- full, none: so it was; **not held**: nothing was done"]


def test_a_row_that_did_nothing_or_hung_did_not_hold() -> None:
    assert Figures("crowd", "none").missed == ("nothing was done",)
    assert Figures("crowd", "none", operations=1, hangs=1).missed == ("hangs 1",)


def test_the_table_has_a_line_for_each_row_that_ran_and_names_those_that_did_not(tmp_path: Path) -> None:
    ran = [Figures("crowd", "one", operations=1_000), Figures("crowd", "two", operations=1, lost=1)]
    lines = table(ran, [("crowd", "one"), ("crowd", "skipped"), ("crowd", "two")])
    assert [line[0] for line in lines if line[0] != "crowd"] == [name for name in ROWS if name != "crowd"]
    assert {line[-1] for line in lines if line[0] != "crowd"} == {"not run"}
    assert [(line[1], line[2], line[-1]) for line in lines if line[0] == "crowd"] == [
        ("one", "1,000", "yes"),
        ("skipped", "", "not run"),
        ("two", "1", "no"),
    ]
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(page, ran, 1.5)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old" not in text
    assert "**not held**: lost 1" in text


def test_a_page_without_the_marks_is_not_touched(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="needs the marks"):
        write(page, [], 1.5)
    assert page.read_text() == "no marks"


ROW_THAT_DIES = """
import pytest

@pytest.mark.row("crowd", "a row that dies", 0.0)
def test_dies(figures):
    figures.operations = 1
    raise RuntimeError("before it was judged")

@pytest.mark.row("full", "a row without a fault", 0.0)
def test_calm(figures):
    figures.operations = 1

@pytest.mark.row("full", "a row that is skipped", 0.0)
def test_skipped(figures):
    pytest.skip("not here")
"""


def test_a_row_that_dies_or_has_no_fault_did_not_hold(tmp_path: Path) -> None:
    """Run as the campaign is, in a child, with the campaign's own conftest."""
    (tmp_path / "conftest.py").write_text("from tests.proof.conftest import *\n")
    (tmp_path / "test_rows.py").write_text(ROW_THAT_DIES)
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", str(root / "pyproject.toml"), "--rootdir", str(tmp_path), "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "KCHAT_PROOF_REPORT": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the row ended with an error" in ran.stdout, ran.stdout + ran.stderr
    assert "before it was judged" in ran.stdout
    assert "no fault was made" in ran.stdout
    lines = [line.split("  ") for line in ran.stdout.splitlines() if line.startswith(("crowd  ", "full  "))]
    assert [line[-1] for line in lines] == ["no", "no", "not run"], lines
