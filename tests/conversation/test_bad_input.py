"""What makes no sense: refused with a typed error, or empty, and no command to the broker either way."""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import evolve, frozen

from kchat.conversation import Ended, Page, async_conversation, conversation
from kchat.core import (
    ChatPosition,
    Command,
    Fetch,
    InvalidPosition,
    Message,
    Position,
    PositionGone,
    ReadFailed,
)
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker
from tests.conversation.faces import ended

SESSION = "talk"
WRONG_COUNTS: tuple[Any, ...] = (
    -1,
    -(1 << 70),
    1.0,
    1.5,
    float("nan"),
    True,
    False,
    "3",
    b"3",
    None,
    [],
    1 << 63,
)
FAR = datetime(9999, 12, 31, tzinfo=UTC)


@frozen
class World:
    """A broker with one conversation of three messages, and one face of it."""

    broker: FakeBroker
    talk: Any
    places: Sequence[ChatPosition]

    @property
    def history(self) -> KafkaChatMessageHistory:
        return KafkaChatMessageHistory(SESSION, "unused:9092", log=self.broker)

    def asked(self, call: Callable[[], Any]) -> tuple[Any, list[Command]]:
        """What a call gives, and the commands that it took."""
        before = len(self.broker.commands)
        result = ended(call())
        return result, list(self.broker.commands[before:])

    def refused(self, call: Callable[[], Any], kind: type[Exception], match: str) -> None:
        """Nothing was asked for it."""
        before = len(self.broker.commands)
        with pytest.raises(kind, match=match):
            ended(call())
        assert list(self.broker.commands[before:]) == []


@pytest.fixture(params=[conversation, async_conversation], ids=["sync", "async"])
def world(request: pytest.FixtureRequest) -> World:
    broker = FakeBroker()
    talk = request.param(broker, SESSION)
    places = ended(talk.append([Message("human", {"content": str(n)}) for n in range(3)]))
    return World(broker, talk, places)


def counted(world: World, wrong: Any) -> dict[str, Callable[[], Any]]:
    """Every call that takes a number of messages or tokens."""
    talk, history, place = world.talk, world.history, world.places[1]
    calls: dict[str, Callable[[], Any]] = {
        "last": lambda: talk.last(wrong),
        "before": lambda: talk.before(place, wrong),
        "after": lambda: talk.after(place, wrong),
        "window": lambda: talk.window(wrong, len),
        "cursor": lambda: talk.cursor("c").read(wrong),
        "messages_last": lambda: history.messages_last(wrong),
        "amessages_last": lambda: history.amessages_last(wrong),
        "messages_before": lambda: history.messages_before(place, wrong),
        "amessages_before": lambda: history.amessages_before(place, wrong),
        "messages_after": lambda: history.messages_after(place, wrong),
        "amessages_after": lambda: history.amessages_after(place, wrong),
        "messages_window": lambda: history.messages_window(wrong, len),
        "amessages_window": lambda: history.amessages_window(wrong, len),
    }
    if wrong is not None:  # no limit
        calls |= {
            "since": lambda: talk.since(None, None, wrong),
            "follow": lambda: talk.follow(messages_max=wrong, seconds_max=0.1),
            "history.follow": lambda: history.follow(messages_max=wrong, seconds_max=0.1),
            "afollow": lambda: history.afollow(messages_max=wrong, seconds_max=0.1),
        }
    return calls


@pytest.mark.parametrize("wrong", WRONG_COUNTS, ids=repr)
def test_a_count_is_a_whole_number_from_0_on(world: World, wrong: Any) -> None:
    for call in counted(world, wrong).values():
        world.refused(call, ValueError, "must be a whole number")


def test_the_largest_count_is_all_there_are(world: World) -> None:
    for name, call in counted(world, sys.maxsize).items():
        result, _ = world.asked(call)
        assert len(result) > 0, name


def test_for_no_messages_nothing_is_asked(world: World) -> None:
    for name, call in counted(world, 0).items():
        result, commands = world.asked(call)
        assert (list(result), commands) == ([], []), name
        if isinstance(result, Page):
            assert result.ended is Ended.COUNT


def test_a_position_of_another_session_is_refused_before_anything_is_asked(world: World) -> None:
    [foreign] = conversation(world.broker, "other").append([Message("human", {"content": "x"})])
    talk, history = world.talk, world.history
    for call in (
        lambda: talk.before(foreign, 1),
        lambda: talk.after(foreign, 1),
        lambda: talk.redact(foreign),
        lambda: talk.follow(after=foreign, seconds_max=0.1),
        lambda: talk.cursor("c").seek(foreign),
        lambda: history.messages_before(foreign, 1),
        lambda: history.messages_after(foreign, 1),
    ):
        world.refused(call, InvalidPosition, "another session")


@pytest.mark.parametrize("wrong", [None, 3, "kchat1.x", b"", ("talk", 1), "rubbish\x1b[31m"])
def test_what_is_no_position_is_refused(world: World, wrong: Any) -> None:
    for call in (
        lambda: world.talk.before(wrong, 1),
        lambda: world.talk.after(wrong, 1),
        lambda: world.talk.redact(wrong),
    ):
        world.refused(call, InvalidPosition, "ChatPosition")
    world.refused(lambda: world.talk.cursor("c").seek(wrong), ValueError, "ChatPosition")
    if wrong is not None:  # from the beginning
        world.refused(lambda: world.talk.follow(after=wrong, seconds_max=0.1), InvalidPosition, "Chat")


NOWHERE: tuple[Any, ...] = (None, 5, "x", [], (1,), (Position(0, -1),), (Position(0, 1 << 63),))
NO_PARTITIONS: tuple[Any, ...] = (-1, True, "0", 1 << 31)
BUILT: tuple[dict[str, Any], ...] = (
    {"topic_id": 5},
    {"topic_id": ""},
    *({"offsets": wrong} for wrong in NOWHERE),
    *({"offsets": (Position(wrong, 0),)} for wrong in NO_PARTITIONS),
    {"offsets": (Position(0, 1), Position(0, 2))},
    *({"partition": wrong} for wrong in (-1, 7, True, "0")),
)


@pytest.mark.parametrize("changes", BUILT, ids=repr)
def test_a_position_that_was_built_by_hand_and_stands_nowhere_is_refused(
    world: World, changes: dict[str, Any]
) -> None:
    sound, talk = world.places[1], world.talk
    assert sound.is_sound
    wrong = evolve(sound, **changes)
    for call in (
        lambda: talk.before(wrong, 1),
        lambda: talk.after(wrong, 1),
        lambda: talk.redact(wrong),
        lambda: talk.follow(after=wrong, seconds_max=0.1),
        lambda: talk.cursor("c").seek(wrong),
    ):
        world.refused(call, InvalidPosition, "built by hand")


def test_a_position_of_a_topic_that_was_deleted_since_gives_no_other_messages(world: World) -> None:
    old, talk = world.places[1], world.talk
    ended(talk.clear())
    calls: list[Callable[[], Any]] = [
        lambda: talk.before(old, 1),
        lambda: talk.after(old, 1),
        lambda: talk.redact(old),
        lambda: talk.follow(after=old, seconds_max=0.1),
        lambda: talk.cursor("c").seek(old),
    ]
    for _ in range(2):  # first the topic is missing, then it is another one, and longer
        for call in calls:
            with pytest.raises(PositionGone):
                ended(call())
        ended(talk.append([Message("human", {"content": "new"})] * 9))


@pytest.mark.parametrize(
    "name", ["", " ", " x", "x\n", "a\0b", "\ud800", "\x1b[31m", "x" * 201, None, 3, b"x"]
)
def test_a_cursor_has_a_name(world: World, name: Any) -> None:
    world.refused(lambda: world.talk.cursor(name), ValueError, "a cursor's name")


def test_a_time_in_the_future_is_empty_at_once(world: World) -> None:
    for call in (
        lambda: world.talk.since(FAR),
        lambda: world.talk.since(FAR, FAR),
        lambda: world.history.messages_since(FAR),
        lambda: world.history.amessages_since(FAR),
    ):
        result, commands = world.asked(call)
        assert list(result) == []
        assert [command for command in commands if isinstance(command, Fetch)] == [], "nothing is waited for"


@pytest.mark.parametrize("wrong", [datetime(2026, 1, 1), 3, 1.5, "2026-01-01", True])  # noqa: DTZ001
def test_a_time_is_a_datetime_with_a_zone(world: World, wrong: Any) -> None:
    for call in (
        lambda: world.talk.since(wrong),
        lambda: world.talk.since(None, wrong),
        lambda: world.history.messages_since(wrong),
        lambda: world.history.messages_since(None, wrong),
        lambda: world.talk.cursor("c").seek(wrong),
    ):
        world.refused(call, ValueError, "datetime")


@pytest.mark.parametrize("make", [conversation, async_conversation], ids=["sync", "async"])
def test_a_follow_of_a_session_that_does_not_exist_is_an_error_unless_it_waits(make: Any) -> None:
    broker = FakeBroker()
    talk = make(broker, SESSION)
    with pytest.raises(ReadFailed, match="no such conversation"):
        ended(talk.follow(seconds_max=60.0))
    begun = broker.now_ms
    assert ended(talk.follow(seconds_max=1.0, wait_for_session=True)) == []
    assert broker.now_ms - begun >= 1_000
    said = [Message("ai", {"content": "x"})]
    broker.cluster.at(broker.now_ms + 500, lambda: conversation(broker, SESSION).append(said))
    assert len(ended(talk.follow(messages_max=1, seconds_max=60.0, wait_for_session=True))) == 1


@pytest.mark.parametrize("wrong", [-1, -0.1, float("nan"), float("inf"), True, "1", 86_401])
def test_a_time_limit_is_a_number_of_seconds_of_a_day(world: World, wrong: Any) -> None:
    talk = world.talk
    for call in (
        lambda: talk.follow(seconds_max=wrong),
        lambda: talk.follow(silence_seconds_max=wrong, seconds_max=0.1),
        lambda: talk.cursor("c").read(1, wrong),
        lambda: talk.append([Message("ai", {"content": "x"})], wrong),
    ):
        world.refused(call, ValueError, "seconds")


def test_what_counts_tokens_can_be_called(world: World) -> None:
    world.refused(lambda: world.talk.window(9, 3), ValueError, "count must be a function")


@pytest.mark.parametrize("wrong", [None, "localhost:9092", 3, {"bootstrap.servers": "x"}])
def test_a_conversation_needs_a_log(wrong: Any) -> None:
    for make in (conversation, async_conversation):
        with pytest.raises(ValueError, match="log must be a KafkaLog"):
            make(wrong, SESSION)
