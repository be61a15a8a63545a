"""Writes docs/performance.*."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.figures_json import as_json
from bench.page import page
from bench.plots import draw
from bench.tables import Found

DOCS = Path(__file__).parents[1] / "docs"
NAME = "performance"


def write(found: Sequence[Found], machine: Mapping[str, str], *, quick: bool, directory: Path = DOCS) -> None:
    """The page, the figures and the pictures."""
    date = datetime.now(UTC).date().isoformat()
    path = directory / f"{NAME}.md"
    before = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(page(found, machine, date, before, quick=quick), encoding="utf-8")
    figures = as_json(found, machine, date, quick=quick)
    (directory / f"{NAME}.json").write_text(figures, encoding="utf-8")
    draw(found, directory)
