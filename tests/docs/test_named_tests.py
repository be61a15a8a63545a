"""Pages name the tests that show what they say: each of them exists, and the list of defects is whole."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT

NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
DEFECT = re.compile(r"^\| (\d+) \|[^|]+\|([^|]+)\|$", re.MULTILINE)
DEFECTS = ROOT / "docs" / "coming-from-langchain-community.md"


def missing(page: Path) -> list[str]:
    """The tests that a page names and nobody can find."""
    named = NAMED.findall((ROOT / page).read_text())
    return [
        f"{path}::{name}"
        for path, name in named
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text()
    ]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_test_that_a_page_names_exists(page: Path) -> None:
    assert missing(page) == []


def test_every_defect_has_its_number_and_a_test() -> None:
    rows = DEFECT.findall(DEFECTS.read_text())
    assert [int(number) for number, _ in rows] == list(range(1, len(rows) + 1))
    assert [number for number, here in rows if not NAMED.search(here)] == []
    assert len(rows) == 34
    assert "Thirty-four defects" in DEFECTS.read_text()
    assert "its 34 defects" in (ROOT / "README.md").read_text()


def test_the_numbers_in_the_table_of_members_are_those_of_the_list() -> None:
    members = DEFECTS.read_text().partition("## Member by member")[2].partition("## What that class")[0]
    cells = [line.split("|")[3] for line in members.splitlines() if line.startswith("| `")]
    named = {int(number) for cell in cells for number in re.findall(r"\b(\d+)\b(?! s)", cell)}
    assert named <= set(range(1, 35))
