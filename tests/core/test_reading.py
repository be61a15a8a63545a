"""The reading machine, arrow by arrow: what comes next, and how it ends."""

import pytest

from kchat.core import (
    Complete,
    Corrupt,
    DescribeTopic,
    ErrorKind,
    Failed,
    Fetch,
    FromBeginning,
    FromCommitted,
    FromEnd,
    Limit,
    ListOffsets,
    OnCorrupt,
    Partial,
    Position,
    reading,
)
from kchat.core.reading import (
    EXPECTED_MS_MAX,
    Describing,
    Fetching,
    ListingOffsets,
)
from kchat.core.reading_commands import SEVERAL_RECORDS_MIN
from tests.core.scripts import (
    POISON,
    asked,
    described,
    ended,
    error,
    failed,
    fetched,
    listed,
    offsets,
    reads,
    record,
)
from tests.core.tracing import feed

TRANSIENT, TIMED_OUT, DENIED = ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT, ErrorKind.DENIED
UNKNOWN_TOPIC, OUT_OF_RANGE = ErrorKind.UNKNOWN_TOPIC, ErrorKind.OFFSET_OUT_OF_RANGE
FOUND = (described(), listed((0, 3)))
CURSOR = {"start": FromCommitted("g"), "commit_to": "g"}


def test_a_read_of_no_messages_ends_before_it_begins() -> None:
    outcome = ended(reads(messages_max=0))
    assert isinstance(outcome, Partial)
    assert outcome.limit is Limit.COUNT


def test_the_way_of_a_whole_read() -> None:
    state = reads()
    assert isinstance(asked(state), DescribeTopic)
    state = feed(reading, state, described())
    assert isinstance(state, ListingOffsets)
    assert isinstance(asked(state), ListOffsets)
    state = feed(reading, state, listed((0, 3)))
    assert isinstance(state, Fetching)
    command = asked(state)
    assert isinstance(command, Fetch)
    assert (command.positions, command.wait) == ((Position(0, 0),), False)
    state = feed(reading, state, fetched(0, 1), fetched(2))
    outcome = ended(state)
    assert isinstance(outcome, Complete)
    assert offsets(outcome) == [0, 1, 2]
    assert outcome.progress.positions == (Position(0, 3),)


def test_an_empty_topic_is_complete_at_once() -> None:
    assert isinstance(ended(reads(described(), listed((0, 0)))), Complete)


def test_a_record_at_the_end_is_the_next_reads() -> None:
    outcome = ended(reads(*FOUND, fetched(0, 1, 2, 3)))
    assert offsets(outcome) == [0, 1, 2]


def test_trailing_gaps_are_passed_when_the_broker_proves_them() -> None:
    assert isinstance(reads(*FOUND, fetched(0)), Fetching)
    assert isinstance(ended(reads(*FOUND, fetched(0, proven=3))), Complete)


@pytest.mark.parametrize("partitions", [1, 2])
def test_a_fetch_asks_for_no_more_than_is_wanted_where_that_is_safe(partitions: int) -> None:
    state = reads(described(*range(partitions)), listed(*[(0, 9_999)] * partitions), messages_max=4)
    command = asked(state)
    assert isinstance(command, Fetch)
    assert command.records_max == (4 if partitions == 1 else SEVERAL_RECORDS_MIN)


def test_the_count_ends_a_read_and_the_rest_stays() -> None:
    outcome = ended(reads(*FOUND, fetched(0, 1, 2), messages_max=2))
    assert isinstance(outcome, Partial)
    assert (offsets(outcome), outcome.limit) == ([0, 1], Limit.COUNT)
    assert outcome.progress.positions == (Position(0, 2),)


def test_the_end_of_the_log_wins_over_the_count() -> None:
    assert isinstance(ended(reads(*FOUND, fetched(0, 1, 2), messages_max=3)), Complete)


def test_the_time_ends_a_read_that_handed_something_out() -> None:
    outcome = ended(reads(*FOUND, fetched(0, at=100), wait_ms_max=100))
    assert isinstance(outcome, Partial)
    assert (offsets(outcome), outcome.limit) == ([0], Limit.TIME)


def test_the_time_of_a_read_that_got_nothing_is_a_failure() -> None:
    outcome = ended(reads(*FOUND, fetched(at=100), wait_ms_max=100))
    assert isinstance(outcome, Failed)
    assert "none was delivered" in str(outcome.failure)


def test_the_time_of_a_read_in_trouble_is_that_trouble() -> None:
    state = reads(*FOUND, fetched(0), failed(TRANSIENT, "broke"), wait_ms_max=100)
    assert isinstance(state, Fetching)
    assert asked(state).backoff_ms == 5
    outcome = ended(feed(reading, state, failed(TIMED_OUT, at=100)))
    assert isinstance(outcome, Failed)
    assert outcome.failure == error(TRANSIENT, "broke")
    assert offsets(outcome) == [0]


def test_a_broker_that_brings_nothing_for_the_stall_time_fails_a_read_without_a_limit() -> None:
    state = reads(*FOUND, fetched(0, at=50), fetched(at=549), stall_ms_max=500)
    assert isinstance(state, Fetching)
    outcome = ended(feed(reading, state, fetched(at=550)))
    assert isinstance(outcome, Failed)
    assert offsets(outcome) == [0]


def test_a_missing_topic_is_an_empty_conversation() -> None:
    outcome = ended(reads(failed(UNKNOWN_TOPIC)))
    assert isinstance(outcome, Complete)
    assert outcome.progress.positions == ()


def test_a_topic_that_is_expected_is_asked_for_again_for_a_while() -> None:
    state = reads(failed(UNKNOWN_TOPIC, at=EXPECTED_MS_MAX - 1), topic_expected=True)
    assert isinstance(state, Describing)
    assert asked(state).backoff_ms > 0
    assert isinstance(feed(reading, state, described()), ListingOffsets)
    assert isinstance(ended(feed(reading, state, failed(UNKNOWN_TOPIC, at=EXPECTED_MS_MAX))), Complete)


def test_an_expected_topic_is_not_waited_for_beyond_the_limit() -> None:
    state = reads(failed(UNKNOWN_TOPIC, at=50), topic_expected=True, wait_ms_max=50)
    assert isinstance(ended(state), Complete)


@pytest.mark.parametrize("start", [FromEnd(), FromBeginning()])
def test_a_follower_waits_for_a_missing_topic_and_reads_it_from_its_beginning(start: object) -> None:
    state = reads(failed(UNKNOWN_TOPIC), start=start, follow=True, wait_ms_max=500)
    assert isinstance(state, Describing)
    state = feed(reading, state, described(), listed((0, 1)), fetched(0, at=500))
    outcome = ended(state)
    assert isinstance(outcome, Partial)
    assert offsets(outcome) == [0]


def test_a_follower_whose_topic_never_appears_is_out_of_time() -> None:
    for last in (failed(UNKNOWN_TOPIC, at=500), failed(TIMED_OUT, at=500)):
        outcome = ended(reads(failed(UNKNOWN_TOPIC), last, follow=True, wait_ms_max=500))
        assert outcome == Partial(outcome.progress, Limit.TIME)
    trouble = reads(failed(UNKNOWN_TOPIC), failed(TRANSIENT, at=500), follow=True, wait_ms_max=500)
    assert isinstance(ended(trouble), Failed)


def test_a_follower_goes_beyond_the_end_and_waits_there() -> None:
    state = reads(*FOUND, fetched(0, 1, 2, 3), follow=True, messages_max=6, wait_ms_max=900)
    command = asked(state)
    assert isinstance(command, Fetch)
    assert (command.positions, command.wait) == ((Position(0, 4),), True)
    state = feed(reading, state, fetched(at=400), fetched(4, at=500))
    assert isinstance(state, Fetching)
    outcome = ended(feed(reading, state, fetched(at=900)))
    assert isinstance(outcome, Partial)
    assert (offsets(outcome), outcome.limit) == ([0, 1, 2, 3, 4], Limit.TIME)


def test_a_follower_with_a_count_alone_waits_as_long_as_the_broker_answers() -> None:
    idle = [event for at in range(400, 40_000, 400) for event in (fetched(at=at), listed((0, 0), at=at + 1))]
    state = reads(described(), listed((0, 0)), *idle, follow=True, messages_max=1, stall_ms_max=500)
    assert isinstance(state, Fetching)
    assert isinstance(ended(feed(reading, state, failed(TIMED_OUT, at=99_000))), Failed)


def test_one_partition_alone_is_read_when_it_is_named() -> None:
    state = reads(described(0, 1, 2), partition=1)
    assert asked(state).partitions == (1,)
    outcome = ended(reads(described(0), partition=1))
    assert isinstance(outcome, Failed)
    assert outcome.failure.partition == 1


@pytest.mark.parametrize("on_corrupt", OnCorrupt)
def test_a_corrupt_record_ends_the_read_or_is_reported(on_corrupt: OnCorrupt) -> None:
    answer = fetched(record(0), record(1, value=POISON), record(2))
    outcome = ended(reads(*FOUND, answer, on_corrupt=on_corrupt))
    if on_corrupt is OnCorrupt.RAISE:
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.failure, Corrupt)
        assert (offsets(outcome), outcome.progress.positions) == ([0], (Position(0, 1),))
    else:
        assert isinstance(outcome, Complete)
        assert (offsets(outcome), [s.offset for s in outcome.progress.skipped]) == ([0, 2], [1])


def test_an_event_that_cannot_follow_is_a_defect_of_the_shell() -> None:
    with pytest.raises(AssertionError, match="OffsetsListed cannot follow Describing"):
        reading.advance(reads(), listed((0, 3)))
    with pytest.raises(AssertionError, match="RequestFailed cannot follow Finished"):
        reading.advance(reads(messages_max=0), failed(DENIED))
