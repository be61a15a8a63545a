"""The documents keep their word: links lead somewhere, decisions are enforced. tests/docs runs their code."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ADRS = sorted((ROOT / "docs" / "adr").glob("0*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("adr", ADRS, ids=lambda path: path.stem)
def test_every_decision_names_a_check_that_exists(adr: Path) -> None:
    text = adr.read_text()
    assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Rejected", "Consequences"))
    named = re.findall(r"`(tests/[\w/.]+)`", text.split("*Check*")[1])
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_index_lists_every_decision() -> None:
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    assert [adr.name for adr in ADRS if f"({adr.name})" not in index] == []


def test_every_decision_that_the_code_names_exists() -> None:
    sources = "\n".join(path.read_text() for path in (ROOT / "src").rglob("*.py"))
    named = set(re.findall(r"docs/adr/[\w.-]+\.md|docs/[\w-]+\.md", sources))
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_page_is_in_the_navigation_or_in_the_list_of_decisions() -> None:
    navigation = (ROOT / "zensical.toml").read_text()
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    decisions = {f"adr/{adr.name}" for adr in ADRS}
    assert [page for page in sorted(pages - decisions) if f'= "{page}"' not in navigation] == []
