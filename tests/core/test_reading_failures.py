"""The reading machine when a command fails: what is asked again, what ends the read, what moves."""

from typing import Any

import pytest

from kchat.core import (
    BrokerError,
    Complete,
    ErrorKind,
    Event,
    Failed,
    Fetch,
    FromBeginning,
    FromCommitted,
    FromPositions,
    ListOffsets,
    Partial,
    Position,
    Replayed,
    RequestFailed,
    reading,
)
from kchat.core.failures import PASSING
from kchat.core.reading import (
    EXPECTED_MS_MAX,
    Committing,
    Describing,
    Fetching,
    FindingCommitted,
    Finished,
    ListingOffsets,
    Relisting,
)
from tests.core.scripts import (
    asked,
    committed,
    described,
    ended,
    error,
    failed,
    fetched,
    listed,
    offsets,
    reads,
)
from tests.core.tracing import feed

OUT_OF_RANGE = ErrorKind.OFFSET_OUT_OF_RANGE
FOUND = (described(), listed((0, 9)))
CURSOR = {"start": FromCommitted("g")}
EMPTIED = (listed((9, 9)), listed((9, 9)))

STATES: list[tuple[str, tuple[Event, ...], dict[str, Any]]] = [
    ("Describing", (), {}),
    ("FindingCommitted", (described(),), CURSOR),
    ("ListingOffsets", (described(),), {}),
    ("Fetching", FOUND, {}),
    ("Relisting", (*FOUND, failed(OUT_OF_RANGE)), {}),
    ("Committing", (described(), listed((0, 1)), fetched(0)), {"commit_to": "g"}),
]
in_every_state = pytest.mark.parametrize(
    ("events", "changes"), [case[1:] for case in STATES], ids=[case[0] for case in STATES]
)
FINAL = [k for k in ErrorKind if k not in {*PASSING, OUT_OF_RANGE, ErrorKind.UNKNOWN_TOPIC}]


@in_every_state
@pytest.mark.parametrize("kind", [ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT])
def test_a_passing_failure_is_asked_again(
    events: tuple[Event, ...], changes: dict[str, Any], kind: ErrorKind
) -> None:
    before = reads(*events, **changes)
    after = feed(reading, before, failed(kind))
    assert type(after) is type(before)
    assert type(reading.pending(after)) is type(reading.pending(before))


@in_every_state
@pytest.mark.parametrize("kind", FINAL)
def test_a_final_failure_ends_the_read_with_its_cause(
    events: tuple[Event, ...], changes: dict[str, Any], kind: ErrorKind
) -> None:
    # Not before a commit: one that was not answered may have been made (test_reading_cursor.py).
    earlier = () if "commit_to" in changes else (failed(ErrorKind.TRANSIENT),)
    state = reads(*events, *earlier, failed(kind, "why"), **changes)
    outcome = ended(state)
    assert isinstance(outcome, Failed)
    assert outcome.failure == error(kind, "why")


@pytest.mark.parametrize(
    ("events", "changes"), [case[1:] for case in STATES[:-1]], ids=[case[0] for case in STATES[:-1]]
)
def test_failures_until_the_time_is_over_end_the_read_with_the_first_cause(
    events: tuple[Event, ...], changes: dict[str, Any]
) -> None:
    troubles = (failed(ErrorKind.TRANSIENT, "broke"), failed(ErrorKind.TIMED_OUT, at=2_000))
    state = reads(*events, *troubles, wait_ms_max=1_000, **changes)
    outcome = ended(state)
    assert isinstance(outcome, Failed)
    assert outcome.failure == error(ErrorKind.TRANSIENT, "broke")


@pytest.mark.parametrize("number", [1, 2])
def test_a_topic_that_vanishes_before_anything_is_read_is_looked_for_again(number: int) -> None:
    _, events, changes = STATES[number]
    gone = failed(ErrorKind.UNKNOWN_TOPIC)
    again = reads(*events, gone, **changes)
    assert isinstance(again, Describing)
    assert asked(again).backoff_ms > 0
    assert isinstance(ended(feed(reading, again, gone)), Complete), "it was deleted: an empty conversation"
    back = feed(reading, again, described(), *([committed()] if changes else []), listed((0, 1)), fetched(0))
    assert offsets(ended(back)) == [0]


@pytest.mark.parametrize("number", [1, 2])
def test_a_topic_that_is_described_and_unknown_in_turns_fails_the_read_in_time(number: int) -> None:
    _, events, changes = STATES[number]
    turns = (failed(ErrorKind.UNKNOWN_TOPIC), described(at=EXPECTED_MS_MAX - 1))
    again = reads(*events, *turns, **changes)
    assert isinstance(again, FindingCommitted if changes else ListingOffsets)
    outcome = ended(feed(reading, again, failed(ErrorKind.UNKNOWN_TOPIC, at=EXPECTED_MS_MAX)))
    assert isinstance(outcome, Failed)
    over = reads(*events, failed(ErrorKind.UNKNOWN_TOPIC, at=500), wait_ms_max=500, **changes)
    assert isinstance(ended(over), Failed), "the caller's limit is shorter"


def test_a_topic_that_vanishes_during_the_read_fails_it() -> None:
    outcome = ended(reads(*FOUND, failed(ErrorKind.UNKNOWN_TOPIC)))
    assert isinstance(outcome, Failed)


def test_what_was_read_of_a_topic_that_is_gone_at_the_commit_is_handed_out() -> None:
    _, events, changes = STATES[5]
    outcome = ended(reads(*events, failed(ErrorKind.UNKNOWN_TOPIC), **changes))
    assert isinstance(outcome, Complete)
    assert offsets(outcome) == [0]
    assert outcome.progress.unmoved == error(ErrorKind.UNKNOWN_TOPIC)


def test_a_failed_read_keeps_what_it_handed_out_and_where_it_stands() -> None:
    state = reads(*FOUND, fetched(0, 1), failed(ErrorKind.DENIED))
    outcome = ended(state)
    assert isinstance(outcome, Failed)
    assert offsets(outcome) == [0, 1]
    assert outcome.progress.positions == (Position(0, 2),)


def test_out_of_range_asks_where_the_log_is_now() -> None:
    state = reads(*FOUND, failed(OUT_OF_RANGE))
    assert isinstance(state, Relisting)
    assert isinstance(asked(state), ListOffsets)


def test_out_of_range_when_the_time_is_over_is_the_end() -> None:
    state = reads(*FOUND, failed(OUT_OF_RANGE, at=500), wait_ms_max=500)
    outcome = ended(state)
    assert isinstance(outcome, Failed)


@pytest.mark.parametrize("replayed", [None, Replayed()], ids=["", "replayed"])
def test_a_whole_read_that_retention_overtakes_is_the_conversation_as_it_is_now(replayed: Any) -> None:
    found = (described(topic_id="A"), listed((0, 9)))
    state = reads(*found, fetched(0, 1), failed(OUT_OF_RANGE), listed((4, 9)), replayed=replayed)
    assert asked(state).positions == (Position(0, 4),)
    outcome = ended(feed(reading, state, fetched(4, 5, 6, 7, 8)))
    assert isinstance(outcome, Complete)
    assert offsets(outcome) == [4, 5, 6, 7, 8], "without 0 and 1, which are deleted like 2 and 3"
    assert (outcome.progress.replayed is None) == (replayed is None)


def test_what_an_earlier_replay_found_goes_too_when_retention_overtakes_the_read() -> None:
    described_a = described(topic_id="A")
    first = ended(reads(described_a, listed((0, 2)), fetched(0, 1), replayed=Replayed()))
    events = (described_a, listed((0, 9)), failed(OUT_OF_RANGE), listed((4, 9)), fetched(4, 5, 6, 7, 8))
    again = ended(reads(*events, replayed=first.progress.replayed)).progress.replayed
    assert len(again.messages) == 5


def test_a_read_from_a_cursor_that_retention_overtakes_keeps_what_came_before() -> None:
    behind = (described(), committed((0, "")), listed((0, 9)), fetched(0, 1))
    state = reads(*behind, failed(OUT_OF_RANGE), listed((4, 9)), fetched(4, 5, 6, 7, 8), **CURSOR)
    assert offsets(ended(state)) == [0, 1, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("start", [FromBeginning(), FromPositions(())])
def test_what_retention_passed_is_passed_over_when_no_position_was_named(start: Any) -> None:
    state = reads(*FOUND, failed(OUT_OF_RANGE), listed((4, 9)), start=start)
    assert isinstance(state, Fetching)
    assert asked(state).positions == (Position(0, 4),)


@pytest.mark.parametrize("start", [FromBeginning(), FromPositions(())])
def test_a_log_whose_records_all_expired_is_complete(start: Any) -> None:
    state = reads(described(), listed((9, 9)), failed(OUT_OF_RANGE), *EMPTIED, start=start)
    outcome = ended(state)
    assert isinstance(outcome, Complete)
    assert outcome.progress.positions == (Position(0, 9),)


def test_an_answer_that_nothing_is_left_is_believed_when_it_is_given_twice() -> None:
    """A client also gives it by mistake, while a leader changes."""
    state = reads(*FOUND, failed(OUT_OF_RANGE), listed((9, 9)))
    assert isinstance(state, Relisting)
    assert asked(state).backoff_ms > 0
    state = feed(reading, state, listed((4, 9)))
    assert asked(state).positions == (Position(0, 4),)


def test_only_the_partition_in_question_is_asked_again() -> None:
    refused = RequestFailed(at_ms=1, error=BrokerError(OUT_OF_RANGE, "_AUTO_OFFSET_RESET", "", 1))
    state = reads(described(0, 1), listed((0, 9), (0, 9)), refused)
    assert asked(state).partitions == (1,)


def test_a_cursor_that_retention_passed_goes_on_at_what_is_left() -> None:
    state = reads(
        described(), committed((2, "")), listed((0, 9)), failed(OUT_OF_RANGE), listed((4, 9)), **CURSOR
    )
    assert asked(state).positions == (Position(0, 4),)


def test_a_cursor_whose_log_all_expired_is_moved_to_the_end() -> None:
    state = reads(
        described(),
        committed((2, "")),
        listed((9, 9)),
        failed(OUT_OF_RANGE),
        *EMPTIED,
        commit_to="g",
        **CURSOR,
    )
    assert isinstance(state, Committing)
    assert [(entry.partition, entry.offset) for entry in asked(state).offsets] == [(0, 9)]


def test_a_named_position_that_retention_passed_fails_the_read() -> None:
    start = FromPositions((Position(0, 2),))
    state = reads(described(), listed((4, 9)), failed(OUT_OF_RANGE), listed((4, 9)), start=start)
    outcome = ended(state)
    assert isinstance(outcome, Failed)
    assert "OFFSET_OUT_OF_RANGE" in repr(outcome.failure)
    assert not offsets(outcome)


def test_a_log_that_is_shorter_than_the_position_is_another_one() -> None:
    state = reads(*FOUND, fetched(0, 1, 2), failed(OUT_OF_RANGE), listed((0, 2)))
    outcome = ended(state)
    assert isinstance(outcome, Failed)
    assert offsets(outcome) == [0, 1, 2]


def test_a_replica_that_lags_is_asked_the_same_again_but_not_at_once() -> None:
    state = reads(*FOUND, fetched(0), failed(OUT_OF_RANGE), listed((0, 9)))
    assert isinstance(state, Fetching)
    command = asked(state)
    assert isinstance(command, Fetch)
    assert (command.positions, command.backoff_ms) == ((Position(0, 1),), 5)


def test_a_replica_that_lags_until_the_time_is_over_fails_the_read() -> None:
    state = reads(*FOUND, fetched(0), failed(OUT_OF_RANGE), listed((0, 9), at=500), wait_ms_max=500)
    outcome = ended(state)
    assert isinstance(outcome, Failed)
    assert outcome.failure == error(OUT_OF_RANGE)


def test_a_false_low_watermark_is_not_believed_when_the_read_begins() -> None:
    state = reads(described(), listed((9, 9)))
    assert isinstance(state, Fetching)
    assert asked(state).positions == (Position(0, 0),)
    assert isinstance(feed(reading, state, fetched(*range(9))), Finished)


def test_out_of_range_in_a_follower_ends_in_time() -> None:
    state = reads(*FOUND, failed(OUT_OF_RANGE), *EMPTIED, follow=True, wait_ms_max=500)
    assert isinstance(state, Fetching)
    state = feed(reading, state, fetched(at=500))
    outcome = ended(state)
    assert isinstance(outcome, Partial)


def test_a_follower_looks_now_and_then_whether_the_broker_is_there() -> None:
    """Silence alone says nothing: a dead broker is as silent as a session where nobody writes."""
    state = reads(*FOUND, fetched(*range(9)), fetched(at=1_000), follow=True, messages_max=10)
    assert isinstance(asked(state), Fetch)
    state = feed(reading, state, fetched(at=2_100))
    assert isinstance(asked(state), ListOffsets)
    listening = feed(reading, state, listed((0, 9), at=2_101))
    assert isinstance(asked(listening), Fetch)
    for at in range(2_200, 7_000, 200):
        if not isinstance(state, Finished):
            state = feed(reading, state, failed(ErrorKind.TIMED_OUT, "nobody answers", at=at))
    outcome = ended(state)
    assert isinstance(outcome, Failed)
    assert outcome.failure == error(ErrorKind.TIMED_OUT, "nobody answers")
