"""The notebook runs, and shows what it is stored with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

NOTEBOOK = Path(__file__).parents[2] / "examples" / "reading_a_conversation.ipynb"
CODE_LINES_MAX = 80
SECONDS_MAX = 60
EXECUTE = ["-m", "jupyter", "execute", "--inplace", "--NotebookClient.record_timing=False"]
REFRESH = f"run python {' '.join(EXECUTE)} examples/{NOTEBOOK.name}, and look at the difference"


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def outputs(notebook: Any) -> list[list[str]]:
    """What each code cell shows: Markdown, or what it printed."""
    return [
        ["".join(shown.get("text") or shown["data"]["text/markdown"]) for shown in cell["outputs"]]
        for cell in code(notebook)
    ]


def test_the_notebook_shows_what_it_is_stored_with(tmp_path: Path) -> None:
    copy = Path(shutil.copy(NOTEBOOK, tmp_path))
    # A process of its own: a kernel's client leaves its sockets to the garbage collector.
    command = [sys.executable, *EXECUTE, str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    assert done.returncode == 0, done.stderr
    assert outputs(read(copy)) == outputs(read(NOTEBOOK)), REFRESH


def test_the_notebook_is_short_and_shows_messages() -> None:
    notebook = read(NOTEBOOK)
    assert sum(len(cell["source"]) for cell in code(notebook)) < CODE_LINES_MAX
    shown = outputs(notebook)
    assert shown[1] == [
        "**human** · 2023-11-14 22:13:20 UTC\n\n```text\nThe *lamp*.\n```\n\n"
        "**ai** · 2023-11-14 22:13:20 UTC\n\n"
        "```text\nIt left us on Monday for $4.90, and is to be with you on Tuesday.\n```\n\n"
        "*2 messages, ended by count*"
    ]
    assert "The *lamp*." not in shown[4][0]  # it was redacted
