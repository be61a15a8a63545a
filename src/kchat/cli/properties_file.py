"""Files of properties, as Java reads them: Kafka's own `client.properties`, and those of librdkafka.

The syntax is that of `java.util.Properties.load`, of which librdkafka's `name=value` lines are a part.
"""

import re

COMMENT = ("#", "!")

_SEPARATOR = re.compile(r"(?<!\\)(?:\\\\)*(?P<mark>[\s=:])")
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


class NoPropertyError(ValueError):
    """A line that is no property; it is named by its number, for its text may be a secret."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} has no property name")


def parsed(text: str) -> dict[str, str]:
    r"""The properties of a file's text; of two with one name the later counts.

    `name=value`, `name: value` and `name value`; a line that ends with \ goes on in the next one; \u0041, \t
    and the like are escapes, and any other character behind a \ stands for itself.

    Raises:
        NoPropertyError: a line has a value without a name.
    """
    properties = {}
    for number, line in _logical_lines(text):
        name, value = _split(line)
        if not name:
            raise NoPropertyError(number)
        properties[name] = value
    return properties


def _logical_lines(text: str) -> list[tuple[int, str]]:
    """Lines without comments, with those that go on made one; each with the number of its first."""
    lines: list[tuple[int, str]] = []
    begun: tuple[int, str] | None = None
    for number, natural in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), start=1):
        stripped = natural.lstrip(" \t\f")
        if begun is None and (not stripped or stripped.startswith(COMMENT)):
            continue
        first, before = begun or (number, "")
        goes_on = (len(stripped) - len(stripped.rstrip("\\"))) % 2 == 1
        whole = before + (stripped[:-1] if goes_on else stripped)
        begun = (first, whole) if goes_on else None
        if not goes_on:
            lines.append((first, whole))
    return lines if begun is None else [*lines, begun]


def _split(line: str) -> tuple[str, str]:
    found = _SEPARATOR.search(line)
    if found is None:
        return _unescaped(line), ""
    at = found.start("mark")
    rest = re.sub(r"\A[ \t\f]*[=:]?[ \t\f]*", "", line[at:])
    # Java keeps the blanks at the end of a value; nobody means them, and a password with them is refused.
    return _unescaped(line[:at]), _unescaped(rest.rstrip(" \t\f"))


def _unescaped(text: str) -> str:
    def meant(escape: re.Match[str]) -> str:
        body = escape[1]
        return chr(int(body[1:], 16)) if len(body) == 5 else _CONTROLS.get(body, body)

    return _ESCAPE.sub(meant, text)
