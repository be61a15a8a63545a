"""The commit that ends a read: where it goes on, where it began, and what is known at both places."""

from typing import Any

from attrs import evolve

from kchat.core import (
    HEADER_ID,
    CommitOffsets,
    CommittedOffset,
    CursorMemory,
    FromBeginning,
    FromCommitted,
    Record,
)
from kchat.core.budget import SLICE_MS
from kchat.core.reading import Committing
from tests.core.scripts import asked, committed, described, fetched, listed, reads, record
from tests.core.strategies import TOPIC

BEFORE = CursorMemory("A", ("id-0", "id-1"))


def named(offset: int, known: str, *, partition: int = 0) -> Record:
    return evolve(record(offset, partition=partition), headers=((HEADER_ID, known.encode()),))


def commits(*events: Any, **changes: Any) -> CommitOffsets:
    state = reads(*events, commit_to="g", **changes)
    assert isinstance(state, Committing)
    command = asked(state)
    assert isinstance(command, CommitOffsets)
    return command


def test_the_whole_command() -> None:
    command = commits(
        described(topic_id="A"),
        committed((2, BEFORE.to_metadata())),
        listed((0, 4)),
        fetched(named(2, "id-2"), record(3)),
        start=FromCommitted("g"),
    )
    after = CursorMemory("A", ("id-0", "id-1", "id-2"))
    assert command == CommitOffsets(
        group="g",
        topic=TOPIC,
        offsets=(CommittedOffset(0, 4, after.to_metadata()),),
        before=(CommittedOffset(0, 2, BEFORE.to_metadata()),),
        timeout_ms=SLICE_MS,
    )


def test_each_partition_has_its_own_place_and_memory() -> None:
    command = commits(
        described(0, 1, topic_id="A"),
        listed((0, 1), (0, 2)),
        fetched(named(0, "id-a"), named(0, "id-b", partition=1), named(1, "id-c", partition=1)),
        start=FromBeginning(),
    )
    nothing = CursorMemory("A").to_metadata()
    assert command.before == (CommittedOffset(0, 0, nothing), CommittedOffset(1, 0, nothing))
    assert command.offsets == (
        CommittedOffset(0, 1, CursorMemory("A", ("id-a",)).to_metadata()),
        CommittedOffset(1, 2, CursorMemory("A", ("id-b", "id-c")).to_metadata()),
    )


def test_a_cursor_of_a_topic_without_an_id_is_marked_with_the_one_that_it_has_now() -> None:
    command = commits(
        described(topic_id="A"),
        committed((1, CursorMemory(None, ("id-0",)).to_metadata())),
        listed((0, 2)),
        fetched(1),
        start=FromCommitted("g"),
    )
    marked = CursorMemory("A", ("id-0",)).to_metadata()
    assert (command.before[0].metadata, command.offsets[0].metadata) == (marked, marked)


def test_a_cursor_that_stands_at_the_very_beginning_keeps_what_it_remembers() -> None:
    state = reads(
        described(topic_id="A"),
        committed((0, CursorMemory("A", ("id-0",)).to_metadata())),
        listed((0, 9)),
        fetched(named(0, "id-0")),
        start=FromCommitted("g"),
    )
    assert state.progress.duplicates == 1
