"""The appending machine at its bounds: the largest record, the last millisecond, the only record."""

from typing import Any

import pytest

from kchat.core import (
    AppendRequest,
    BrokerError,
    ErrorKind,
    Event,
    NewRecord,
    Produce,
    Refused,
    RemoveTopic,
    TopicCreated,
    TopicSettings,
    appending,
    provisioning,
)
from kchat.core.appending import Ensuring, Finished, Withdrawing
from tests.core.scripts import described, error, failed, produced
from tests.core.strategies import TOPIC
from tests.core.tracing import feed

UNKNOWN_TOPIC, TIMED_OUT = ErrorKind.UNKNOWN_TOPIC, ErrorKind.TIMED_OUT
RECORD = NewRecord(b"s", b"a")
UNKNOWN = error(UNKNOWN_TOPIC)


def appends(*events: Event, **changes: Any) -> Any:
    """The state of an append of one record within a second, after these events."""
    given: dict[str, Any] = {"records": (RECORD,), "wait_ms_max": 1_000}
    request = AppendRequest(topic=TOPIC, **given | changes)
    return feed(appending, appending.start(request, 0), *events)


def test_one_record_that_is_too_large_refuses_all_before_anything_is_sent() -> None:
    small, large = NewRecord(b"s", b""), NewRecord(b"s", b"a" * 100)
    limit = large.resent().size_bytes - 1
    state = appends(records=(small, large, small), record_bytes_max=limit)
    too_large = BrokerError(
        ErrorKind.REJECTED, "MSG_SIZE_TOO_LARGE", f"a record is larger than {limit} bytes"
    )
    assert isinstance(state, Finished)
    assert state.outcome == Refused(too_large)


def test_a_record_may_be_as_large_as_the_limit_even_when_it_is_sent_again() -> None:
    limit = RECORD.resent().size_bytes
    for record in (RECORD, RECORD.resent()):
        assert isinstance(appending.pending(appends(records=(record,), record_bytes_max=limit)), Produce)


@pytest.mark.parametrize("at", [400, 999])
def test_creating_the_topic_again_has_what_is_left_of_the_calls_time(at: int) -> None:
    again = appends(produced(UNKNOWN, at=at), settings=TopicSettings(), topic_known=True)
    assert isinstance(again, Ensuring)
    if at < 999:
        assert isinstance(feed(appending, again, failed(TIMED_OUT, at=999)), Ensuring)
    assert isinstance(feed(appending, again, failed(TIMED_OUT, at=1_000)), Finished)


def test_the_time_that_the_creation_took_is_gone_for_the_append() -> None:
    events = (failed(UNKNOWN_TOPIC), TopicCreated(at_ms=1), described(at=950))
    command = appending.pending(appends(*events, settings=TopicSettings()))
    assert isinstance(command, Produce)
    assert command.timeout_ms == 50


def test_the_last_word_on_the_only_record_is_the_outcome() -> None:
    withdrawing = appends(produced(None, at=1_000))
    assert isinstance(withdrawing, Withdrawing)
    over = feed(appending, withdrawing, produced(error(ErrorKind.DENIED, "no"), at=1_001))
    assert over.outcome == Refused(error(ErrorKind.DENIED, "no"))


def test_a_provisioning_that_is_over_is_no_state_to_be_in() -> None:
    attempt = appends().attempt
    request = RemoveTopic(topic=TOPIC)
    over = provisioning.advance(provisioning.start(request, 0), failed(UNKNOWN_TOPIC))
    with pytest.raises(AssertionError, match="Ensuring"):
        appending.pending(Ensuring(attempt, over))
    with pytest.raises(AssertionError, match="TopicGone"):
        appending.advance(Ensuring(attempt, provisioning.start(request, 0)), failed(UNKNOWN_TOPIC))
