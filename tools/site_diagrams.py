"""Draws the documentation's Mermaid diagrams while the site is built: a browser needs no script for them."""

import re
from typing import Any
from zlib import crc32

import mmdr
from markdown import Markdown

SCALE = 0.7
"""Of the natural size: the text is then a little smaller than that of the page."""

_LOOP = re.compile(r"^( *)(\w+) --> \2: (.+)$", re.MULTILINE)


def drawn(source: str, language: str, css_class: str, options: dict[str, str], md: Markdown, **_: Any) -> str:
    """The figure in place of a block of Mermaid; the arguments are those of pymdownx.superfences."""
    del language, css_class, options, md
    # Two figures of a page must differ in their ids: styles and arrow heads are found by them.
    svg = mmdr.render(looped(source)).svg().replace("merman", f"figure-{crc32(source.encode())}")
    # In the order of the keyboard, so that it can be scrolled without a mouse.
    return (
        '<div class="diagram" tabindex="0">'
        + re.sub(r"max-width:([\d.]+)px", scaled, svg, count=1)
        + "</div>"
    )


def scaled(width: re.Match[str]) -> str:
    """A fixed width in place of the drawing's wish to be as wide as the page."""
    return f"width:{float(width[1]) * SCALE:.0f}px"


def looped(source: str) -> str:
    """An arrow from a state to itself as a line in its box: mmdr (0.4) writes its label over the box."""
    return _LOOP.sub(r"\1\2: \2<br/>again: \3", source)
