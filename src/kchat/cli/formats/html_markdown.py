"""Markdown of a message as HTML that shows it and does nothing else.

HTML in a message is text. Links lead to the web or to a mailbox. An image is named and not loaded.
"""

import html
import re
from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict

from kchat.cli.formats.links import is_safe_link
from kchat.cli.formats.text import legible

CHARACTERS_MAX = 200_000
"""A longer text is shown as it is: to parse it would hold up the export."""

_PLAIN = re.compile(r"[\w ,;:?'\"()%/=$§€@–—…’“”„]*[.,]?", re.ASCII)  # noqa: RUF001
"""A line without any markup: most messages need no parser."""

_LINE_BREAK = re.compile(r"\r\n?|\n")
"""As Markdown counts lines."""

REL = "noopener noreferrer nofollow"


def rendered(text: str) -> str:
    """The text as HTML, its Markdown rendered."""
    shown = legible(text)
    if _PLAIN.fullmatch(shown):
        return f"<p>{html.escape(shown)}</p>\n"
    if len(shown) > CHARACTERS_MAX:
        return f"<pre>{html.escape(shown)}</pre>\n"
    found: dict[str, Any] = {}
    return str(_PARSER.render(shown, found)) + _definitions(shown, found)


def _definitions(text: str, found: dict[str, Any]) -> str:
    """The definitions of links, which Markdown shows nowhere: a message may be nothing but "[1]: that"."""
    defined = [*found.get("references", {}).values(), *found.get("duplicate_refs", ())]
    lines = _LINE_BREAK.split(text)
    kept = [line for begin, end in sorted(one["map"] for one in defined) for line in lines[begin:end]]
    return f"<pre>{html.escape(chr(10).join(kept))}</pre>\n" if kept else ""


def link(url: str, shown: str) -> str:
    """A link that may be followed, or its text where it may not."""
    text = html.escape(legible(shown))
    return f'<a href="{html.escape(url)}" rel="{REL}">{text}</a>' if is_safe_link(url) else text


class _Renderer(RendererHTML):
    """The library's renderer, but for what a page that does nothing must not have."""

    def link_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """A link tells its target nothing of this page."""
        tokens[idx].attrSet("rel", REL)
        return self.renderToken(tokens, idx, options, env)

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:  # noqa: ARG002
        """Not loaded: whoever reads a page should not be seen reading it."""
        url = str(tokens[idx].attrGet("src"))
        alt = tokens[idx].content
        # No link: an image may stand within one. The address is all that the page has of the picture.
        return f'<span class="picture">image: {html.escape(f"{alt} ({url})" if alt else url)}</span>'

    def th_open(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: Any) -> str:
        """Alignment by a class: the page allows no style in an element."""
        style = str(tokens[idx].attrs.pop("style", ""))
        if style:
            tokens[idx].attrSet("class", style.replace("text-align:", "to-"))
        return self.renderToken(tokens, idx, options, env)

    td_open = th_open


_PARSER = MarkdownIt("commonmark", {"html": False, "breaks": True}, renderer_cls=_Renderer)
_PARSER.enable(["table", "strikethrough"])
_PARSER.validateLink = is_safe_link  # type: ignore[method-assign]
