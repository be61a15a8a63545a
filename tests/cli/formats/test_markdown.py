"""The transcript: readable, and with nothing in it that a viewer could run, load or take for a heading."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kchat.cli.formats import markdown_writer
from kchat.cli.formats.links import is_safe_link
from kchat.cli.formats.losses import Losses
from kchat.core import Message
from kchat.testing.strategies import messages
from tests.cli.formats.conversations import ABOUT, ATTACKS, HOSTILE_ABOUT, TURNS, entries, hostile, is_legible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from markdown_it.token import Token

    from kchat.cli.formats.entries import About, Entry

# A viewer of the kind that allows everything.
VIEWER = MarkdownIt("commonmark", {"html": True}).enable("table")
VIEWER.validateLink = bool  # type: ignore[assignment,method-assign]


def written(found: Iterable[Entry], about: About = ABOUT) -> tuple[str, Losses]:
    out, losses = io.StringIO(), Losses()
    markdown_writer.write(about, iter(found), out, losses)
    return out.getvalue(), losses


def flat(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from flat(token.children or ())


def assert_harmless(text: str, articles: int) -> None:
    found: dict[str, object] = {}
    tokens = list(flat(VIEWER.parse(text, found)))
    assert not {token.type for token in tokens} & {"html_block", "html_inline", "image"}
    assert not found.get("references")
    for token in tokens:
        if token.type == "link_open":
            assert is_safe_link(str(token.attrGet("href")))
    headings = [token for token in tokens if token.type == "heading_open" and token.level == 0]
    assert [token.tag for token in headings] == ["h1"] + ["h2"] * articles
    assert is_legible(text)


def test_a_conversation_reads_well() -> None:
    text, losses = written(entries(TURNS))
    assert text == (
        "# Conversation support-17\n\n"
        "Kafka topic support-17, exported 2023-11-14 22:13:20.000; times are UTC\n\n"
        "## System · 2023-11-14 22:13:20.000 · 0:0\n\n"
        "> Answer in one sentence.\n\n"
        "## Human · alice · 2023-11-14 22:13:20.001 · 0:1\n\n"
        "> Do I need an *umbrella*\n> in Lima?\n\n"
        "## AI · 2023-11-14 22:13:20.002 · 0:2\n\n"
        '> **calls forecast**\n>\n> ```json\n> {\n>   "city": "Lima",\n>   "days": 3\n> }\n> ```\n\n'
        "## Tool · forecast · 2023-11-14 22:13:20.003 · 0:3\n\n"
        '> *answers call c1*\n>\n> ```\n> {"rain": 0}\n> ```\n\n'
        "## AI · 2023-11-14 22:13:20.004 · 0:4\n\n"
        "> No. See [the forecast](https://example.com/a?b=1&c=2).\n\n"
    )
    assert [loss["what"] for loss in losses.as_json] == ["usage_metadata", "id"]
    assert_harmless(text, 5)


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_is_text(attack: str) -> None:
    text, _ = written(entries([Message("human", {"content": attack})]))
    assert_harmless(text, 1)


def test_all_attacks_together_are_text() -> None:
    text, losses = written(hostile(), HOSTILE_ABOUT)
    assert_harmless(text, len(list(hostile())))
    assert losses.whole_count == 1


def test_a_link_that_is_defined_in_one_message_and_used_in_another_is_none() -> None:
    said = ["[bank]: https://evil.example", "Look at your [bank]."]
    text, _ = written(entries(Message("human", {"content": content}) for content in said))
    assert_harmless(text, 2)


def test_code_stays_code_and_html_is_shown_literally() -> None:
    said = ["`Vec<T>` and\n\n```c\n#include <stdio.h>\n```", "so <b>bold</b> ```"]
    text, _ = written(entries(Message("ai", {"content": content}) for content in said))
    assert "> `Vec<T>` and\n>\n> ```c\n> #include <stdio.h>\n> ```\n" in text
    assert "> ````\n> so <b>bold</b> ```\n> ````\n" in text


@given(st.lists(messages(), max_size=3))
def test_any_message_makes_a_harmless_transcript(drawn: list[Message]) -> None:
    assert_harmless(written(entries(drawn))[0], len(drawn))


@given(st.lists(st.text("<>[]()!`~*_#|:&;\\\"'/- \n\tajscript=>0", max_size=60), max_size=3))
def test_any_markup_makes_a_harmless_transcript(texts: list[str]) -> None:
    found = [Message("human", {"content": text}) for text in texts]
    assert_harmless(written(entries(found))[0], len(found))
