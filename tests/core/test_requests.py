from typing import Any

import pytest

from kchat.core import (
    AppendRequest,
    Ending,
    EnsureTopic,
    FromBefore,
    FromBeginning,
    FromCommitted,
    JsonDecoder,
    ReadRequest,
    RemoveTopic,
    TopicSettings,
    WatchRequest,
)

HOSTILE_GROUPS = ["", " ", "\t", " trimmed ", "cut\0here", "\ud800", "x\udfff", None, 5, b"bytes"]
HOSTILE_TOPICS = ["", ".", "..", "a b", "x" * 250, "ü", "a\0b", "\ud800", None, 5, b"bytes"]


@pytest.mark.parametrize("group", HOSTILE_GROUPS)
def test_a_group_that_would_end_the_process_is_refused(group: str) -> None:
    with pytest.raises(ValueError, match="group must be"):
        FromCommitted(group)
    if group is not None:
        with pytest.raises(ValueError, match="commit_to must be"):
            ReadRequest(topic="t", start=FromBeginning(), decoder=JsonDecoder(), commit_to=group)


@pytest.mark.parametrize("topic", HOSTILE_TOPICS)
def test_a_topic_that_would_end_the_process_is_refused(topic: str) -> None:
    makers = (
        lambda: ReadRequest(topic=topic, start=FromBeginning(), decoder=JsonDecoder()),
        lambda: AppendRequest(topic=topic, records=()),
        lambda: EnsureTopic(topic=topic, settings=TopicSettings()),
        lambda: RemoveTopic(topic=topic),
    )
    for make in makers:
        with pytest.raises(ValueError, match="topic must be"):
            make()


def test_ordinary_names_pass() -> None:
    assert FromCommitted("an audit reader, Zoë").group == "an audit reader, Zoë"
    assert RemoveTopic(topic="a.b_c-D9").topic == "a.b_c-D9"


def test_a_read_that_waits_needs_a_limit() -> None:
    with pytest.raises(ValueError, match="needs a limit"):
        ReadRequest(topic="t", start=FromBeginning(), decoder=JsonDecoder(), follow=True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"start": FromBefore(1), "follow": True, "messages_max": 1}, "waits for nothing"),
        ({"only_move": True, "commit_to": "g", "follow": True, "messages_max": 1}, "waits for nothing"),
        ({"start": FromBefore(1), "commit_to": "g"}, "moves no cursor"),
        ({"only_move": True}, "which: commit_to"),
    ],
)
def test_a_read_that_means_nothing_is_refused(changes: dict[str, Any], why: str) -> None:
    given: dict[str, Any] = {"start": FromBeginning(), **changes}
    with pytest.raises(ValueError, match=why):
        ReadRequest(topic="t", decoder=JsonDecoder(), **given)


def test_a_window_has_a_whole_number_of_offsets() -> None:
    for offsets in (0, -1, True, 1.0, None):
        with pytest.raises(ValueError, match="offsets"):
            FromBefore(offsets)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", [0, "over", object(), [Ending]])
def test_what_ends_a_watch_or_a_read_is_an_ending(ending: Any) -> None:
    with pytest.raises(ValueError, match="ending must be an Ending or None"):
        WatchRequest(topic="s", positions=(), wait_ms_max=0, ending=ending)
    with pytest.raises(ValueError, match="ending must be an Ending or None"):
        ReadRequest(topic="s", start=FromBeginning(), decoder=JsonDecoder(), ending=ending)
