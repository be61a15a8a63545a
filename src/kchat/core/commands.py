"""What a machine asks its shell to do: one Kafka operation a command.

Every command carries two times in milliseconds. `timeout_ms` bounds the operation, so that a shell which
performs commands one after the other hears Ctrl-C and keeps its caller's limit. `backoff_ms` is to be
waited *before* the operation: it is 0 but after a failure.
"""

from attrs import frozen

from kchat.core.log import CommittedOffset, NewRecord, Position
from kchat.core.topics import TopicSettings


@frozen(kw_only=True)
class DescribeTopic:
    """Which partitions the topic has, and its id if `with_id` (Metadata, DescribeTopicPartitions).

    The watermarks of the `listed_next` partitions will most likely be asked for next: a shell may ask for
    them at the same time, to save round trips. Before them the offsets that the group `committed_next` has
    committed there, if it is given: a shell that asks ahead must have those before it asks for the ends.
    """

    topic: str
    with_id: bool
    listed_next: tuple[int, ...] = ()
    committed_next: str | None = None
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class CreateTopic:
    """Create the topic (CreateTopics)."""

    topic: str
    settings: TopicSettings
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class DeleteTopic:
    """Delete the topic (DeleteTopics)."""

    topic: str
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class DeleteRecords:
    """Move the low watermarks up to `before`: the records below are deleted (DeleteRecords).

    The answer comes when all replicas have moved theirs. Asked again, it changes nothing.
    """

    topic: str
    before: tuple[Position, ...]
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class ListOffsets:
    """The low and high watermark of each partition, as a read_committed reader sees them (ListOffsets)."""

    topic: str
    partitions: tuple[int, ...]
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class FindOffsets:
    """The first offset of each partition whose record is of `time_ms` or later (ListOffsets by timestamp)."""

    topic: str
    partitions: tuple[int, ...]
    time_ms: int
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class FetchCommitted:
    """The committed offset of each partition in a consumer group (OffsetFetch)."""

    group: str
    topic: str
    partitions: tuple[int, ...]
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class Fetch:
    """At most `records_max` records from these positions on (Fetch).

    With `wait`, there may be nothing yet: the broker holds the request until a record arrives or the time
    is over. Without, the answer comes at once.
    """

    topic: str
    positions: tuple[Position, ...]
    records_max: int
    wait: bool
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class CommitOffsets:
    """Store committed offsets of a consumer group that has no live member (OffsetCommit).

    `before` is where the read began. A shell whose caller is gone before it has the outcome commits that
    instead: messages that nobody received must not be behind the cursor.
    """

    group: str
    topic: str
    offsets: tuple[CommittedOffset, ...]
    before: tuple[CommittedOffset, ...]
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class ListGroups:
    """The names of all consumer groups that begin with `prefix` (ListGroups, of every broker)."""

    prefix: str
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class DeleteGroup:
    """Delete a consumer group that has no live member, with its committed offsets (DeleteGroups)."""

    group: str
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class Produce:
    """Append the records in their order, to `partition` or to the one their key chooses (Produce).

    The answer comes when every record is reported or the time is over, whichever is first.
    """

    topic: str
    records: tuple[NewRecord, ...]
    partition: int | None
    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class AwaitReports:
    """Go on waiting for the reports of the records of the last `Produce`; send nothing."""

    timeout_ms: int
    backoff_ms: int = 0


@frozen(kw_only=True)
class Withdraw:
    """Take back every record of the last `Produce` that has no report yet, so that none is sent later."""

    timeout_ms: int
    backoff_ms: int = 0


Command = (
    DescribeTopic
    | CreateTopic
    | DeleteTopic
    | DeleteRecords
    | ListOffsets
    | FindOffsets
    | FetchCommitted
    | Fetch
    | CommitOffsets
    | ListGroups
    | DeleteGroup
    | Produce
    | AwaitReports
    | Withdraw
)
"""What a machine can ask of its shell: one Kafka operation."""
