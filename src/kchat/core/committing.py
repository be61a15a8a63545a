"""The commit that ends a read: where each partition goes on, and what has to be known there."""

from typing import TypeVar

from attrs import evolve

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
        offsets=tuple(_after(state, lane) for lane in lanes),
        before=tuple(_before(state, lane) for lane in lanes),
        timeout_ms=state.budget.timeout_ms,
    )


def _before(state: Fetching[M], lane: Lane) -> CommittedOffset:
    """Where one partition began, and what was known there."""
    memory = evolve(lane.remembered, topic_id=state.topic_id)
    return CommittedOffset(lane.partition, lane.begin, memory.to_metadata())


def _after(state: Fetching[M], lane: Lane) -> CommittedOffset:
    """Where one partition goes on, and what has to be known there."""
    handed_out = (d for d in state.counted.deliveries if d.partition == lane.partition)
    ids = tuple(delivery.message_id for delivery in handed_out if delivery.message_id is not None)
    memory = evolve(lane.remembered, topic_id=state.topic_id).followed_by(ids, state.counted.resent)
    return CommittedOffset(lane.partition, lane.resume_position.offset, memory.to_metadata())
