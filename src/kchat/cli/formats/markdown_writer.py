"""A readable transcript in Markdown (CommonMark).

Each message is a quotation under a heading, so that nothing in it can pass for a heading of the transcript.
Its text stays Markdown, unless a viewer of the file could run or load something in it: a text with HTML, an
image or a link that is not of the web stands there literally, as a block of code.
"""

import re
from collections.abc import Iterable, Iterator
from typing import IO, Any, assert_never

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kchat.cli.formats.content import Block, Image, Other, Text, blocks, called_name, pretty, tool_calls
from kchat.cli.formats.entries import About, Entry, Placed, Poison
from kchat.cli.formats.links import is_safe_link
from kchat.cli.formats.losses import Losses
from kchat.cli.formats.shown_fields import FOLDED, kind, label, left_out
from kchat.cli.formats.text import legible
from kchat.cli.tables import time_text
from kchat.conversation.escaping import printable

_PARSER = MarkdownIt("commonmark", {"html": True})
_PARSER.validateLink = bool  # type: ignore[assignment,method-assign]  # all are looked at below

_PLAIN = re.compile(r"[^<&\[\]!`]*")
"""What cannot be HTML, a link or an image, whatever reads it; `&` writes characters by number."""

_MARKUP = re.compile(r"([\\`*_\[\]<>#|~&$])")
_BACKTICKS = re.compile("`+")


def write(about: About, entries: Iterable[Entry], out: IO[str], losses: Losses) -> None:
    """Write the file. Fields that are for programs, images and poison are reported."""
    out.write(f"# Conversation {_plain(about.session)}\n\n")
    out.write(
        f"Kafka topic {_plain(about.topic)}, exported {time_text(about.exported_ms)}; times are UTC\n\n"
    )
    for entry in entries:
        out.write(f"## {_heading(entry)}\n\n")
        match entry:
            case Placed():
                out.writelines(f"{part}\n" for part in _parts(entry, losses))
            case Poison(place=place, reason=reason):
                losses.whole("it is no message", f"{place}, {reason}")
                out.write(_quoted(f"*a record that is no message: {_plain(reason)}*") + "\n")
            case _:
                assert_never(entry)


def _heading(entry: Entry) -> str:
    who = _plain(label(entry.message)) if isinstance(entry, Placed) else "No message"
    return f"{who} · {time_text(entry.place.timestamp_ms)} · {entry.place}"


def _parts(entry: Placed, losses: Losses) -> Iterator[str]:
    message = entry.message
    for what in left_out(message):
        losses.part(what, entry.place)
    answered = message.data.get("tool_call_id")
    shown = [f"*answers call {_plain(answered)}*"] if isinstance(answered, str) and answered else []
    shown += [_block(block, entry, losses) for block in blocks(message)]
    shown += [
        f"**calls {_plain(called_name(call))}**\n\n" + _literal(pretty(call.get("args")), "json")
        for call in tool_calls(message)
    ]
    yield _quoted("\n\n".join(shown) if shown else "*empty*")


def _block(block: Block, entry: Placed, losses: Losses) -> str:
    match block:
        case Text(text=text):
            answer = kind(entry.message) in FOLDED
            return _literal(text) if answer else _safe(legible(text))
        case Image(url=url):
            losses.part("images", entry.place)
            return f"*image{': ' + _plain(url) if is_safe_link(url) else ''}*"
        case Other(json=content):
            return _literal(content, "json")
        case _:
            assert_never(block)


def _safe(text: str) -> str:
    """The text as it is where it only reads; else as a block of code."""
    if _PLAIN.fullmatch(text):
        return text
    found: dict[str, Any] = {}
    acts = any(map(_acts, _PARSER.parse(text, found)))
    # The definition of a link counts for the whole file: another message could be made to lead there.
    return _literal(text) if acts or found.get("references") else text


def _acts(token: Token) -> bool:
    """Whether a viewer may run, load or follow something other than the web here."""
    if token.type in {"html_block", "html_inline", "image"}:
        return True
    if token.type == "link_open" and not is_safe_link(str(token.attrGet("href"))):
        return True
    return any(map(_acts, token.children or ()))


def _literal(text: str, language: str = "") -> str:
    """A block of code that nothing in the text can end."""
    longest = max((len(run) for run in _BACKTICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{legible(text)}\n{fence}"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" if line else ">" for line in text.split("\n")) + "\n"


def _plain(text: str) -> str:
    """Text on one line in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", printable(text))
