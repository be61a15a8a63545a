"""The reading machine and the cursor: where it begins, what is committed, and when nothing is."""

import pytest

from kchat.core import (
    CommitOffsets,
    Complete,
    CursorMemory,
    ErrorKind,
    Event,
    Failed,
    FetchCommitted,
    FromCommitted,
    FromEnd,
    FromPositions,
    ListOffsets,
    Partial,
    Position,
    reading,
)
from kchat.core.reading import (
    COMMIT_MS_MIN,
    Committing,
    FindingCommitted,
)
from tests.core.scripts import (
    POISON,
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
    record,
    stored,
)
from tests.core.tracing import feed

TRANSIENT, TIMED_OUT, DENIED = ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT, ErrorKind.DENIED
UNKNOWN_TOPIC, OUT_OF_RANGE = ErrorKind.UNKNOWN_TOPIC, ErrorKind.OFFSET_OUT_OF_RANGE
FOUND = (described(), listed((0, 3)))
CURSOR = {"start": FromCommitted("g"), "commit_to": "g"}


@pytest.mark.parametrize(
    ("metadata", "position"),
    [("kchat A ", 2), ("kchat B ", 0), ("kchat - ", 2), ("", 2), ("a note", 2)],
)
def test_a_cursor_counts_only_for_its_own_topic(metadata: str, position: int) -> None:
    state = reads(described(topic_id="A"), **CURSOR)
    assert isinstance(state, FindingCommitted)
    assert isinstance(asked(state), FetchCommitted)
    state = feed(reading, state, committed((2, metadata)), listed((0, 3)))
    assert asked(state).positions == (Position(0, position),)


def test_a_cursor_beyond_the_end_is_none_and_a_named_position_there_is_an_error() -> None:
    state = reads(described(), committed((4, "")), listed((0, 3)), **CURSOR)
    assert asked(state).positions == (Position(0, 0),)
    outcome = ended(reads(*FOUND, start=FromPositions((Position(0, 4),))))
    assert isinstance(outcome, Failed)
    assert "OFFSET_OUT_OF_RANGE" in repr(outcome.failure)


def test_while_a_broker_lags_behind_the_cursor_it_is_asked_again_and_nothing_is_read_again() -> None:
    state = reads(described(topic_id="A"), committed((3, "kchat A ")), listed((0, 2)), **CURSOR)
    assert isinstance(asked(state), ListOffsets)
    assert asked(state).backoff_ms > 0
    later = feed(reading, state, listed((0, 4)))
    assert asked(later).positions == (Position(0, 3),)
    outcome = ended(feed(reading, state, listed((0, 2), at=5_001)))
    assert isinstance(outcome, Failed)
    assert "is said to end at 2" in repr(outcome.failure)


def test_a_read_commits_what_it_handed_out_with_the_topics_id() -> None:
    found = (described(topic_id="A"), committed(), listed((0, 3)))
    state = reads(*found, fetched(0, 1, 2), messages_max=2, **CURSOR)
    assert isinstance(state, Committing)
    command = asked(state)
    assert isinstance(command, CommitOffsets)
    assert command.group == "g"
    assert [(entry.partition, entry.offset) for entry in command.offsets] == [(0, 2)]
    assert CursorMemory.from_metadata(command.offsets[0].metadata).topic_id == "A"
    assert isinstance(ended(feed(reading, state, stored())), Partial)


def test_where_the_broker_keeps_no_ids_the_cursor_names_no_topic() -> None:
    state = reads(*FOUND, fetched(0, 1, 2), commit_to="g")
    assert asked(state).offsets[0].metadata == "kchat - "


def test_a_cursor_that_did_not_move_is_not_written_again() -> None:
    state = reads(described(), committed((3, "")), listed((0, 3)), **CURSOR)
    assert isinstance(ended(state), Complete)


def test_another_start_moves_the_cursor_even_where_nothing_was_read() -> None:
    state = reads(described(), listed((0, 3)), start=FromEnd(), commit_to="g")
    assert [(entry.partition, entry.offset) for entry in asked(state).offsets] == [(0, 3)]


def test_a_read_that_ended_at_a_corrupt_record_commits_nothing() -> None:
    answer = fetched(record(0), record(1, value=POISON))
    assert isinstance(ended(reads(*FOUND, answer, commit_to="g")), Failed)


def test_the_commit_has_time_of_its_own_and_is_tried_again_within_it() -> None:
    state = reads(*FOUND, fetched(0, at=100), wait_ms_max=100, commit_to="g")
    assert isinstance(state, Committing)
    assert asked(state).timeout_ms == 200
    state = feed(reading, state, failed(TIMED_OUT, "silent", at=300))
    assert isinstance(state, Committing)
    last: Event = failed(TIMED_OUT, at=100 + COMMIT_MS_MIN)
    outcome = ended(feed(reading, state, last))
    # The cursor may have moved: its messages are handed out, rather twice than never.
    assert isinstance(outcome, Partial | Complete)
    assert (outcome.progress.unmoved, offsets(outcome)) == (error(TIMED_OUT, "silent"), [0])


def test_a_refused_commit_fails_the_read_at_once() -> None:
    outcome = ended(reads(*FOUND, fetched(0, 1, 2), failed(DENIED), commit_to="g"))
    assert isinstance(outcome, Failed)
    assert outcome.failure == error(DENIED)


@pytest.mark.parametrize("kind", [TRANSIENT, TIMED_OUT])
def test_a_commit_that_is_refused_after_one_that_was_not_answered_hands_the_messages_out(
    kind: ErrorKind,
) -> None:
    in_use = ErrorKind.GROUP_IN_USE
    outcome = ended(reads(*FOUND, fetched(0, 1, 2), failed(kind), failed(in_use), commit_to="g"))
    assert isinstance(outcome, Complete)
    assert offsets(outcome) == [0, 1, 2]
    assert outcome.progress.unmoved == error(in_use)


@pytest.mark.parametrize("kind", [TRANSIENT, TIMED_OUT])
def test_who_may_not_commit_is_told_so_however_late_the_answer(kind: ErrorKind) -> None:
    """The attempt before, which was not answered, was denied too."""
    outcome = ended(reads(*FOUND, fetched(0, 1, 2), failed(kind), failed(DENIED), commit_to="g"))
    assert isinstance(outcome, Failed)
    assert outcome.failure == error(DENIED)
