"""What happened: the shell's answer to one command.

Every event carries `at_ms`, the shell's monotonic clock in milliseconds: the machines know no other time.
"""

from attrs import frozen

from kchat.core.failures import BrokerError
from kchat.core.log import CommittedOffset, Position, Record, Watermarks


@frozen(kw_only=True)
class TopicDescribed:
    """The topic is there. `topic_id` is None where it was not asked for or the broker keeps none."""

    at_ms: int
    partitions: tuple[int, ...]
    topic_id: str | None = None


@frozen(kw_only=True)
class TopicCreated:
    """The broker accepted the new topic; it may take some more milliseconds until every broker knows it."""

    at_ms: int


@frozen(kw_only=True)
class TopicDeleted:
    """The broker accepted the deletion; the topic may stay visible for some more milliseconds."""

    at_ms: int


@frozen(kw_only=True)
class RecordsDeleted:
    """All replicas have moved their low watermarks: no reader sees the records any more."""

    at_ms: int


@frozen(kw_only=True)
class OffsetsListed:
    """The watermarks of the partitions that were asked for."""

    at_ms: int
    watermarks: tuple[Watermarks, ...]


@frozen(kw_only=True)
class OffsetsFound:
    """The offsets that were looked for; a partition that has no record so late is absent."""

    at_ms: int
    positions: tuple[Position, ...]


@frozen(kw_only=True)
class CommittedFetched:
    """The committed offsets; a partition without one is absent."""

    at_ms: int
    committed: tuple[CommittedOffset, ...]


@frozen(kw_only=True)
class Fetched:
    """Records, in offset order within each partition, and where each partition stands now.

    `positions` says what the records cannot: the last offsets of a partition may be transaction markers or
    compacted away, then only the broker's end-of-partition mark proves that nothing is left before an offset.
    """

    at_ms: int
    records: tuple[Record, ...]
    positions: tuple[Position, ...]


@frozen(kw_only=True)
class OffsetsCommitted:
    """The group stores the positions."""

    at_ms: int


@frozen(kw_only=True)
class GroupsListed:
    """The consumer groups that were asked for, in any order."""

    at_ms: int
    groups: tuple[str, ...]


@frozen(kw_only=True)
class GroupDeleted:
    """The consumer group is not there (any more); `deleted` is False where there was none."""

    at_ms: int
    deleted: bool


@frozen
class Acknowledged:
    """A record is stored by all in-sync replicas, at this place."""

    partition: int
    offset: int


Report = Acknowledged | BrokerError
"""What became of one record."""


@frozen(kw_only=True)
class Produced:
    """The reports so far, one for each record of the last `Produce`, in its order; None: not reported yet."""

    at_ms: int
    reports: tuple[Report | None, ...]


@frozen(kw_only=True)
class RequestFailed:
    """The command failed as a whole. `error.kind` says whether something may have been done."""

    at_ms: int
    error: BrokerError


Event = (
    TopicDescribed
    | TopicCreated
    | TopicDeleted
    | RecordsDeleted
    | OffsetsListed
    | OffsetsFound
    | CommittedFetched
    | Fetched
    | OffsetsCommitted
    | GroupsListed
    | GroupDeleted
    | Produced
    | RequestFailed
)
"""What a shell can say that happened: the answer to a command."""
