"""A bookmark: what a group has to store of each partition, for the next read to go on there."""

from typing import Any

from attrs import evolve

from kchat.core.handing import Counted
from kchat.core.lanes import Lane
from kchat.core.log import CommittedOffset


def bookmarked(
    topic_id: str | None, lanes: tuple[Lane, ...], counted: Counted[Any]
) -> tuple[CommittedOffset, ...]:
    """Where each of these partitions goes on, and what has to be known there."""
    return tuple(_after(topic_id, lane, counted) for lane in lanes)


def _after(topic_id: str | None, lane: Lane, counted: Counted[Any]) -> CommittedOffset:
    handed_out = (d for d in counted.deliveries if d.partition == lane.partition)
    known = [(d.offset, d.message_id) for d in handed_out if d.message_id is not None]
    # What was passed over as of another time is the first copy of a later one all the same.
    known += [(offset, one) for partition, offset, one in counted.passed if partition == lane.partition]
    ids = tuple(one for _, one in sorted(known))
    memory = evolve(lane.remembered, topic_id=topic_id).followed_by(ids, counted.resent)
    return CommittedOffset(lane.partition, lane.resume_position.offset, memory.to_metadata())
