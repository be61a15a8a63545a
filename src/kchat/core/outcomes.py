"""How a call ended. Every outcome says why, and where to go on."""

from enum import Enum, unique
from typing import Generic, TypeVar

from attrs import field, frozen

from kchat.core.events import Acknowledged
from kchat.core.failures import BrokerError, Corrupt, Failure
from kchat.core.log import CommittedOffset, NewRecord, Position, Rank
from kchat.core.replayed import Replayed

M = TypeVar("M")
"""A decoded message: `kchat.core.Message`, or what another decoder makes of a record."""


@unique
class Limit(Enum):
    """Which bound of the caller's ended a read before the end of the log."""

    COUNT = "count"
    TIME = "time"


@frozen
class Delivery(Generic[M]):
    """One message and where it is stored.

    `message_id` is the record's `kchat-id`, None where another program wrote it; `timestamp_ms` is the
    record's, in milliseconds since 1970-01-01 UTC.
    """

    message: M = field(repr=lambda message: f"<{type(message).__name__}>")
    partition: int
    offset: int
    timestamp_ms: int
    message_id: str | None = None

    @property
    def rank(self) -> Rank:
        """Where it stands in the order across partitions."""
        return self.timestamp_ms, self.partition, self.offset


@frozen(kw_only=True)
class Progress(Generic[M]):
    """What a read has handed out.

    `positions` is where the next read goes on: after what was handed out or skipped, not after what was
    merely fetched. `duplicates` counts records that a repeated append had stored twice. `unmoved` is set if
    the cursor's commit was not answered: it may still be where it was, and the next read may repeat these
    messages. `replayed` is set if the request had one and the broker keeps topic ids: then the deliveries,
    the skipped and the duplicates are those that are new since, and `replayed` has all. `topic_id` is the
    topic's, where it was asked for, and `resent` the ids of the messages that were marked as resent.
    `began` is where the read began, `older` are the partitions that have records before that, of a time that
    was asked for. `resumed`: it began at a stored place behind offset 0, so messages before that may be with
    the reader, whether retention has left any of them or not.
    `bookmark` is what a group has to store to go on here, where it was asked for. `settled` is False where a
    marker that is not in the request's `known` may remove some of it: no cursor was moved then. `heeded` are
    the ranks of the markers that kept a message back. `too_late`: where the first record of the request's
    `until_ms` or later stands, in each partition that has one.
    """

    deliveries: tuple[Delivery[M], ...] = ()
    skipped: tuple[Corrupt, ...] = ()
    duplicates: int = 0
    positions: tuple[Position, ...] = ()
    unmoved: BrokerError | None = None
    replayed: Replayed[M] | None = None
    topic_id: str | None = None
    began: tuple[Position, ...] = ()
    older: tuple[int, ...] = ()
    resumed: bool = False
    bookmark: tuple[CommittedOffset, ...] = ()
    resent: frozenset[str] = field(default=frozenset(), repr=lambda ids: f"<{len(ids)} ids>")
    settled: bool = True
    heeded: frozenset[Rank] = field(default=frozenset(), repr=lambda ranks: f"<{len(ranks)} ranks>")
    too_late: tuple[Position, ...] = ()

    @property
    def messages(self) -> tuple[M, ...]:
        """The messages alone: all of the conversation, where `replayed` is set."""
        if self.replayed is not None:
            return tuple(self.replayed.messages)
        return tuple(delivery.message for delivery in self.deliveries)


@frozen
class Complete(Generic[M]):
    """The read came to the end of the log as it stood when the read began."""

    progress: Progress[M]


@frozen
class Partial(Generic[M]):
    """A limit of the caller's came first: there is more, or in a waiting read there may be."""

    progress: Progress[M]
    limit: Limit


@frozen
class Failed(Generic[M]):
    """The read could not go on. What was handed out so far is in `progress`; no cursor was moved."""

    progress: Progress[M]
    failure: Failure


ReadOutcome = Complete[M] | Partial[M] | Failed[M]
"""How a read ended."""


@frozen
class Appended:
    """Every record is acknowledged by all in-sync replicas; `places` are theirs, in the records' order.

    `resent`: an earlier attempt may have stored some of them before: then these are second copies.
    """

    places: tuple[Acknowledged, ...]
    resent: bool = False


@frozen
class Refused:
    """Nothing is stored, and nothing will be."""

    error: BrokerError


@frozen(kw_only=True)
class Unknown:
    """Some of the records may be stored.

    Appending `records` again is safe: they are the same, marked as resent, and readers drop the second copy.
    """

    error: BrokerError
    acknowledged: int
    records: tuple[NewRecord, ...]


AppendOutcome = Appended | Refused | Unknown
"""How an append ended."""


@frozen(kw_only=True)
class TopicReady:
    """The topic is there; `created` says whether this call created it."""

    partitions: tuple[int, ...]
    created: bool


@frozen
class TopicGone:
    """The topic is not there (any more); `deleted` says whether this call deleted it."""

    deleted: bool


@frozen
class TopicTruncated:
    """The topic is there, and what it had is deleted: these are its new low watermarks."""

    positions: tuple[Position, ...]


@frozen
class CursorsListed:
    """The consumer groups, in the order of their names."""

    groups: tuple[str, ...]


@frozen
class CursorGone:
    """The consumer group is not there (any more); `deleted` says whether this call deleted it."""

    deleted: bool


@frozen
class TopicFailed:
    """It is not known to be there, or not known to be gone, or not known to be empty.

    `of_cursors`: not a topic was asked for, but consumer groups.
    """

    error: BrokerError
    of_cursors: bool = False


ProvisionOutcome = TopicReady | TopicGone | TopicTruncated | CursorsListed | CursorGone | TopicFailed
"""How a change of topics or cursors ended."""
