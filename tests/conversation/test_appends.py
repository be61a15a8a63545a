"""What an append to a conversation tells, and how long it may take."""

import pytest

from kchat.conversation import conversation
from kchat.core import ChatPosition, Message, Produce
from kchat.testing import FakeBroker, NoAnswer

SECONDS = 0.5


def said(*texts: str) -> list[Message]:
    return [Message("human", {"content": text}) for text in texts]


def after_the_append(session_exists: bool) -> int:
    """How many commands an append of two takes up to their acknowledgement."""
    broker = FakeBroker()
    talk = conversation(broker, "s")
    if session_exists:
        talk.append(said("before"))
    begun = len(broker.commands)
    talk.append(said("a", "b"))
    produced = [index for index, command in enumerate(broker.commands) if isinstance(command, Produce)]
    return produced[-1] + 1 - begun


def test_an_append_tells_the_place_of_each_message() -> None:
    talk = conversation(FakeBroker(), "s")
    places = talk.append(said("a", "b", "c"))
    assert [entry.position for entry in talk.read()] == list(places)


@pytest.mark.parametrize("session_exists", [False, True])
def test_acknowledged_messages_are_told_in_time_though_the_broker_falls_silent(session_exists: bool) -> None:
    broker = FakeBroker()
    talk = conversation(broker, "s")
    if session_exists:
        talk.append(said("before"))
    broker.plan += [None] * after_the_append(session_exists) + [NoAnswer()] * 100
    began_ms = broker.now_ms
    places = talk.append(said("a", "b"), seconds_max=SECONDS)
    assert broker.now_ms - began_ms <= (SECONDS + 1) * 1000
    # They say less, which topic it is, and are good for the same reads all the same.
    broker.plan.clear()
    assert [place.topic_id for place in places] == [None, None]
    assert [entry.message.text for entry in talk.after(places[0], 5)] == ["b"]
    assert ChatPosition.parse(str(places[1])) == places[1]
    talk.redact(places[1])
    assert [entry.message.text for entry in talk.last(1)] == ["a"]
