"""What the reading machine asks for, state by state: commands, made of requests and lanes."""

from typing import TypeVar

from kchat.core.budget import Budget
from kchat.core.commands import DescribeTopic, Fetch, ListOffsets
from kchat.core.reading_states import Fetching
from kchat.core.requests import FromBefore, FromBookmark, FromCommitted, FromPositions, ReadRequest

M = TypeVar("M")

SEVERAL_RECORDS_MIN = 1_000
"""The least that is fetched of several partitions at once: the order needs something of each of them."""


def describe(request: ReadRequest[M], budget: Budget) -> DescribeTopic:
    """Which topic this is. What a cursor, positions or a replay know is true of one topic only."""
    group = request.start.group if isinstance(request.start, FromCommitted) else None
    start = request.start
    positioned = isinstance(start, FromPositions | FromBefore) and start.topic_id is not None
    known = request.replayed.partitions if request.replayed else ()
    return DescribeTopic(
        topic=request.topic,
        with_id=request.with_topic_id
        or request.commit_to is not None
        or request.with_bookmark
        or group is not None
        or positioned
        or isinstance(start, FromBookmark)
        or request.replayed is not None,
        listed_next=known or request.partitions_expected,
        committed_next=group,
        timeout_ms=budget.timeout_ms,
        backoff_ms=budget.backoff_ms,
    )


def list_offsets(request: ReadRequest[M], partitions: tuple[int, ...], budget: Budget) -> ListOffsets:
    """Where these partitions begin and end."""
    return ListOffsets(
        topic=request.topic,
        partitions=partitions,
        timeout_ms=budget.timeout_ms,
        backoff_ms=budget.backoff_ms,
    )


def fetch(state: Fetching[M]) -> Fetch:
    """What the read still wants, from where it stands."""
    request = state.request
    remaining = (
        request.fetch_max
        if request.messages_max is None
        else request.messages_max - len(state.counted.deliveries)
    )
    # One of several partitions may hold the whole conversation, and the order needs all of them.
    several = sum(not lane.drained or request.follow for lane in state.lanes)
    wanted = remaining if several <= 1 else max(SEVERAL_RECORDS_MIN, several * remaining)
    if not request.follow:
        # What lies beyond the end of a window would be fetched and thrown away: up to the end of the log.
        wanted = min(wanted, sum(lane.end - lane.position for lane in state.lanes if not lane.at_end))
    return Fetch(
        topic=request.topic,
        positions=tuple(lane.fetch_position for lane in state.lanes if request.follow or not lane.at_end),
        records_max=min(wanted, request.fetch_max),
        wait=request.follow and all(lane.at_end for lane in state.lanes),
        timeout_ms=state.budget.timeout_ms,
        backoff_ms=state.budget.backoff_ms,
    )
