r"""Text from a conversation as text for a terminal or a page: whatever could control them is spelled out.

A message may hold escape sequences that recolour, overwrite or rename what the user sees, and direction
marks that reorder it. All of them come out as Python would write them: \x1b, \u202e.
"""

import unicodedata

JOINERS = frozenset("\u200c\u200d")
"""Format characters that are part of Persian and Indic words and of emoji, and control nothing."""

UNPRINTABLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories: control, format, unassigned, private, surrogate, line and paragraph separator."""


def printable(text: str) -> str:
    r"""The text on one line, with every unprintable character escaped (a line break is \n)."""
    return "".join(char if _is_printable(char) else _escaped(char) for char in text)


def printable_lines(text: str) -> str:
    """The same for text of several lines: its line breaks stay, and its tabs are blanks."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(printable(line.expandtabs(4)) for line in lines)


def _is_printable(char: str) -> bool:
    return char in JOINERS or unicodedata.category(char) not in UNPRINTABLE


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")
