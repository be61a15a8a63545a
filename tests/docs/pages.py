"""The pages that readers see, and the code in them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path.relative_to(ROOT)
    for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md"))
)
# As readers and code hosts see a block of Python, in a list or a quotation too.
PYTHON_FENCE = re.compile(r"^[ \t>*-]*(?:`{3,}|~{3,}) *\{?\.?py", re.MULTILINE | re.IGNORECASE)

SNIPPET = re.compile(r'^--8<-- "(?P<path>[\w/.]+)(?::(?P<section>\w+))?"$', re.MULTILINE)


class Output(CodeBlockParser):
    """Blocks of the language `output`: what the Python blocks before them have printed."""

    language = "output"

    def __init__(self, printed: Callable[[], str]) -> None:
        super().__init__()
        self._printed = printed

    def evaluate(self, example: Example) -> str | None:
        """Compare; a text is what is wrong."""
        printed, wanted = self._printed(), str(example.parsed)
        return None if printed == wanted else f"the page says\n{wanted}\nand the code printed\n{printed}"


def examples(page: Path, printed: Callable[[], str]) -> list[Example]:
    """The Python blocks of a page, those that a reader does not see among them, and its blocks of output.

    They share one namespace, as a reader reads them: from the top.
    """
    document = Document(SNIPPET.sub(included, (ROOT / page).read_text()), str(ROOT / page))
    for parser in (PythonCodeBlockParser(), Output(printed)):
        for region in parser(document):
            document.add(region)
    return list(document.examples())


def included(snippet: re.Match[str]) -> str:
    """What the site shows in place of a line that names a file of the project, or a section of one."""
    text = (ROOT / snippet["path"]).read_text()
    if snippet["section"] is None:
        return text
    begin, end = (f"# --8<-- [{edge}:{snippet['section']}]\n" for edge in ("start", "end"))
    return text.partition(begin)[2].partition(end)[0]


def shown(example: Example) -> bool:
    """Whether a reader sees it: a block in a comment prepares what the page need not say."""
    return not example.document.text[example.region.start :].lstrip().startswith("<!--")
