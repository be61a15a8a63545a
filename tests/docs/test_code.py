"""Every block of Python in README and docs runs, in the order of its page, and prints what the page says."""

from pathlib import Path

import pytest

from kchat.io import KafkaLog
from tests.docs.pages import PAGES, PYTHON_FENCE, ROOT, examples, shown

# What LangChain keeps until its version 2, readers have in their programs.
pytestmark = pytest.mark.filterwarnings("ignore::langchain_core._api.LangChainDeprecationWarning")


def nothing() -> str:
    return ""


WITH_CODE = [page for page in PAGES if examples(page, nothing)]


@pytest.mark.parametrize("page", WITH_CODE, ids=str)
@pytest.mark.usefixtures("on_the_mock")
def test_the_code_of_a_page_runs(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for example in examples(page, lambda: capsys.readouterr().out):
        example.evaluate()


@pytest.mark.usefixtures("on_a_cluster")
def test_the_tutorial_runs_on_a_cluster_too(kafka: str, capsys: pytest.CaptureFixture[str]) -> None:
    with KafkaLog({"bootstrap.servers": kafka}) as log:
        for session in ("alice", "bob", "carol"):
            log.conversation(session).clear()
    for example in examples(Path("docs/tutorial.md"), lambda: capsys.readouterr().out):
        example.evaluate()


def test_no_block_of_python_is_left_out() -> None:
    fences = {page: len(PYTHON_FENCE.findall((ROOT / page).read_text())) for page in PAGES}
    run = {page: sum(map(shown, examples(page, nothing))) for page in PAGES}
    outputs = {page: (ROOT / page).read_text().count("```output\n") for page in PAGES}
    assert {page: run[page] - outputs[page] for page in PAGES} == fences
    assert sum(fences.values()) > 3


def test_no_block_is_told_to_be_skipped() -> None:
    assert [page for page in PAGES if "<!--- skip" in (ROOT / page).read_text()] == []
