"""Gives each row of the campaign its share of the time, collects its figures, and writes the table."""

import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.brokers import Missing, choose_jars_here
from tests.brokers.distribution import Distribution
from tests.brokers.installation import installed
from tests.proof.figures import Figures
from tests.proof.report import HEAD, remarks, table, write

MINUTES = float(os.environ.get("MINUTES", "1.5"))
REPORT = Path(__file__).parents[2] / "docs" / "reliability.md"
ROWS_KEY = pytest.StashKey[list[Figures]]()
PLANNED_KEY = pytest.StashKey[list[tuple[str, str]]]()
DIED_KEY = pytest.StashKey[str]()
SKIPPED_KEY = pytest.StashKey[bool]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "row(name, fault, share): a row of the campaign; its share of the time"
    )
    config.stash[ROWS_KEY] = []
    config.stash[PLANNED_KEY] = []


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every row is planned, selected or not. Each has time for itself, for its brokers and their download."""
    for item in items:
        if marker := item.get_closest_marker("row"):
            config.stash[PLANNED_KEY].append((marker.args[0], marker.args[1]))
            item.add_marker(pytest.mark.timeout(600 + 3 * _seconds(marker)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A row that died before it was judged has not held, whatever it had counted."""
    report = yield
    if report.when == "call" and report.failed:
        item.stash[DIED_KEY] = str(report.longrepr).strip().splitlines()[-1]
    item.stash[SKIPPED_KEY] = report.skipped
    return report


def _seconds(marker: pytest.Mark) -> float:
    return float(MINUTES * 60 * marker.args[2])


@pytest.fixture
def row_seconds(request: pytest.FixtureRequest) -> float:
    """How long this row may inject faults."""
    marker = request.node.get_closest_marker("row")
    return _seconds(marker)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Iterator[Figures]:
    """This row's figures; the goal is checked when the row is over."""
    name, fault, _ = request.node.get_closest_marker("row").args
    figures = Figures(name, fault)
    begun = time.monotonic()
    yield figures
    figures.seconds = time.monotonic() - begun
    if request.node.stash.get(SKIPPED_KEY, False):
        return  # the table says "not run", and pytest says why
    if died := request.node.stash.get(DIED_KEY, None):
        figures.went_wrong(f"the row ended with an error: {died}")
    request.config.stash[ROWS_KEY].append(figures)
    assert not figures.missed, "\n".join((*figures.missed, *figures.notes))


@pytest.fixture(scope="session")
def distribution() -> Distribution:
    """Kafka's jars: the rows start, kill and configure brokers of their own."""
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    return installed(choice.java)


@pytest.hookimpl(wrapper=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """Print the table; with KCHAT_PROOF_REPORT=1 write it, too."""
    yield
    rows = terminalreporter.config.stash[ROWS_KEY]
    if not rows:
        return
    planned = terminalreporter.config.stash[PLANNED_KEY]
    lines = [HEAD, *table(rows, planned)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    terminalreporter.write_line("")
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        terminalreporter.write_line("  ".join(padded).rstrip())
    for remark in remarks(rows):
        terminalreporter.write_line(remark)
    if os.environ.get("KCHAT_PROOF_REPORT") == "1":
        write(REPORT, rows, MINUTES, planned)
