"""A session id becomes a topic name: legal, one to one, and back."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kchat.core import InvalidSessionId, is_legal_topic, place, place_in, session_id_of
from kchat.core.checks import KAFKA_TOPICS
from kchat.core.placement import ESCAPE_MARK, TOPIC_LENGTH_MAX
from kchat.testing import FakeBroker

LEGAL = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

legal_names = st.text(LEGAL, min_size=1, max_size=TOPIC_LENGTH_MAX).filter(
    lambda name: name not in {".", ".."} and name not in KAFKA_TOPICS and not name.startswith(ESCAPE_MARK)
)
odd_ids = st.text(st.sampled_from("ab./_-% \x00\n\r\"'é鍵😀~5fE2"), min_size=1, max_size=40)
marked_ids = st.text(LEGAL, max_size=60).map(lambda tail: ESCAPE_MARK + tail)
# Every byte of an id costs three characters at most: so short ones always fit.
session_ids = st.one_of(
    legal_names,
    odd_ids,
    marked_ids,
    st.sampled_from([*sorted(KAFKA_TOPICS), ".", ".."]),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)


@given(legal_names)
def test_a_legal_name_is_its_own_topic(name: str) -> None:
    placement = place(name)
    assert placement.topic == placement.group == name
    assert placement.key == name.encode()
    assert placement.key_filter is None
    assert placement.append_partition == 0


@given(session_ids)
@example("kchat--")
@example("kchat---2d")
def test_a_topic_is_legal_and_leads_back_to_its_session(session_id: str) -> None:
    placement = place(session_id)
    assert is_legal_topic(placement.topic)
    assert placement.topic not in KAFKA_TOPICS
    assert placement.append_partition == 0
    assert placement.key.decode() == session_id
    assert session_id_of(placement.topic) == session_id


@given(session_ids, session_ids)
@example("kchat---", "-")
@example("a b", "a-20b")
@example("kchat--a-20b", "a b")
def test_two_sessions_never_share_a_topic(one: str, other: str) -> None:
    assert (place(one).topic == place(other).topic) is (one == other)


@given(st.lists(odd_ids | marked_ids, min_size=2, max_size=6, unique=True))
def test_no_two_escaped_names_differ_only_by_dot_and_underscore(ids: list[str]) -> None:
    """Kafka makes metric names of topic names, with "_" for ".", and refuses a second one."""
    broker = FakeBroker()
    topics = {place(session_id).topic for session_id in ids}
    escaped = [topic for topic in topics if topic.startswith(ESCAPE_MARK)]
    assert len({topic.replace(".", "_") for topic in escaped}) == len(escaped)
    assert not any("_" in topic for topic in escaped)
    for topic in escaped:
        broker.cluster.create(topic)


@given(st.text(LEGAL + " %", max_size=40))
def test_a_topic_that_no_session_has_leads_to_none(topic: str) -> None:
    session_id = session_id_of(topic)
    assert session_id is None or place(session_id).topic == topic


@pytest.mark.parametrize(
    "topic",
    [
        *sorted(KAFKA_TOPICS),
        "",
        ".",
        "a b",
        ESCAPE_MARK,
        "kchat--_",
        "kchat---2",
        "kchat---2D",
        "kchat---ff",
        "kchat--plain",
        "kchat---61",
    ],
)
def test_these_topics_are_no_sessions(topic: str) -> None:
    assert session_id_of(topic) is None


def test_the_escape_is_the_documented_one() -> None:
    assert place("user 1/é_x.y").topic == "kchat--user-201-2f-c3-a9-5fx.y"


@pytest.mark.parametrize(
    "hostile",
    ["", "\ud800", "a\udfffb", "x" * 250, "é" * 41, None, 5, b"bytes", ["list"]],
    ids=["empty", "surrogate", "surrogate inside", "long", "long escaped", "None", "int", "bytes", "list"],
)
def test_a_hostile_id_is_refused_before_anything_else(hostile: Any) -> None:
    with pytest.raises(InvalidSessionId) as caught:
        place(hostile)
    assert isinstance(caught.value, ValueError)
    str(caught.value).encode()


def test_the_longest_names_fit_and_no_longer_ones() -> None:
    assert place("x" * TOPIC_LENGTH_MAX).topic == "x" * TOPIC_LENGTH_MAX
    escapes, plain = divmod(TOPIC_LENGTH_MAX - len(ESCAPE_MARK), 3)
    longest = " " * escapes + "x" * plain
    assert len(place(longest).topic) == TOPIC_LENGTH_MAX
    with pytest.raises(InvalidSessionId, match="too long"):
        place(longest + "x")


@given(st.text())
def test_any_text_is_placed_or_refused(session_id: str) -> None:
    try:
        topic = place(session_id).topic
    except InvalidSessionId:
        return
    assert is_legal_topic(topic)


def test_in_a_shared_topic_the_key_tells_sessions_apart() -> None:
    placement = place_in("shared", "a b")
    assert (placement.topic, placement.key, placement.key_filter) == ("shared", b"a b", b"a b")
    with pytest.raises(InvalidSessionId):
        place_in("no topic", "a")
    with pytest.raises(InvalidSessionId):
        place_in("shared", "")


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("a", True),
        ("x" * 249, True),
        ("x" * 250, False),
        ("a\n", False),
        ("..", False),
        ("é", False),
        ("", False),
    ],
)
def test_legal_names_are_kafkas(name: str, legal: bool) -> None:
    assert is_legal_topic(name) is legal
