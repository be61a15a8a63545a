"""Who reads on is told of a removal of what came before: once for each place that it reads from, counted."""

import asyncio
import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import pytest

from kchat.conversation import Conversation, Edge, Entry, async_conversation, conversation
from kchat.core import ErrorKind, Message, OnCorrupt, ReadFailed
from kchat.testing import FakeBroker, Refuse, ShortFetch


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


def shown(page: Iterable[Entry[Message]]) -> list[str]:
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


@pytest.mark.parametrize("low", [0, 3, 4, 5])
def test_a_cursor_is_told_where_retention_has_taken_all_before_its_place(low: int) -> None:
    broker = FakeBroker()
    talk = talk_of(6, broker)
    first = talk.cursor("index")
    first.read(4)
    first.commit()
    redact(talk, "1")
    broker.cluster.topics["talk"].partitions[0].remove_before(low)
    assert shown(talk.cursor("index").read()) == [*map(str, range(max(4, low), 6)), "remove"]


def test_a_new_cursor_is_told_nothing_where_retention_has_been() -> None:
    broker = FakeBroker()
    talk = talk_of(4, broker)
    redact(talk, "1", "3")
    broker.cluster.topics["talk"].partitions[0].remove_before(2)
    assert shown(talk.cursor("index").read()) == ["2"]


def followed_to_its_error(entries: Iterator[Entry[Message]]) -> list[Entry[Message]]:
    found: list[Entry[Message]] = []
    with pytest.raises(ReadFailed):
        found.extend(entries)
    return found


def kept(entries: list[Entry[Message]]) -> list[str]:
    """What a reader has in the end that heeds what it is told."""
    removed = {entry.message.id for entry in entries if entry.message.type == "remove"}
    return [
        entry.message.text
        for entry in entries
        if entry.message.type != "remove" and not removed.intersection(entry.names)
    ]


def test_a_follower_that_meets_a_corrupt_record_is_told_of_removals_before_it() -> None:
    broker = FakeBroker()
    talk = talk_of(3, broker)
    following = talk.follow(seconds_max=5.0)
    entries = [next(following) for _ in range(3)]
    redact(talk, "0")
    entries.append(next(following))  # it knows a removal by now
    redact(talk, "1")
    say(talk, "3")
    broker.cluster.inject("talk", b"no JSON", partition=0)
    say(talk, "4")
    entries += followed_to_its_error(following)
    around = conversation(broker, "talk", on_corrupt=OnCorrupt.SKIP)
    entries += around.follow(after=entries[-1].position, seconds_max=1.0)
    assert kept(entries) == ["2", "3", "4"]


def test_a_follower_shows_nothing_that_is_removed_before_a_corrupt_record() -> None:
    broker = FakeBroker()
    talk = talk_of(3, broker)
    redact(talk, "1")
    broker.cluster.inject("talk", b"no JSON", partition=0)
    assert shown(followed_to_its_error(talk.follow(seconds_max=5.0))) == ["0", "2"]


@pytest.mark.parametrize("short", [1, 6])
@pytest.mark.parametrize("commands", range(20))
def test_who_follows_on_after_an_error_misses_nothing_and_has_nothing_twice(
    monkeypatch: pytest.MonkeyPatch, commands: int, short: int
) -> None:
    monkeypatch.setattr("kchat.core.following.BATCH_MAX", 2)
    broker = FakeBroker()
    talk = talk_of(6, broker)
    redact(talk, "0", "1", "3")
    say(talk, "6", "7")
    denied = Refuse(ErrorKind.DENIED, "TOPIC_AUTHORIZATION_FAILED")
    broker.plan = [*[None] * commands, ShortFetch(short), denied]
    entries = followed_to_its_error(talk.follow(seconds_max=5.0))
    after = entries[-1].position if entries else None
    entries += talk.follow(after=after, seconds_max=1.0)
    assert kept(entries) == ["2", "4", "5", "6", "7"]
    said = [entry.message.text for entry in entries if entry.message.type != "remove"]
    assert len(said) == len(set(said))


def test_who_reads_on_from_a_message_meets_a_marker_behind_it_in_another_partition() -> None:
    broker = FakeBroker()
    broker.cluster.create("talk", partitions=2)
    for partition, kind, own in ((0, "human", "m"), (1, "human", "a"), (1, "human", "b"), (0, "remove", "b")):
        broker.cluster.sleep(10)
        record = {"type": kind, "data": {"content": own, "id": own}}
        broker.cluster.inject("talk", json.dumps(record).encode(), partition=partition)

    def fresh() -> Conversation[Message]:
        return conversation(broker.reopened(), "talk")

    for page in (fresh().read(), fresh().last(2), fresh().window(2, len)):
        assert shown(page) == ["m", "a"]
        assert shown(fresh().after(page[0].position, 9)) == ["a"]
        assert shown(fresh().after(page[1].position, 9)) == []
        assert shown(fresh().follow(after=page[1].position, seconds_max=0.5)) == ["remove"]
        assert shown(fresh().before(page[1].position, 9)) == ["m"]


def test_who_is_told_gets_the_messages_in_the_order_of_the_others() -> None:
    broker = FakeBroker()
    broker.cluster.create("talk", partitions=2)
    now_ms = broker.timestamp_ms
    records = ((0, "human", "m", 0), (0, "human", "a", 9), (0, "human", "b", 3), (1, "human", "c", 5))
    for partition, kind, own, ms in (*records, (1, "remove", "a", 10)):
        record = {"type": kind, "data": {"content": own, "id": own}}
        broker.cluster.inject(
            "talk", json.dumps(record).encode(), partition=partition, timestamp_ms=now_ms + ms
        )
    talk = conversation(broker, "talk")
    whole = talk.read()
    assert shown(whole) == ["m", "c", "b"]
    told = shown(talk.follow(after=whole[0].position, seconds_max=0.5))
    assert told == ["c", "b", "remove"]
