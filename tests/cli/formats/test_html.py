"""The page: what it shows of a conversation, and that nothing of a message gets out of its place."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.cli.formats import html_writer
from kchat.cli.formats.content import is_safe_picture
from kchat.cli.formats.html_markdown import rendered
from kchat.cli.formats.links import is_safe_link
from kchat.cli.formats.losses import Losses
from kchat.core import Message
from kchat.testing.strategies import messages
from tests.cli.formats.conversations import (
    ABOUT,
    ATTACKS,
    HOSTILE_ABOUT,
    PICTURE,
    TURNS,
    entries,
    hostile,
    is_legible,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kchat.cli.formats.entries import About, Entry

TAGS = {
    *("a", "article", "b", "blockquote", "body", "br", "code", "details", "div", "em", "footer", "h1", "h2"),
    *("h3", "h4", "h5", "h6", "head", "header", "hr", "html", "img", "li", "main", "meta", "ol", "p", "pre"),
    *("s", "span", "strong", "style", "summary", "table", "tbody", "td", "th", "thead", "time", "title"),
    *("tr", "ul"),
}
ATTRIBUTES = {
    *("alt", "charset", "class", "content", "datetime", "dir", "href", "http-equiv", "id", "lang", "name"),
    *("rel", "src", "start", "title"),
}
OF_THE_PAGE_ONCE = ("head", "body", "style", "main", "title")


class Seen(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def written(found: Iterable[Entry], about: About = ABOUT) -> tuple[str, Losses]:
    out, losses = io.StringIO(), Losses()
    html_writer.write(about, iter(found), out, losses)
    return out.getvalue(), losses


def assert_harmless(page: str) -> None:
    seen = Seen()
    seen.feed(page)
    assert set(seen.tags) <= TAGS
    assert {name for name, _ in seen.attributes} <= ATTRIBUTES
    assert [seen.tags.count(tag) for tag in OF_THE_PAGE_ONCE] == [1] * len(OF_THE_PAGE_ONCE)
    for name, value in seen.attributes:
        if name == "href":
            assert value.startswith(("https://", "http://", "mailto:", "#m-"))
        if name == "src":
            assert is_safe_picture(value)
    assert is_legible(page)


def test_every_part_of_a_conversation_is_on_the_page() -> None:
    page, losses = written(entries(TURNS))
    for shown in (
        '<article id="m-0-1" class="human">',
        "Human · alice",
        '<time datetime="2023-11-14T22:13:20.001Z">2023-11-14 22:13:20.001</time>',
        '<a href="#m-0-1" title="partition 0, offset 1">0:1</a>',
        "<p>Do I need an <em>umbrella</em><br />\nin Lima?</p>",
        "<summary>calls <b>forecast</b></summary>",
        "&quot;city&quot;: &quot;Lima&quot;",
        "<summary>answers call c1</summary>",
        '<a href="https://example.com/a?b=1&amp;c=2" rel="noopener noreferrer nofollow">the forecast</a>',
        "&quot;total_tokens&quot;: 11",
        "<title>support-17</title>",
        "5 records",
    ):
        assert shown in page
    assert losses.as_json == []
    assert_harmless(page)


def test_hostile_messages_stay_text() -> None:
    page, losses = written(hostile(), HOSTILE_ABOUT)
    assert_harmless(page)
    assert page.count("<article") == page.count("</article>") == len(list(hostile()))
    assert losses.whole_count == 1


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_alone_is_harmless(attack: str) -> None:
    assert_harmless(written(entries([Message("ai", {"content": attack})]))[0])


@given(st.lists(messages(), max_size=3))
def test_any_message_makes_a_harmless_page(drawn: list[Message]) -> None:
    assert_harmless(written(entries(drawn))[0])


MARKUP = st.text("<>[]()!`*_#|:&;\\\"'/ \n\tajscript=", max_size=60)


@given(MARKUP)
def test_any_markup_makes_a_harmless_page(text: str) -> None:
    assert_harmless(written(entries([Message("human", {"content": text})]))[0])


def test_a_picture_within_a_message_is_shown_and_one_of_the_web_is_named_and_reported() -> None:
    blocks = [
        {"type": "image_url", "image_url": {"url": PICTURE}},
        {"type": "image", "mime_type": "image/png", "base64": PICTURE.partition(",")[2]},
        {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/dog.png"}},
    ]
    page, losses = written(entries([Message("human", {"content": blocks})]))
    assert page.count(f'<img src="{PICTURE}"') == 2
    assert "cat.png" in page
    assert [(loss["count"], loss["first"]) for loss in losses.as_json] == [(1, ["0:0"])]  # one message


@pytest.mark.parametrize(
    "url",
    [
        "data:image/svg+xml;base64,PHN2Zz4=",
        "data:text/html;base64,PHN2Zz4=",
        "data:image/png;base64,PHN2ZyBvbmxvYWQ9eD4=",  # another file under a picture's name
        'data:image/png;base64,iVBORw0KGgo=" onerror="x',
        "data:image/png,iVBORw0KGgo=",
        "DATA:image/png;base64,iVBORw0KGgo=",
        "https://example.com/x.png",
        "",
    ],
)
def test_no_other_picture_is_safe(url: str) -> None:
    assert not is_safe_picture(url)
    assert is_safe_picture(PICTURE)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://example.com/a?b=c#d", True),
        ("HTTP://example.com", True),
        ("mailto:a@example.com", True),
        ("javascript:alert(1)", False),
        ("java\tscript:alert(1)", False),
        (" javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("file:///etc/passwd", False),
        ("//example.com", False),
        ("relative", False),
        ("https://[", False),
        ("https://example.com/\u202e", False),
        ("", False),
    ],
)
def test_links_lead_to_the_web_or_to_a_mailbox(url: str, safe: bool) -> None:
    assert is_safe_link(url) is safe


def test_the_address_of_an_image_in_markdown_is_named() -> None:
    assert "image: cat (https://example.com/cat.png)" in rendered("![cat](https://example.com/cat.png)")
    assert "image: https://example.com/cat.png" in rendered("![](https://example.com/cat.png)")


def test_what_markdown_shows_nowhere_is_on_the_page() -> None:
    assert rendered("[1]: https://example.com") == "<pre>[1]: https://example.com</pre>\n"
    used = rendered("See [1].\r\n\r\n> [1]: https://a.example\r\n\r\n[1]: https://b.example 'again'")
    assert 'href="https://a.example"' in used
    assert used.endswith("<pre>&gt; [1]: https://a.example\n[1]: https://b.example &#x27;again&#x27;</pre>\n")


def test_a_call_without_a_name_is_shown_as_by_show() -> None:
    call = {"name": None, "args": "{", "id": None, "error": None}
    message = Message("ai", {"content": "", "invalid_tool_calls": [call]})
    assert "calls <b>?</b>" in written(entries([message]))[0]


def test_a_very_long_text_is_not_parsed_and_is_there_all_the_same() -> None:
    page, _ = written(entries([Message("human", {"content": "*a* " * 60_000})]))
    assert "<pre>*a* *a* " in page
