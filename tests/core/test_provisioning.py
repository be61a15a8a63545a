"""The provisioning machine, arrow by arrow: a topic is made to be there, or made to be gone."""

from typing import Any

import pytest

from kchat.core import (
    Command,
    CreateTopic,
    DeleteTopic,
    DescribeTopic,
    EnsureTopic,
    ErrorKind,
    Event,
    RemoveTopic,
    TopicCreated,
    TopicDeleted,
    TopicFailed,
    TopicGone,
    TopicReady,
    TopicSettings,
    provisioning,
)
from kchat.core.budget import SLICE_MS
from kchat.core.provisioning import (
    STILL_VISIBLE,
    AwaitingGone,
    AwaitingTopic,
    Creating,
    Deleting,
    Finished,
    Looking,
)
from tests.core.scripts import described, error, failed
from tests.core.strategies import TOPIC
from tests.core.tracing import feed

UNKNOWN_TOPIC, TRANSIENT, TIMED_OUT = ErrorKind.UNKNOWN_TOPIC, ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT
CREATED, DELETED = TopicCreated(at_ms=1), TopicDeleted(at_ms=1)
MISSING = failed(UNKNOWN_TOPIC)
ENSURE = EnsureTopic(topic=TOPIC, settings=TopicSettings(partitions=2), wait_ms_max=1_000)
REMOVE = RemoveTopic(topic=TOPIC, wait_ms_max=1_000)


def ensure(*events: Event) -> Any:
    return feed(provisioning, provisioning.start(ENSURE, 0), *events)


def remove(*events: Event) -> Any:
    return feed(provisioning, provisioning.start(REMOVE, 0), *events)


def asked(state: Any) -> Any:
    command = provisioning.pending(state)
    assert isinstance(command, Command)
    return command


def ended(state: Any) -> Any:
    assert isinstance(state, Finished)
    return provisioning.pending(state)


def test_a_topic_that_is_there_is_left_as_it_is() -> None:
    state = ensure()
    assert isinstance(state, Looking)
    assert asked(state).with_id is False
    outcome = ended(feed(provisioning, state, described(0, 1, 2)))
    assert outcome == TopicReady(partitions=(0, 1, 2), created=False)


def test_a_missing_topic_is_created_and_waited_for() -> None:
    state = ensure(MISSING)
    assert isinstance(state, Creating)
    assert asked(state).settings == ENSURE.settings
    assert asked(state).backoff_ms == 0, "that it is missing is an answer, no failure"
    state = feed(provisioning, state, CREATED)
    assert isinstance(state, AwaitingTopic)
    assert asked(state) == DescribeTopic(topic=TOPIC, with_id=False, timeout_ms=SLICE_MS)
    state = feed(provisioning, state, MISSING)
    assert isinstance(state, AwaitingTopic)
    assert asked(state).backoff_ms > 0
    assert ended(feed(provisioning, state, described(0, 1))) == TopicReady(partitions=(0, 1), created=True)


def test_of_two_that_create_at_once_both_succeed() -> None:
    state = ensure(MISSING, failed(ErrorKind.TOPIC_EXISTS))
    assert isinstance(state, AwaitingTopic)
    assert asked(state) == DescribeTopic(topic=TOPIC, with_id=False, timeout_ms=SLICE_MS)
    assert ended(feed(provisioning, state, described(0))) == TopicReady(partitions=(0,), created=False)


def test_a_created_topic_that_never_shows_is_a_failure() -> None:
    state = ensure(MISSING, CREATED, failed(UNKNOWN_TOPIC, at=1_000))
    assert ended(state) == TopicFailed(error(UNKNOWN_TOPIC))


def test_a_missing_topic_is_not_deleted() -> None:
    assert asked(remove()).with_id is True
    assert ended(remove(MISSING)) == TopicGone(deleted=False)


def test_a_topic_is_deleted_and_watched_until_it_is_gone() -> None:
    state = remove(described(topic_id="A"))
    assert isinstance(state, Deleting)
    assert isinstance(asked(state), DeleteTopic)
    state = feed(provisioning, state, DELETED, described(topic_id="A"))
    assert isinstance(state, AwaitingGone)
    assert asked(state).backoff_ms > 0
    assert ended(feed(provisioning, state, MISSING)) == TopicGone(deleted=True)


def test_of_two_that_delete_at_once_both_succeed() -> None:
    assert ended(remove(described(topic_id="A"), MISSING, MISSING)) == TopicGone(deleted=True)
    created_since = remove(described(topic_id="A"), MISSING, described(topic_id="B"))
    assert ended(created_since) == TopicGone(deleted=True)


def test_another_topic_of_the_same_name_is_not_the_deleted_one() -> None:
    assert ended(remove(described(topic_id="A"), DELETED, described(topic_id="B"))) == TopicGone(deleted=True)


@pytest.mark.parametrize(("before", "after"), [("A", "A"), (None, None), ("A", None), (None, "B")])
def test_without_another_id_a_visible_topic_is_still_there(before: str | None, after: str | None) -> None:
    state = remove(described(topic_id=before), DELETED, described(topic_id=after))
    assert isinstance(state, AwaitingGone)
    over = feed(provisioning, state, described(topic_id=after, at=1_000))
    assert ended(over) == TopicFailed(STILL_VISIBLE)


IN_ANY_STATE = pytest.mark.parametrize(
    "state",
    [
        ensure(),
        remove(),
        ensure(MISSING),
        ensure(MISSING, CREATED),
        remove(described(topic_id="A")),
        remove(described(topic_id="A"), DELETED),
    ],
    ids=["Looking to ensure", "Looking to remove", "Creating", "AwaitingTopic", "Deleting", "AwaitingGone"],
)


@IN_ANY_STATE
@pytest.mark.parametrize("kind", [TRANSIENT, TIMED_OUT])
def test_a_passing_failure_is_asked_again(state: Any, kind: ErrorKind) -> None:
    after = feed(provisioning, state, failed(kind))
    assert type(after) is type(state)
    assert type(asked(after)) is type(asked(state))


@IN_ANY_STATE
def test_failures_until_the_time_is_over_end_with_the_first_cause(state: Any) -> None:
    over = feed(provisioning, state, failed(TRANSIENT, "broke"), failed(TIMED_OUT, at=1_000))
    assert ended(over) == TopicFailed(error(TRANSIENT, "broke"))


@IN_ANY_STATE
@pytest.mark.parametrize("kind", [ErrorKind.DENIED, ErrorKind.REJECTED, ErrorKind.UNSUPPORTED])
def test_a_final_failure_ends_it(state: Any, kind: ErrorKind) -> None:
    assert ended(feed(provisioning, state, failed(kind, "no"))) == TopicFailed(error(kind, "no"))


@pytest.mark.parametrize(("state", "event"), [(ensure(), CREATED), (remove(), DELETED)])
def test_an_event_that_cannot_follow_is_a_defect_of_the_shell(state: Any, event: Event) -> None:
    with pytest.raises(AssertionError, match="cannot follow Looking"):
        provisioning.advance(state, event)


def test_create_asks_for_what_was_wanted() -> None:
    command = asked(ensure(MISSING))
    assert isinstance(command, CreateTopic)
    assert command.topic == TOPIC
