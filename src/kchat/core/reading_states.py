"""The states of the reading machine, and the table of what may follow what. `reading` moves between them."""

from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from kchat.core.bookmarks import bookmarked
from kchat.core.budget import Budget
from kchat.core.commands import CommitOffsets
from kchat.core.events import (
    CommittedFetched,
    Fetched,
    OffsetsCommitted,
    OffsetsFound,
    OffsetsListed,
    RequestFailed,
    TopicDescribed,
)
from kchat.core.handing import Counted
from kchat.core.lanes import Lane
from kchat.core.outcomes import Complete, Partial, Progress, ReadOutcome
from kchat.core.requests import ReadRequest

M = TypeVar("M")


@frozen(kw_only=True)
class Describing(Generic[M]):
    """Asking which partitions there are."""

    request: ReadRequest[M]
    budget: Budget
    started_ms: int


@frozen(kw_only=True)
class FindingCommitted(Generic[M]):
    """Asking where the cursor stands."""

    request: ReadRequest[M]
    budget: Budget
    started_ms: int
    partitions: tuple[int, ...]
    topic_id: str | None


@frozen(kw_only=True)
class ListingOffsets(Generic[M]):
    """Asking where the log begins and ends: the one time that the end is seen."""

    request: ReadRequest[M]
    budget: Budget
    started_ms: int
    partitions: tuple[int, ...]
    topic_id: str | None
    committed: CommittedFetched | None


@frozen(kw_only=True)
class FindingOffsets(Generic[M]):
    """Asking where the records of a time begin; `fetching` is the read as it would be without that."""

    fetching: "Fetching[M]"
    budget: Budget


@frozen(kw_only=True)
class Fetching(Generic[M]):
    """Fetching records and handing them out."""

    request: ReadRequest[M]
    budget: Budget
    topic_id: str | None
    lanes: tuple[Lane, ...]
    counted: Counted[M]

    @property
    def progress(self) -> Progress[M]:
        """What is handed out so far, behind what an earlier replay found; a later one cannot use it."""
        bookmark = bookmarked(self.topic_id, self.lanes, self.counted) if self.request.with_bookmark else ()
        progress = evolve(self.counted.progress(self.lanes), topic_id=self.topic_id, bookmark=bookmark)
        found = self.request.replayed
        if found is None or not found.chunks:
            return progress
        ranks = tuple(delivery.rank for delivery in progress.deliveries)
        message_ids = tuple(delivery.message_id for delivery in progress.deliveries)
        both = evolve(
            found,
            asked=None,
            lanes=(),
            chunks=(*found.chunks, *filter(None, [progress.messages])),
            ranks=(*found.ranks, *filter(None, [ranks])),
            message_ids=(*found.message_ids, *filter(None, [message_ids])),
        )
        return evolve(progress, replayed=both.since(self.request.since_ms))


@frozen(kw_only=True)
class Relisting(Generic[M]):
    """A position was out of range: asking whether retention passed it or the log ends before it.

    Only the partitions in question are asked: a wrong answer for another one would be believed. `doubted`:
    the answer was "nothing is left" once, which a client also says by mistake (see `lanes.open_lanes`).
    `probing`: nothing was out of range; a read that follows looks whether the broker is still there.
    """

    fetching: Fetching[M]
    budget: Budget
    partitions: tuple[int, ...]
    doubted: bool = False
    probing: bool = False


@frozen(kw_only=True)
class LookingBack(Generic[M]):
    """A resent record came: looking for its first copy before the beginning (see `looking_back`).

    `lanes` are what is looked at, `wanted` the ids of the resent records, `found` those of them whose first
    copy is there. `refused`: partitions whose beginning retention has moved, to be listed again; `doubted` as
    in `Relisting`.
    """

    fetching: Fetching[M]
    budget: Budget
    lanes: tuple[Lane, ...]
    wanted: frozenset[str] = field(repr=lambda ids: f"<{len(ids)} ids>")
    found: frozenset[str] = field(default=frozenset(), repr=lambda ids: f"<{len(ids)} ids>")
    refused: tuple[int, ...] = ()
    doubted: bool = False


@frozen(kw_only=True)
class Committing(Generic[M]):
    """The read went well: moving the cursor before its messages are handed to the caller."""

    command: CommitOffsets
    budget: Budget
    outcome: Complete[M] | Partial[M]


@frozen
class Finished(Generic[M]):
    """Nothing more to do."""

    outcome: ReadOutcome[M]


State = (
    Describing[M]
    | FindingCommitted[M]
    | ListingOffsets[M]
    | FindingOffsets[M]
    | Fetching[M]
    | Relisting[M]
    | LookingBack[M]
    | Committing[M]
    | Finished[M]
)

AFTER_LISTING: frozenset[type] = frozenset({Fetching, Committing, Finished})
AFTER_FETCHING: frozenset[type] = AFTER_LISTING | {LookingBack}

TRANSITIONS: dict[tuple[type, type], frozenset[type]] = {
    (Describing, TopicDescribed): frozenset({FindingCommitted, ListingOffsets, Finished}),
    (Describing, RequestFailed): frozenset({Describing, Finished}),
    (FindingCommitted, CommittedFetched): frozenset({ListingOffsets}),
    (FindingCommitted, RequestFailed): frozenset({Describing, FindingCommitted, Finished}),
    (ListingOffsets, OffsetsListed): AFTER_LISTING | {ListingOffsets, FindingOffsets},
    (ListingOffsets, RequestFailed): frozenset({Describing, ListingOffsets, Finished}),
    (FindingOffsets, OffsetsFound): AFTER_LISTING,
    (FindingOffsets, RequestFailed): AFTER_LISTING | {FindingOffsets},
    (Fetching, Fetched): AFTER_FETCHING | {Relisting},
    (Fetching, RequestFailed): frozenset({Fetching, Relisting, Finished}),
    (Relisting, OffsetsListed): AFTER_FETCHING | {Relisting},
    (Relisting, RequestFailed): frozenset({Relisting, Finished}),
    (LookingBack, Fetched): AFTER_FETCHING,
    (LookingBack, OffsetsListed): AFTER_FETCHING,
    (LookingBack, RequestFailed): frozenset({LookingBack, Finished}),
    (Committing, OffsetsCommitted): frozenset({Finished}),
    (Committing, RequestFailed): frozenset({Committing, Finished}),
}
