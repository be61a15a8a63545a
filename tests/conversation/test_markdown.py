"""What a notebook shows of a conversation: the messages, and nothing that they would like to be."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from kchat.conversation import Page, conversation
from kchat.conversation.markdown import CHARACTERS_MAX, message_in_markdown, page_in_markdown
from kchat.core import Message
from kchat.testing import FakeBroker

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
RENDERER = MarkdownIt("commonmark").enable("table")  # HTML passes through it, as through a notebook
OURS = {"p", "strong", "em", "pre", "code"}

MARKUP = ["`", "```", "~~~", "<script>", "</code></pre>", "<!--", "&lt;", "$x$", "\\", "[a](javascript:b)"]
STARTS = ["\n", "\r", "\r\n", "    ", "# ", "- ", "> ", "***", "|"]
CONTROLS = ["\u2028", "\u202e", "\x1b[31m", "\x00", "\ud800"]
hostile = st.lists(st.sampled_from(MARKUP + STARTS + CONTROLS) | st.text(), max_size=12).map("".join)


class Seen(HTMLParser):
    """The tags of a page, and the text in its blocks of code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[tuple[str, str | None]] = set()
        self.code = ""
        self._in_code = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= set(attrs)
        self._in_code = tag == "code"

    def handle_endtag(self, tag: str) -> None:
        self._in_code = self._in_code and tag != "code"

    def handle_data(self, data: str) -> None:
        self.code += data if self._in_code else ""

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data!r}")


def said(kind: str, text: str) -> Message:
    return Message(kind, {"content": text})


@given(hostile)
def test_a_message_is_one_block_of_text_whatever_it_says(text: str) -> None:
    seen = Seen(RENDERER.render(message_in_markdown(said("human", text), NOON)))
    assert seen.tags == ["p", "strong", "pre", "code"]
    assert seen.attributes == {("class", "language-text")}


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"], include_characters="\n")))
def test_the_block_has_the_text_as_it_is(text: str) -> None:
    seen = Seen(RENDERER.render(message_in_markdown(said("ai", text), NOON)))
    assert seen.code == f"{text}\n"


@given(hostile)
def test_a_type_is_no_markup_either(kind: str) -> None:
    seen = Seen(RENDERER.render(message_in_markdown(said(kind, "text"), NOON)))
    assert seen.tags == ["p", "strong", "pre", "code"]


def test_control_characters_are_spelled_out() -> None:
    shown = message_in_markdown(said("human", "a\x1b[31m\u202eb\r\n\tc 👩\u200d💻 \ud800"), NOON)
    assert "a\\x1b[31m\\u202eb\n    c 👩\u200d💻 \\ud800" in shown


def test_a_page_says_how_many_and_why_no_more() -> None:
    talk = conversation(FakeBroker(), "s")
    assert talk.read()._repr_markdown_() == "*0 messages, ended by end*"
    talk.append([said("human", "hello"), said("ai", "hi")])
    page = talk.last(1)
    assert page._repr_markdown_().endswith("```text\nhi\n```\n\n*1 messages, ended by count*")
    assert page._repr_markdown_().startswith(page[0]._repr_markdown_())
    # A repr may end in a log, and has none of it.
    assert "hi" not in repr(page) + repr(page[0])


@pytest.mark.parametrize(("count", "shown"), [(100, 100), (101, 100), (5_000, 100)])
def test_a_long_page_is_cut_in_its_middle(count: int, shown: int) -> None:
    messages = [(said("human", f"number {number}"), NOON) for number in range(count)]
    text = page_in_markdown(messages, "end", skipped=0)
    assert text.count("**human**") == shown
    assert "number 49\n" in text
    assert f"number {count - 50}\n" in text
    assert (f"*… {count - shown} messages are not shown …*" in text) == (count > shown)


def test_a_long_message_is_cut_at_its_end() -> None:
    text = message_in_markdown(said("human", "x" * (CHARACTERS_MAX + 7)), NOON)
    assert text.count("x") - len("text") + 3 == CHARACTERS_MAX
    assert text.endswith("\n\n… and 7 characters more")


def test_skipped_records_are_told() -> None:
    assert page_in_markdown([], "end", skipped=2) == "*0 messages, ended by end, 2 records skipped*"
    assert hasattr(Page, "_repr_markdown_")
