"""One page of HTML that holds all of a conversation: escaped, without a script, and loading nothing.

Markdown in a message is rendered, tool calls and results are folded, and what is for programs stands below as
JSON. A picture that a message holds itself is shown; one on the web is named, and reported.
"""

import html
from collections.abc import Iterable, Iterator
from typing import IO, assert_never

from kchat.cli.formats.content import (
    Block,
    Image,
    Other,
    Text,
    blocks,
    called_name,
    is_safe_picture,
    pretty,
    tool_calls,
)
from kchat.cli.formats.entries import About, Entry, Place, Placed, Poison
from kchat.cli.formats.html_markdown import link, rendered
from kchat.cli.formats.html_page import foot, head
from kchat.cli.formats.losses import Losses
from kchat.cli.formats.shown_fields import FOLDED, kind, label, rest
from kchat.cli.formats.text import legible
from kchat.cli.tables import time_iso, time_text


def write(about: About, entries: Iterable[Entry], out: IO[str], losses: Losses) -> None:
    """Write the page. Images that are not within a message, and poison, are reported."""
    exported = f"Kafka topic {about.topic} · exported {time_text(about.exported_ms)} · times are UTC"
    out.write(head(title=about.session, about=exported))
    count = 0
    for entry in entries:
        count += 1
        out.writelines(_article(entry, losses))
    out.write(foot(about=f"{count:,} record{'' if count == 1 else 's'} · written by kchat export"))


def _article(entry: Entry, losses: Losses) -> Iterator[str]:
    match entry:
        case Placed(place=place, message=message):
            yield _opening(kind(message), label(message), place)
            yield from _body(entry, losses)
        case Poison(place=place, reason=reason, value=value):
            losses.whole("it is no message", f"{place}, {reason}")
            yield _opening("poison", "No message", place)
            size = 0 if value is None else len(value)
            yield f'<p class="empty">A record of {size:,} bytes that is no message: {_escaped(reason)}</p>\n'
        case _:
            assert_never(entry)
    yield "</article>\n"


def _opening(kind_of_entry: str, who: str, place: Place) -> str:
    anchor = f"m-{place.partition}-{place.offset}"
    moment = time_iso(place.timestamp_ms)
    stamp = f' datetime="{moment}"' if moment else ""
    return (
        f'<article id="{anchor}" class="{kind_of_entry}">\n'
        f'<header><span class="who" dir="auto">{_escaped(who)}</span>'
        f"<time{stamp}>{time_text(place.timestamp_ms)}</time>"
        f'<a href="#{anchor}" title="partition {place.partition}, offset {place.offset}">{place}</a>'
        "</header>\n"
    )


def _body(entry: Placed, losses: Losses) -> Iterator[str]:
    message = entry.message
    shown = [_block(block, entry, losses) for block in blocks(message)]
    calls = [_folded("calls", called_name(call), pretty(call.get("args"))) for call in tool_calls(message)]
    if kind(message) in FOLDED:
        answered = message.data.get("tool_call_id")
        summary = f"answers call {answered}" if isinstance(answered, str) and answered else "answer"
        yield f"<details><summary>{_escaped(summary)}</summary>\n{''.join(shown)}</details>\n"
    else:
        yield from shown
    yield from calls
    if not (shown or calls):
        yield '<p class="empty">empty</p>\n'
    if more := rest(message):
        summary = f"{len(more)} more field{'' if len(more) == 1 else 's'}"
        yield f'<details class="rest"><summary>{summary}</summary><pre>{_escaped(pretty(more))}</pre>'
        yield "</details>\n"


def _block(block: Block, entry: Placed, losses: Losses) -> str:
    match block:
        case Text(text=text) if kind(entry.message) in FOLDED:
            return f'<pre dir="auto">{_escaped(text)}</pre>\n'
        case Text(text=text):
            return f'<div class="text" dir="auto">\n{rendered(text)}</div>\n'
        case Image(url=url) if is_safe_picture(url):
            return f'<img src="{url}" alt="image in this message">\n'
        case Image(url=url):
            losses.part("images that are not within the message", entry.place)
            shown = url if len(url) < 200 and not url.startswith("data:") else "not shown"
            return f'<p class="picture">image: {link(url, shown)}</p>\n'
        case Other(kind=name, json=content):
            return _folded("block", name, content)
        case _:
            assert_never(block)


def _folded(what: str, name: str, content: str) -> str:
    return (
        f'<details class="{what}"><summary>{what} <b>{_escaped(name)}</b></summary>'
        f"<pre>{_escaped(content)}</pre></details>\n"
    )


def _escaped(text: str) -> str:
    return html.escape(legible(text))
