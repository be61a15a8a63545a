"""Text of a message for a page or a transcript: legible, and in control of nothing."""

from kchat.conversation.escaping import printable


def legible(text: str) -> str:
    r"""The text with its line breaks and tabs; every other unprintable character is spelled out.

    Escape sequences and marks that reorder a line (U+202E) come out as `printable` writes them.
    """
    return "\n".join(map(_legible_line, text.replace("\r\n", "\n").split("\n")))


def _legible_line(line: str) -> str:
    if line.isprintable():
        return line
    return "\t".join(map(printable, line.split("\t")))
