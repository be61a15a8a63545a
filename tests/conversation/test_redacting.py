"""A redaction removes the one message that its position names, in its own topic, and in its caller's time."""

import asyncio
from contextlib import suppress

import pytest

from kchat.conversation import AsyncConversation, Conversation, conversation
from kchat.core import (
    AppendOutcome,
    AppendRefused,
    AppendRequest,
    AppendUnknown,
    ChatPosition,
    Fetch,
    Message,
    NewRecord,
    PositionGone,
    Produce,
    ReadFailed,
)
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker, LostAnswer, NoAnswer, PartlyStored, TakenAlong

SESSION = "s"


def said(*texts: str) -> list[Message]:
    return [Message("human", {"content": text}) for text in texts]


def shown(broker: FakeBroker) -> list[str]:
    return [entry.message.text for entry in conversation(broker, SESSION).read()]


def another_generation(broker: FakeBroker, *texts: str) -> Conversation[Message]:
    """The session is deleted and begun again, by another program."""
    talk = conversation(broker.reopened(), SESSION)
    talk.clear()
    talk.append(said(*texts))
    return talk


def test_a_marker_that_comes_into_another_topic_of_that_name_removes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    (place,) = talk.append(said("to go"))
    append = broker.append

    def too_late(request: AppendRequest) -> AppendOutcome:
        another_generation(broker, "innocent")
        return append(request)

    monkeypatch.setattr(broker, "append", too_late)
    talk.redact(place)
    assert shown(broker) == ["innocent"]


def test_a_marker_that_is_resent_into_another_topic_removes_nothing() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    (place,) = talk.append(said("to go"))
    record = broker.cluster.topics[talk.topic].partitions[0].records[0]
    assert record.header("kchat-id") is not None
    broker.plan += [None] * commands_until_produce() + [LostAnswer(), *[NoAnswer()] * 100]
    with pytest.raises(AppendUnknown) as caught:
        talk.redact(place, seconds_max=0.5)
    broker.plan.clear()
    another_generation(broker, "innocent")
    talk.resend(caught.value)
    assert shown(broker) == ["innocent"]


def commands_until_produce() -> int:
    """How many commands a redaction takes before it sends the marker."""
    twin = FakeBroker()
    talk = conversation(twin, SESSION)
    (there,) = talk.append(said("to go"))
    begun = len(twin.commands)
    talk.redact(there)
    return next(i for i, c in enumerate(twin.commands[begun:]) if isinstance(c, Produce))


def test_every_reader_hides_what_is_redacted_by_its_record() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    places = talk.append(said("a", "b", "c"))
    history = KafkaChatMessageHistory(SESSION, "fake:9092", log=broker, replay=True)
    assert [message.content for message in history.messages] == ["a", "b", "c"]
    talk.redact(places[1])
    talk.append(said("d"))
    assert shown(broker) == ["a", "c", "d"]
    assert [entry.message.text for entry in talk.last(3)] == ["a", "c", "d"]
    assert [entry.message.text for entry in talk.before(places[2], 5)] == ["a"]
    assert [entry.message.text for entry in talk.after(places[0], 5)] == ["c", "d"]
    assert [message.content for message in history.messages] == ["a", "c", "d"]
    anew = KafkaChatMessageHistory(SESSION, "fake:9092", log=broker.reopened())
    assert [message.content for message in anew.messages_from_beginning()] == ["a", "c", "d"]


def test_a_marker_removes_a_second_copy_behind_it_when_the_first_one_has_expired() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    (place,) = talk.append(said("to go"))
    copy = broker.cluster.topics[talk.topic].partitions[0].records[0]
    talk.redact(place)
    new = NewRecord(copy.key, copy.value or b"", copy.headers).resent()
    broker.append(AppendRequest(topic=talk.topic, records=(new,), partition=0))
    broker.cluster.topics[talk.topic].partitions[0].low = 1
    assert shown(broker.reopened()) == []


def test_a_record_of_another_program_is_redacted_by_its_place() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    talk.append(said("a"))
    record = broker.cluster.topics[talk.topic].partitions[0].records[0]
    foreign = NewRecord(record.key, record.value or b"", ())
    broker.append(AppendRequest(topic=talk.topic, records=(foreign,), partition=0))
    talk.append(said("b"))
    talk.redact(talk.read()[1].position)
    assert shown(broker) == ["a", "b"]


def test_a_marker_is_no_message_that_can_be_redacted() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    (place,) = talk.append(said("a"))
    marker = talk.redact(place)
    with pytest.raises(PositionGone):
        talk.redact(marker)


@pytest.mark.parametrize("answers", [0, 1, 2, 3, 4, 5, 6])
def test_a_redaction_ends_in_time_wherever_the_broker_falls_silent(answers: int) -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    (place,) = talk.append(said("a"))
    broker.plan += [None] * answers + [NoAnswer()] * 100
    began_ms = broker.now_ms
    with suppress(ReadFailed, AppendRefused, AppendUnknown):  # told how it ended, or that it is done
        talk.redact(place, seconds_max=1.0)
    assert broker.now_ms - began_ms <= 2_000


# The position of a message that is stored twice


def test_an_append_that_was_stored_before_tells_the_first_copies() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    talk.append(said("before"))
    broker.plan += [None] * _until_produce() + [TakenAlong(1)]
    places = talk.append(said("a", "b"))
    assert [entry.position for entry in talk.read()][1:] == list(places)
    _is_the_message(talk, places[0])


@pytest.mark.parametrize("face", ["sync", "async"])
def test_a_resend_of_what_was_stored_tells_the_first_copies(face: str) -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    talk.append(said("before"))
    broker.plan += [None] * _until_produce() + [LostAnswer(), *[NoAnswer()] * 100]
    with pytest.raises(AppendUnknown) as caught:
        talk.append(said("a", "b"), seconds_max=0.5)
    broker.plan.clear()
    if face == "sync":
        places = talk.resend(caught.value)
    else:
        places = asyncio.run(AsyncConversation(broker, talk._ask).resend(caught.value))
    assert [entry.position.record for entry in talk.read()][1:] == [place.record for place in places]
    _is_the_message(talk, places[0])


def test_what_was_not_stored_before_has_the_place_that_the_resend_tells() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    talk.append(said("before"))
    broker.plan += [None] * _until_produce() + [PartlyStored(0), *[NoAnswer()] * 100]
    with pytest.raises(AppendUnknown) as caught:
        talk.append(said("a", "b"), seconds_max=0.5)
    broker.plan.clear()
    places = talk.resend(caught.value)
    assert [entry.position for entry in talk.read()][1:] == list(places)


def test_an_append_that_was_not_sent_again_fetches_nothing() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    talk.append(said("a", "b"))
    assert not [command for command in broker.commands if isinstance(command, Fetch)]


def _until_produce() -> int:
    """How many commands an append to a session that is there takes before it sends."""
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    talk.append(said("before"))
    begun = len(broker.commands)
    talk.append(said("a"))
    return next(i for i, c in enumerate(broker.commands[begun:]) if isinstance(c, Produce))


def _is_the_message(talk: Conversation[Message], place: ChatPosition) -> None:
    assert [entry.message.text for entry in talk.before(place, 5)] == ["before"]
    cursor = talk.cursor("c")
    cursor.seek(place)
    assert [entry.message.text for entry in cursor.read(5)][:1] == ["a"]
    talk.redact(place)
    assert [entry.message.text for entry in talk.read()] == ["before", "b"]


def test_a_follower_knows_by_its_entries_names_which_of_them_a_removal_means() -> None:
    talk = conversation(FakeBroker(), "s")
    places = talk.append([Message("human", {"content": text, "id": text}) for text in "abc"])
    following = talk.follow(messages_max=5, seconds_max=5.0)
    shown = [next(following) for _ in range(3)]
    talk.redact(places[1])
    talk.append([Message("remove", {"content": "", "id": "c"})])
    removed = [entry.message.id for entry in following]
    assert [entry.message.text for entry in shown if not set(entry.names) & set(removed)] == ["a"]
