"""Defects of langchain_community's class that no other test shows: what it does, and what is done here.

docs/coming-from-langchain-community.md lists all of them, each with the test that shows it.
"""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from langchain_community.chat_message_histories import KafkaChatMessageHistory as OldHistory
from langchain_core.messages import HumanMessage

from kchat.core import AppendRefused, place
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker

THIRTY = [HumanMessage(str(number)) for number in range(30)]


@pytest.fixture
def session() -> str:
    return f"defects-{uuid.uuid4().hex}"


def test_making_a_history_asks_nothing_and_its_calls_name_its_topic_alone() -> None:
    broker = FakeBroker()
    history = KafkaChatMessageHistory("s", "unused:9092", log=broker)
    assert broker.commands == []
    history.add_user_message("x")
    assert [message.content for message in history.messages] == ["x"]
    assert {command.topic for command in broker.commands if hasattr(command, "topic")} == {"s"}


@pytest.mark.parametrize("name", ["__consumer_offsets", "__transaction_state", "__share_group_state"])
def test_a_session_named_like_a_topic_of_kafkas_own_is_another_topic(name: str) -> None:
    assert place(name).topic.startswith("kchat--")


def test_clearing_what_is_not_there_is_no_error() -> None:
    history = KafkaChatMessageHistory("s", "unused:9092", log=FakeBroker())
    history.add_user_message("x")
    for _ in range(2):
        history.clear()
        assert history.messages == []


def test_a_refusal_by_the_broker_is_told(kafka: str, session: str) -> None:
    small = NewTopic(session, 1, 1, config={"max.message.bytes": "1000"})
    admin = AdminClient({"bootstrap.servers": kafka})
    for created in admin.create_topics([small]).values():
        created.result()
    large = HumanMessage("x" * 5_000)
    OldHistory(session, kafka).add_messages([large])  # returns
    with KafkaChatMessageHistory(session, kafka, replay=True) as history:
        with pytest.raises(AppendRefused, match="MSG_SIZE_TOO_LARGE"):
            history.add_messages([large])
        assert history.messages == []


def test_two_that_read_from_the_beginning_at_once_both_get_the_whole(kafka: str, session: str) -> None:
    old = OldHistory(session, kafka)
    for message in THIRTY:
        old.add_messages([message])
    with ThreadPoolExecutor(2) as both:
        # First, for the old class's readers stay members of the group that holds the place.
        with KafkaChatMessageHistory(session, kafka) as history:
            wholes = list(both.map(lambda _: history.messages_from_beginning(None, 5), "ab"))

        def miss_some() -> bool:
            parts = both.map(lambda _: OldHistory(session, kafka).messages_from_beginning(None, 2), "ab")
            return any(len(part) < len(THIRTY) for part in parts)

        # They share the partitions out, unless a busy machine lets one end before the other begins.
        assert any(miss_some() for _ in range(3))
    assert [len(whole) for whole in wholes] == [len(THIRTY)] * 2


def test_what_is_added_right_after_clear_is_kept_in_a_topic_as_asked(kafka: str, session: str) -> None:
    with KafkaChatMessageHistory(session, kafka, partition=2, ttl_ms=3_600_000, replay=True) as history:
        for said in ("before", "after"):
            history.add_user_message(said)
            assert [message.content for message in history.messages] == [said]
            if said == "before":
                history.clear()
    topics = AdminClient({"bootstrap.servers": kafka}).list_topics(session, timeout=10).topics
    assert len(topics[session].partitions) == 2
