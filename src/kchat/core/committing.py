"""The commit that ends a read: where each partition goes on, and what has to be known there."""

from typing import TypeVar

from attrs import evolve

from kchat.core.bookmarks import bookmarked
from kchat.core.commands import CommitOffsets
from kchat.core.lanes import Lane
from kchat.core.log import CommittedOffset
from kchat.core.reading_states import Fetching

M = TypeVar("M")


def commit(group: str, state: Fetching[M], lanes: tuple[Lane, ...]) -> CommitOffsets:
    """Store for a group where these lanes stand."""
    return CommitOffsets(
        group=group,
        topic=state.request.topic,
        offsets=bookmarked(state.topic_id, lanes, state.counted),
        before=tuple(_before(state, lane) for lane in lanes),
        timeout_ms=state.budget.timeout_ms,
    )


def _before(state: Fetching[M], lane: Lane) -> CommittedOffset:
    """Where one partition began, and what was known there."""
    memory = evolve(lane.remembered, topic_id=state.topic_id)
    return CommittedOffset(lane.partition, lane.begin, memory.to_metadata())
