"""Markdown for a terminal, where it shows all that was said; else the text as it was written.

To markdown `<script>`, `List<String>`, a comment or `&amp;` are not what they are to who wrote them: it drops
them, or shows something else. Nobody would know that anything was missing.
"""

import re
from typing import Any

from attrs import frozen
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Markdown
from rich.segment import Segment
from rich.text import Text

from kchat.conversation.escaping import printable_lines

CHARACTERS_MAX = 20_000
"""A longer text is shown as it was written: markdown is for what somebody reads."""

_WORD = re.compile(r"[^\W_]+")
"""Letters and digits: the marks of markdown are none, and what they mean is shown by other means."""


@frozen
class FaithfulMarkdown:
    """A text that a model wrote."""

    text: str

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        source = printable_lines(self.text)
        shown = _rendered(source, console, options) if len(source) <= CHARACTERS_MAX else []
        words = _WORD.findall("".join(segment.text for segment in shown))
        if words and words == _WORD.findall(source):
            yield from shown
        else:
            yield Text(source)


def _rendered(source: str, console: Console, options: ConsoleOptions) -> list[Segment]:
    """What markdown makes of it in this width; nothing where rich stumbles over it, as over a lone `</kbd>`.

    It is made printable once more after it was laid out: an entity spells a character in a way of its own.
    """
    try:
        segments = list(console.render(_Markdown(source), options))
    except Exception:
        return []
    return [Segment(printable_lines(s.text), s.style) for s in segments if not s.control]


class _Fence(CodeBlock):
    """A block of code below the word that says its language, which rich leaves out."""

    label = ""

    @classmethod
    def create(cls, markdown: Markdown, token: Any) -> "_Fence":
        """The block of a fence."""
        block = cls(token.info.partition(" ")[0] or "text", markdown.code_theme)
        block.label = token.info
        return block

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self.label:
            yield Text(self.label, style="dim")
        yield from super().__rich_console__(console, options)


class _Markdown(Markdown):
    """Markdown whose line breaks stay: who writes one to a chat means it."""

    elements = {**Markdown.elements, "fence": _Fence}  # noqa: RUF012  # rich's own, which says ClassVar

    def __init__(self, source: str) -> None:
        # No hyperlinks: a terminal would hide where they lead, and opens them at a click.
        super().__init__(source, hyperlinks=False, code_theme="ansi_dark")
        for token in self.parsed:
            for child in token.children or ():
                if child.type == "softbreak":
                    child.type = "hardbreak"
