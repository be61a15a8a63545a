"""The documents keep their word: links lead somewhere, decisions are enforced, examples in the README run."""

import re
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage

from kchat.core import AppendUnknown
from kchat.io import EmbeddedKafka
from kchat.langchain import KafkaChatMessageHistory

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


def code_blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


def test_the_first_example_runs(embedded: EmbeddedKafka, capsys: pytest.CaptureFixture[str]) -> None:
    # The mock cannot create topics on request, so the example gets a log that knows it.
    example = code_blocks()[0]
    with embedded.log() as log:

        def on_embedded(session_id: str, _: str, *, replay: bool) -> KafkaChatMessageHistory:
            return KafkaChatMessageHistory(session_id, embedded.bootstrap_servers, replay=replay, log=log)

        names = {"KafkaChatMessageHistory": on_embedded}
        exec(example.replace("from kchat.langchain import KafkaChatMessageHistory\n", ""), names)
    assert capsys.readouterr().out == "human What is 6 times 7?\nai 42.\n"


def test_the_example_without_kafka_runs() -> None:
    def answer(history: KafkaChatMessageHistory, text: str) -> None:
        history.add_user_message(text)
        history.add_messages([AIMessage(f"You said: {text}")])

    names = {"KafkaChatMessageHistory": KafkaChatMessageHistory, "answer": answer}
    exec(code_blocks()[2], names)
    history = names["history"]
    assert isinstance(history, KafkaChatMessageHistory)
    with pytest.raises(AppendUnknown):
        history.add_user_message("and the answer to this one is lost")


def test_the_reads_of_the_readme_give_what_they_say(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(next(block for block in code_blocks() if "talk.last(10)" in block), names)
    counts = {
        name: len(list(names[name]))
        for name in ("whole", "page", "older", "newer", "recent", "prompt", "live")
    }
    assert list(counts.values()) == [40, 10, 10, 0, 40, 40, 39]
    assert names["older"].messages[0].text == "question 20"
    assert capsys.readouterr().out.splitlines() == [f"question {number}" for number in range(5)]
