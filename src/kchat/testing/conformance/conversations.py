"""Conversations on this log: every way to read one, by both faces, without LangChain."""

import inspect
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from attrs import frozen

from kchat.conversation import (
    AsyncConversation,
    Conversation,
    Edge,
    Ended,
    Entry,
    Page,
    async_conversation,
    conversation,
)
from kchat.core import (
    ChatPosition,
    InvalidPosition,
    Log,
    Message,
    OnCorrupt,
    PositionGone,
    ReadFailed,
    TopicNotChanged,
)
from kchat.testing.conformance.abilities import Abilities
from kchat.testing.conformance.faces import AsyncFace, Face
from kchat.testing.conformance.session import ForeignWrite, texts
from kchat.testing.conformance.suite import Suite

FOLLOW_SECONDS = 20.0


def said(*given: str, kind: str = "human") -> list[Message]:
    """Messages with these texts."""
    return [Message(kind, {"content": text}) for text in given]


def heard(entries: Sequence[Entry[Message]] | Page[Message]) -> list[str]:
    """The texts of messages."""
    return [entry.message.text for entry in entries]


@frozen
class Talk:
    """One conversation by either face: what is awaited is run here, so that a test has one text for both."""

    face: Face
    both: Any

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.both, name)

        def call(*given: Any, **more: Any) -> Any:
            result = method(*given, **more)
            if inspect.isawaitable(result):
                return self._run(result)
            if hasattr(result, "__aiter__"):
                return self._run(_collected(result))
            if name == "follow":
                return list(result)
            return Talk(self.face, result) if name == "cursor" else result

        return call

    def follow_appending(self, more: list[list[Message]], **limits: Any) -> list[Entry[Message]]:
        """Follow, and append one of these calls' messages after each message that is heard."""
        following, heard = self.both.follow(**limits), list[Entry[Message]]()

        async def hear() -> None:
            async for entry in following:
                heard.append(entry)
                if more:
                    await self.both.append(more.pop(0))

        if hasattr(following, "__aiter__"):
            self._run(hear())
            return heard
        for entry in following:
            heard.append(entry)
            if more:
                self.both.append(more.pop(0))
        return heard

    def _run(self, result: Any) -> Any:
        if not isinstance(self.face, AsyncFace):
            raise AssertionError("only the async face is awaited")
        return self.face.runner.run(_awaited(result))


async def _awaited(result: Any) -> Any:
    return await result


async def _collected(result: Any) -> list[Any]:
    return [entry async for entry in result]


class ConversationConformance(Suite):
    """What `kchat.conversation` promises of every log."""

    @pytest.fixture
    def begin(self, log: Log, face: Face) -> Callable[..., Talk]:
        """Makes conversations of the face under test."""

        def make(session_id: str, **more: Any) -> Talk:
            made: Conversation[Message] | AsyncConversation[Message]
            made = (async_conversation if isinstance(face, AsyncFace) else conversation)(
                log, session_id, **more
            )
            return Talk(face, made)

        return make

    @pytest.fixture
    def talk(self, begin: Callable[..., Talk], new_topic: Callable[[], str]) -> Talk:
        """A conversation that has not begun."""
        return begin(new_topic())

    def test_the_last_messages_and_the_pages_before_and_after(self, talk: Talk) -> None:
        """Positions outlive what is appended meanwhile, and survive as text."""
        talk.append(said(*texts(30)))
        page = talk.last(5)
        assert (heard(page), page.ended) == (texts(5, 25), Ended.COUNT)
        talk.append(said("new"))
        assert heard(talk.before(page.begin, 5)) == texts(5, 20)
        stored = ChatPosition.parse(str(page[2].position))
        assert heard(talk.before(stored, 3)) == texts(3, 24)
        assert heard(talk.after(stored, 2)) == texts(2, 28)
        rest = talk.after(page.end, 9)
        assert (heard(rest), rest.ended) == (["new"], Ended.END)
        first = talk.before(page.begin, 99)
        assert (heard(first), first.ended) == (texts(25), Ended.BEGINNING)

    def test_an_append_tells_where_its_messages_are(self, talk: Talk) -> None:
        """What it returns can be paged from."""
        places = talk.append(said(*texts(3)))
        assert heard(talk.before(places[1], 9)) == texts(1)
        assert heard(talk.after(places[1], 9)) == texts(1, 2)

    def test_a_conversation_that_has_not_begun_is_empty_in_every_way(self, talk: Talk) -> None:
        """It is no error, but for a follower, who has to say that it waits."""
        now = datetime.now(UTC)
        for page in (
            talk.read(),
            talk.last(3),
            talk.since(now),
            talk.window(9, len),
            talk.cursor("c").read(3),
        ):
            assert (len(page), page.begin, page.end) == (0, None, None)
        with pytest.raises(ReadFailed, match="no such conversation yet, and wait_for_session=True"):
            talk.follow(seconds_max=FOLLOW_SECONDS)

    def test_nothing_is_read_for_no_messages(self, talk: Talk) -> None:
        """Asked for none, it gives none."""
        place = talk.append(said("one"))[0]
        for page in (talk.last(0), talk.before(place, 0), talk.after(place, 0), talk.window(0, len)):
            assert (len(page), page.ended) == (0, Ended.COUNT)

    def test_a_stretch_of_time(self, talk: Talk) -> None:
        """From the one moment on, before the other one."""
        talk.append(said("first"))
        talk.append(said("second"))
        first, second = talk.read()
        later = second.time + timedelta(milliseconds=1)
        assert heard(talk.since(first.time)) == ["first", "second"]
        assert heard(talk.since(later)) == []
        assert heard(talk.since(None, first.time)) == []
        assert heard(talk.since(first.time, later, 1)) == ["first"]
        assert heard(talk.since(datetime(9999, 1, 1, tzinfo=UTC))) == []

    def test_what_makes_no_sense_is_refused_before_anything_is_asked(
        self, talk: Talk, begin: Callable[..., Talk], new_topic: Callable[[], str]
    ) -> None:
        """Each with an error that says what is wrong."""
        place = talk.append(said("one"))[0]
        for wrong in (-1, 1.5, True, "3", None):
            for method, given in ((talk.last, ()), (talk.before, (place,)), (talk.after, (place,))):
                with pytest.raises(ValueError, match="whole number"):
                    method(*given, wrong)
        with pytest.raises(ValueError, match="time zone"):
            talk.since(datetime(2026, 1, 1))  # noqa: DTZ001 - the very thing that is refused
        with pytest.raises(InvalidPosition, match="another session"):
            begin(new_topic()).before(place, 1)
        with pytest.raises(InvalidPosition):
            talk.after("kchat1.rubbish", 1)
        for name in ("", " ", "a\0", None):
            with pytest.raises(ValueError, match="cursor"):
                talk.cursor(name)

    def test_a_position_of_a_deleted_topic_is_no_position_in_the_next_one(
        self, talk: Talk, abilities: Abilities
    ) -> None:
        """Other messages than those that were meant are never given."""
        abilities.need("deletes_topics")
        place = talk.append(said(*texts(3)))[1]
        talk.clear()
        talk.append(said(*texts(9)))
        for page in (talk.before, talk.after):
            with pytest.raises(PositionGone):
                page(place, 1)

    def test_a_redacted_message_is_in_no_read(self, talk: Talk) -> None:
        """Whichever way it is read."""
        places = talk.append(said(*texts(6)))
        talk.redact(places[2])
        left = [text for text in texts(6) if text != "message 2"]
        assert heard(talk.read()) == left
        assert heard(talk.last(4)) == left[-4:]
        assert heard(talk.before(places[4], 3)) == ["message 0", "message 1", "message 3"]
        assert heard(talk.after(places[1], 2)) == ["message 3", "message 4"]
        assert heard(talk.since(None, None, 3)) == left[:3]
        assert heard(talk.window(4, len)) == left[-4:]
        assert heard(talk.cursor("c").read(99)) == left
        assert heard(talk.follow(messages_max=5, seconds_max=FOLLOW_SECONDS)) == left
        with pytest.raises(PositionGone, match="no message"):
            talk.redact(talk.read().end)

    def test_a_marker_removes_by_the_message_s_own_id(self, talk: Talk) -> None:
        """What comes behind the marker stays, whatever its id."""
        talk.append(
            [Message("human", {"content": "x", "id": "a"}), Message("ai", {"content": "y", "id": "b"})]
        )
        talk.append([Message("remove", {"content": "", "id": "a"})])
        talk.append([Message("human", {"content": "z", "id": "a"})])
        assert heard(talk.read()) == ["y", "z"]

    def test_a_budget_never_begins_with_a_lone_tool_result(self, talk: Talk) -> None:
        """A model would refuse it."""
        talk.append([*said("q", "call"), *said("result", kind="tool"), *said("answer")])
        assert heard(talk.window(3, len)) == ["call", "result", "answer"]
        page = talk.window(2, len)
        assert (heard(page), page.ended) == (["answer"], Ended.BUDGET)
        assert heard(talk.window(99, len)) == ["q", "call", "result", "answer"]

    def test_two_cursors_are_independent_and_go_on_after_their_commit(self, talk: Talk) -> None:
        """What was not committed comes again."""
        talk.append(said(*texts(6)))
        audit = talk.cursor("audit")
        assert heard(audit.read(2)) == texts(2)
        audit.commit()
        assert heard(audit.read(2)) == texts(2, 2)
        assert heard(talk.cursor("audit").read(3)) == texts(3, 2)
        assert heard(talk.cursor("other").read(3)) == texts(3)

    def test_a_cursor_is_moved(self, talk: Talk, abilities: Abilities) -> None:
        """To a message, to a moment, to the end, to the beginning."""
        places = [talk.append(said(text))[0] for text in texts(6)]
        audit = talk.cursor("audit")
        audit.seek(places[4])
        assert heard(talk.cursor("audit").read(9)) == texts(2, 4)
        moment = talk.read()[3].time
        if abilities.finds_times:
            audit.seek(moment)
            assert heard(audit.read(9)) == heard(talk.since(moment)) != []
        else:
            with pytest.raises(ReadFailed):
                audit.seek(moment)
        audit.seek(Edge.END)
        assert heard(audit.read(9)) == []
        audit.seek(Edge.BEGINNING)
        assert heard(audit.read(1)) == texts(1)

    def test_old_messages_are_not_shown(
        self, begin: Callable[..., Talk], new_topic: Callable[[], str]
    ) -> None:
        """By their own timestamps."""
        name = new_topic()
        begin(name).append(said("old"))
        assert heard(begin(name, max_age=timedelta(days=1)).read()) == ["old"]
        young = begin(name, max_age=timedelta(milliseconds=50))
        young.follow(new_only=True, seconds_max=0.2)  # so time passes on every log
        for page in (young.read(), young.last(9), young.since(None), young.window(9, len)):
            assert heard(page) == []
        assert heard(young.follow(seconds_max=0.01)) == []
        begin(name).append(said("new"))
        assert heard(begin(name, max_age=timedelta(days=1)).last(1)) == ["new"]

    def test_a_follower_hears_history_and_then_what_comes(self, talk: Talk) -> None:
        """In order, each once, whether it was there before or is appended meanwhile."""
        talk.append(said(*texts(2)))
        more = [said(text) for text in texts(6, 2)]
        entries = talk.follow_appending(more, messages_max=8, seconds_max=FOLLOW_SECONDS)
        assert heard(entries) == texts(8)
        news = talk.follow_appending(
            [], after=entries[4].position, messages_max=3, seconds_max=FOLLOW_SECONDS
        )
        assert heard(news) == texts(3, 5)

    def test_a_follower_ends_at_its_limits(self, talk: Talk) -> None:
        """Of messages or of time, whichever comes first."""
        talk.append(said(*texts(4)))
        assert heard(talk.follow(messages_max=3, seconds_max=FOLLOW_SECONDS)) == texts(3)
        assert heard(talk.follow(seconds_max=0.3)) == texts(4)
        assert heard(talk.follow(new_only=True, seconds_max=0.1)) == []
        assert talk.follow(messages_max=0) == []

    def test_poison_ends_a_read_or_is_reported(
        self, talk: Talk, begin: Callable[..., Talk], foreign_write: ForeignWrite
    ) -> None:
        """Only where it lies among what is read."""
        talk.append(said("one", "two"))
        foreign_write(talk.both.topic, b"poison", partition=0)
        talk.append(said("three", "four"))
        with pytest.raises(ReadFailed, match="decoded"):
            talk.read()
        assert heard(talk.last(2)) == ["three", "four"]
        with pytest.raises(ReadFailed, match="decoded"):
            talk.last(3)
        page = begin(talk.both.session_id, on_corrupt=OnCorrupt.SKIP).last(3)
        assert (heard(page), len(page.skipped)) == (["two", "three", "four"], 1)

    def test_a_truncated_conversation_is_empty_and_goes_on(self, talk: Talk, abilities: Abilities) -> None:
        """Cursors go on with what comes, and positions of before are gone."""
        places = talk.append(said(*texts(4)))
        audit = talk.cursor("audit")
        audit.read(2)
        audit.commit()
        if not abilities.truncates_topics:
            with pytest.raises(TopicNotChanged, match="no DeleteRecords"):
                talk.clear(keep_topic=True)
            return
        talk.clear(keep_topic=True)
        talk.clear(keep_topic=True)
        assert heard(talk.read()) == heard(talk.last(9)) == []
        talk.append(said("new"))
        assert heard(talk.read()) == heard(talk.last(9)) == ["new"]
        assert heard(talk.cursor("audit").read(9)) == ["new"]
        assert heard(talk.before(places[3], 9)) == []
        with pytest.raises(PositionGone):
            talk.after(places[0], 9)

    def test_truncating_what_never_was_is_no_error(self, talk: Talk, abilities: Abilities) -> None:
        """There is nothing to delete."""
        abilities.need("truncates_topics")
        talk.clear(keep_topic=True)
        assert heard(talk.read()) == []

    def test_cursors_are_listed_and_deleted(self, talk: Talk, abilities: Abilities) -> None:
        """Those of this session alone; a deleted one begins again."""
        talk.append(said(*texts(3)))
        if not abilities.lists_cursors:
            with pytest.raises(TopicNotChanged, match="cursors"):
                talk.cursors()
            return
        assert talk.cursors() == ()
        for name in ("b", "a"):
            cursor = talk.cursor(name)
            cursor.read(2)
            cursor.commit()
        assert talk.cursors() == ("a", "b")
        assert talk.cursor("a").delete()
        assert not talk.cursor("a").delete()
        assert talk.cursors() == ("b",)
        assert heard(talk.cursor("a").read(9)) == texts(3)
        assert heard(talk.cursor("b").read(9)) == texts(1, 2)
