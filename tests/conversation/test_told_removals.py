"""Who reads on is told of a removal of what came before: once for each place that it reads from, counted."""

import asyncio
from itertools import chain
from typing import Any

import pytest

from kchat.conversation import Conversation, Edge, Page, async_conversation, conversation
from kchat.core import Message
from kchat.testing import FakeBroker


def talk_of(count: int, broker: FakeBroker | None = None) -> Conversation[Message]:
    talk = conversation(broker or FakeBroker(), "talk")
    say(talk, *map(str, range(count)))
    return talk


def say(talk: Conversation[Message], *texts: str) -> None:
    for text in texts:
        talk.append([Message("human", {"content": text, "id": f"id-{text}"})])


def redact(talk: Conversation[Message], *texts: str) -> None:
    for text in texts:
        talk.redact(next(entry.position for entry in talk.read() if entry.message.text == text))


def shown(page: Page[Message]) -> list[str]:
    return [entry.message.text if entry.message.type != "remove" else "remove" for entry in page]


def all_of(cursor: Any, count: int) -> list[list[str]]:
    pages = []
    while found := shown(cursor.read(count)):
        pages.append(found)
    return pages


def test_a_cursor_that_begins_again_is_told_what_was_removed_before_its_place() -> None:
    talk = talk_of(4)
    first = talk.cursor("index")
    assert shown(first.read(3)) == ["0", "1", "2"]
    first.commit()
    redact(talk, "1")
    again = talk.cursor("index")
    assert shown(again.read()) == ["3", "remove"]
    # Without a commit it comes again; with one it does not.
    crashed = talk.cursor("index")
    assert shown(crashed.read()) == ["3", "remove"]
    crashed.commit()
    assert shown(talk.cursor("index").read()) == []


def test_so_is_an_async_one() -> None:
    broker = FakeBroker()
    talk = talk_of(3, broker)
    first = talk.cursor("index")
    first.read()
    first.commit()
    redact(talk, "1")
    page = asyncio.run(async_conversation(broker, "talk").cursor("index").read(1))
    assert shown(page) == ["remove"]


@pytest.mark.parametrize("count", [1, 2, 100])
@pytest.mark.parametrize("stored", [False, True])
def test_a_cursor_that_begins_at_the_beginning_is_not_told(count: int, stored: bool) -> None:
    talk = talk_of(4)
    redact(talk, "1", "2")
    cursor = talk.cursor("index")
    if stored:
        cursor.seek(Edge.BEGINNING)
    assert list(chain.from_iterable(all_of(cursor, count))) == ["0", "3"]


@pytest.mark.parametrize("resumed", [False, True])
def test_news_of_removals_count_and_none_is_lost_over_a_commit(resumed: bool) -> None:
    talk = talk_of(5)
    cursor = talk.cursor("index")
    cursor.read()
    cursor.commit()
    redact(talk, "0", "1", "2", "3")
    say(talk, "5", "6")
    pages = []
    while True:
        if resumed:
            cursor = talk.cursor("index")
        found = shown(cursor.read(1))
        cursor.commit()
        if not found:
            break
        pages.append(found)
    assert pages == [["remove"]] * 4 + [["5"], ["6"]]


def test_a_count_holds_for_messages_and_news_together() -> None:
    talk = talk_of(2)
    cursor = talk.cursor("index")
    cursor.read()
    redact(talk, "0", "1")
    say(talk, "2", "3")
    assert all_of(cursor, 3) == [["remove", "remove", "2"], ["3"]]


def test_news_that_a_read_knew_before_it_came_to_it_is_told_there() -> None:
    talk = talk_of(6)
    cursor = talk.cursor("index")
    assert shown(cursor.read(2)) == ["0", "1"]
    redact(talk, "0")
    # This read looks for what is removed behind it, and so knows the marker; it stands behind "5".
    assert shown(cursor.read(2)) == ["2", "3"]
    assert shown(cursor.read(9)) == ["4", "5", "remove"]


def test_so_it_is_for_who_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kchat.core.following.BATCH_MAX", 2)
    talk = talk_of(6)
    following = talk.follow(seconds_max=1.0)
    found = [next(following).message.text for _ in range(2)]
    redact(talk, "0")
    kinds = [entry.message.type for entry in following]
    assert found == ["0", "1"]
    assert kinds == ["human"] * 4 + ["remove"]
