"""The reading machine at its bounds: how much a fetch asks for, when it waits, how long silence lasts."""

from typing import Any

import pytest
from attrs import evolve

from kchat.core import (
    BrokerError,
    Complete,
    ErrorKind,
    Event,
    Failed,
    FromBefore,
    FromBeginning,
    FromCommitted,
    FromPositions,
    Limit,
    Message,
    Partial,
    Position,
    Progress,
    ReadRequest,
    Record,
    reading,
)
from kchat.core.reading import (
    EXPECTED_MS_MAX,
    PROBE_MS,
    Fetching,
    FindingCommitted,
    Finished,
    Relisting,
)
from kchat.core.reading_commands import SEVERAL_RECORDS_MIN
from kchat.core.requests import FETCH_RECORDS_MAX
from tests.core.scripts import asked, described, ended, error, failed, fetched, listed, offsets, reads, record
from tests.core.strategies import DECODER, TOPIC
from tests.core.tracing import feed

FOLLOWING: dict[str, Any] = {"follow": True, "wait_ms_max": 9_000}


def test_one_partition_is_asked_for_what_is_still_wanted() -> None:
    state = reads(described(), listed((0, 9)), messages_max=3)
    assert asked(state).records_max == 3
    assert asked(feed(reading, state, fetched(0))).records_max == 2
    assert asked(reads(described(), listed((0, 99_999)))).records_max == FETCH_RECORDS_MAX


def test_nothing_beyond_the_end_of_a_read_is_asked_for() -> None:
    window = FromBefore(3, (Position(0, 20), Position(1, 7)))
    state = reads(described(0, 1), listed((0, 99), (0, 9)), start=window)
    assert asked(state).records_max == 6
    assert asked(feed(reading, state, fetched(17, 18))).records_max == 4
    following = reads(described(), listed((0, 9)), **FOLLOWING)
    assert asked(following).records_max == FETCH_RECORDS_MAX


def test_several_partitions_are_asked_for_all_since_one_may_hold_everything() -> None:
    found = described(0, 1), listed((0, 99_999), (0, 99_999))
    for wanted, fetched_of_two in ((3, SEVERAL_RECORDS_MIN), (2_000, 4_000), (9_000, FETCH_RECORDS_MAX)):
        assert asked(reads(*found, messages_max=wanted)).records_max == fetched_of_two


def test_a_fetch_waits_only_where_there_is_nothing_left_to_read() -> None:
    state = reads(described(0, 1), listed((0, 1), (0, 1)), **FOLLOWING)
    assert asked(state).wait is False
    state = feed(reading, state, fetched(record(0)))
    assert asked(state).wait is False, "the other partition has a record"
    state = feed(reading, state, fetched(record(0, partition=1)))
    assert asked(state).wait is True
    assert len(asked(state).positions) == 2, "a follower asks beyond the end"


def test_while_following_the_old_comes_in_order_and_the_new_as_it_comes() -> None:
    def at(offset: int, partition: int, time: int) -> Record:
        return record(offset, partition=partition, time=time)

    state = reads(described(0, 1), listed((0, 1), (0, 1)), **FOLLOWING)
    state = feed(reading, state, fetched(at(0, 0, 5)))
    assert state.counted.deliveries == (), "partition 1 may hold an earlier one"
    state = feed(reading, state, fetched(at(0, 1, 3)))
    assert [d.timestamp_ms for d in state.counted.deliveries] == [3, 5]
    state = feed(reading, state, fetched(at(1, 0, 9)), fetched(at(1, 1, 7)))
    assert [d.timestamp_ms for d in state.counted.deliveries] == [3, 5, 9, 7]


@pytest.mark.parametrize(("stall_ms_max", "silence_ms"), [(3_001, 1_500), (60_000, PROBE_MS)])
def test_silence_is_probed_after_half_the_time_for_which_it_is_borne(
    stall_ms_max: int, silence_ms: int
) -> None:
    begun = 1_700
    following = {"follow": True, "messages_max": 1, "stall_ms_max": stall_ms_max}
    state = reads(described(), listed((0, 0), at=begun), **following)
    assert isinstance(feed(reading, state, fetched(at=begun + silence_ms - 1)), Fetching)
    assert isinstance(feed(reading, state, fetched(at=begun + silence_ms)), Relisting)


def test_an_emptied_log_is_asked_about_again_after_a_pause() -> None:
    state = reads(described(), listed((0, 9)), failed(ErrorKind.OFFSET_OUT_OF_RANGE), listed((9, 9), at=70))
    assert isinstance(state, Relisting)
    assert asked(state).backoff_ms > 0
    assert state.budget.now_ms == 70


def test_time_that_runs_out_before_the_first_record_is_named() -> None:
    over = ended(reads(described(), listed((0, 9)), fetched(at=500), wait_ms_max=500))
    assert isinstance(over, Failed)
    assert over.failure == BrokerError(
        ErrorKind.TIMED_OUT, "_TIMED_OUT", "records are there but none was delivered in time"
    )


def test_a_partition_that_is_not_there_is_named() -> None:
    missing = BrokerError(ErrorKind.UNKNOWN_TOPIC, "_UNKNOWN_PARTITION", "no such partition", 2)
    assert ended(reads(described(0, 1), partition=2)) == Failed(Progress(), missing)


def test_a_position_that_is_not_there_ends_a_read_of_nothing() -> None:
    over = ended(reads(described(), listed((0, 9)), start=FromPositions((Position(0, 10),))))
    assert isinstance(over, Failed)
    assert over.progress == Progress()


def test_one_partition_alone_is_read_where_that_is_asked_for() -> None:
    state = reads(described(0, 1), partition=1)
    assert asked(state).partitions == (1,)


@pytest.mark.parametrize(("missing_ms", "believed"), [(EXPECTED_MS_MAX - 1, False), (EXPECTED_MS_MAX, True)])
def test_a_topic_that_is_expected_may_be_missing_for_a_while(missing_ms: int, believed: bool) -> None:
    begun = 7_000
    request: ReadRequest[Message] = ReadRequest(
        topic=TOPIC, decoder=DECODER, start=FromBeginning(), topic_expected=True
    )
    state = reading.advance(
        reading.start(request, begun), failed(ErrorKind.UNKNOWN_TOPIC, at=begun + missing_ms)
    )
    assert isinstance(state, Finished) is believed


def test_waiting_for_a_topic_that_never_comes_is_a_read_of_nothing() -> None:
    over = ended(reads(failed(ErrorKind.UNKNOWN_TOPIC, at=9_000), **FOLLOWING))
    assert over == Partial(Progress(), Limit.TIME)


@pytest.mark.parametrize(("follow", "missing_first"), [(True, False), (False, False), (False, True)])
def test_a_broker_that_never_answered_is_a_failure_and_no_empty_read(
    follow: bool, missing_first: bool
) -> None:
    silent = failed(ErrorKind.TIMED_OUT, at=900)
    missing = (failed(ErrorKind.UNKNOWN_TOPIC),) if missing_first else ()
    over = ended(reads(*missing, silent, follow=follow, topic_expected=True, wait_ms_max=900))
    assert isinstance(over, Failed)


def test_a_read_that_has_all_it_wanted_says_so() -> None:
    assert ended(reads(messages_max=0)) == Partial(reads(messages_max=0).outcome.progress, Limit.COUNT)
    full = ended(reads(described(), listed((0, 9)), fetched(0, 1, 2), messages_max=2))
    assert (full.limit, offsets(full)) == (Limit.COUNT, [0, 1])
    whole = ended(reads(described(), listed((0, 2)), fetched(0, 1), messages_max=2))
    assert isinstance(whole, Complete), "the count and the end were reached at once"


def test_a_cursor_is_looked_for_only_where_a_read_begins_at_one() -> None:
    state = reads(described(), start=FromCommitted("g"))
    assert isinstance(state, FindingCommitted)
    with pytest.raises(AssertionError, match="FindingCommitted"):
        reading.pending(evolve(state, request=evolve(state.request, start=FromBeginning())))


def test_the_messages_of_a_read_are_those_that_it_handed_out() -> None:
    over = ended(reads(described(), listed((0, 2)), fetched(0, 1)))
    assert over.progress.messages == (Message("human", {"content": "x"}),) * 2


def test_a_time_out_while_waiting_for_a_topic_is_a_read_of_nothing() -> None:
    events = (failed(ErrorKind.UNKNOWN_TOPIC), failed(ErrorKind.TIMED_OUT, at=9_000))
    assert ended(reads(*events, **FOLLOWING)) == Partial(Progress(), Limit.TIME)


@pytest.mark.parametrize(
    ("changes", "with_id"),
    [({}, False), ({"commit_to": "g"}, True), ({"start": FromCommitted("g")}, True)],
    ids=["plain", "to a cursor", "from a cursor"],
)
def test_the_topics_id_is_asked_for_only_where_there_is_a_cursor(
    changes: dict[str, Any], with_id: bool
) -> None:
    assert asked(reads(**changes)).with_id is with_id


HANDED_OUT = (described(), listed((0, 9)), fetched(0, 1))
OUT_OF_RANGE = ErrorKind.OFFSET_OUT_OF_RANGE


@pytest.mark.parametrize(
    ("events", "changes", "failure"),
    [
        ((failed(OUT_OF_RANGE), failed(ErrorKind.DENIED)), {}, error(ErrorKind.DENIED)),
        ((fetched(proven=9), failed(ErrorKind.DENIED)), {"commit_to": "g"}, error(ErrorKind.DENIED)),
        ((failed(OUT_OF_RANGE, at=900),), {"wait_ms_max": 900}, error(OUT_OF_RANGE)),
    ],
    ids=["relisting", "committing", "out of range at the end of the time"],
)
def test_wherever_a_read_fails_it_keeps_what_it_handed_out(
    events: tuple[Event, ...], changes: dict[str, Any], failure: BrokerError
) -> None:
    over = ended(reads(*HANDED_OUT, *events, **changes))
    assert isinstance(over, Failed)
    assert over.failure == failure
    assert offsets(over) == [0, 1]
    assert over.progress.positions[0].offset >= 2
