"""What a caller may ask of the log. A wrong request is a ValueError before anything is done."""

from collections.abc import Callable
from enum import Enum, unique
from typing import Generic, Protocol, TypeVar

from attrs import field, frozen, validators

from kchat.core.budget import STALL_MS_MAX_DEFAULT
from kchat.core.checks import group_name, instance, legal_name, shown, whole_number
from kchat.core.cursors import CursorMemory
from kchat.core.failures import Corrupt
from kchat.core.known import Known
from kchat.core.log import CommittedOffset, NewRecord, Position, Rank, Record
from kchat.core.replayed import Replayed
from kchat.core.topics import TopicSettings

M = TypeVar("M")
M_co = TypeVar("M_co", covariant=True)

FETCH_RECORDS_MAX = 10_000
"""Records of one `Fetch`: bounds the time between two looks at the clock (13 ms, on a mock broker)."""

PARTITION = whole_number(0, maximum=(1 << 31) - 1)
"""Kafka's partition numbers are 32 bits wide."""


class Decoder(Protocol[M_co]):
    """Makes a message of a record, purely: the same record gives the same answer, and nothing is raised.

    A decoder is part of a request and so of a machine's state: make it a frozen value.
    """

    def decode(self, record: Record) -> M_co | Corrupt | None:
        """The message, or why the record is none; None for a record that this reader does not look for."""


@frozen
class FromBeginning:
    """Start at the low watermark."""


@frozen
class FromEnd:
    """Start at the end as it stands when the read begins."""


@frozen
class FromPositions:
    """Start at positions that an earlier outcome gave; a partition not named, at its low watermark.

    A position that is no longer, or not yet, in the log fails the read: other records than the ones meant
    are never returned in their place. With `topic_id` neither are those of another topic of this name.
    """

    positions: tuple[Position, ...]
    topic_id: str | None = None


@frozen
class FromBefore:
    """Start so many offsets before positions, or before the end, and end there: for reading backwards.

    The read begins at the low watermark where that comes first. A partition that the positions do not name
    has nothing before them. With `topic_id` the positions are those of this very topic.
    """

    offsets: int = field(validator=whole_number(1))
    positions: tuple[Position, ...] | None = None
    topic_id: str | None = None


@frozen
class FromBookmark:
    """Start where an earlier outcome's `bookmark` says, as `FromCommitted` does where a group says."""

    offsets: tuple[CommittedOffset, ...]

    @classmethod
    def at(cls, positions: tuple[Position, ...], topic_id: str | None) -> "FromBookmark":
        """At positions of a topic: where retention has passed one, what is still there is read."""
        metadata = CursorMemory(topic_id).to_metadata()
        return cls(tuple(CommittedOffset(p.partition, p.offset, metadata) for p in positions))


@frozen
class FromCommitted:
    """Start at the committed offsets of a consumer group; where it has none, at the low watermark.

    A committed offset that retention has passed, or that belongs to a deleted topic of the same name, is
    treated as none: what is still there is read rather than missed.
    """

    group: str = field(validator=group_name)


Start = FromBeginning | FromEnd | FromPositions | FromBefore | FromBookmark | FromCommitted
"""Where a read begins."""


@unique
class OnCorrupt(Enum):
    """What a read does at a record that cannot be decoded."""

    RAISE = "raise"
    SKIP = "skip"


class Ending(Protocol):
    """What may end a watch, or a read, from outside: `kchat.conversation.ending.Ending` does."""

    @property
    def over(self) -> bool:
        """Whether nobody wants it any more."""

    def expect(self, wake: Callable[[], None]) -> None:
        """Call this when that is so, from any thread; now if it is so already."""

    def forget(self, wake: Callable[[], None]) -> None:
        """Call this no more."""


def _ending(_: object, __: object, value: Ending | None) -> None:
    if value is not None and not all(hasattr(value, name) for name in ("over", "expect", "forget")):
        raise ValueError(f"ending must be an Ending or None, not {shown(value)}")


@frozen(kw_only=True)
class ReadRequest(Generic[M]):
    """One read of one session.

    Args:
        topic: where the session is.
        start: where to begin.
        decoder: what makes messages of records.
        key: hand out only records with this key; None: every record of the topic belongs to the session.
        partition: read this partition alone; None: all of them.
        messages_max: end after so many messages; None for no limit. Records that are skipped, doubled or
            another session's do not count.
        wait_ms_max: end after so long; None for no limit as long as the broker answers.
        stall_ms_max: without `wait_ms_max`, give up when the broker answers nothing for so long.
        follow: go on beyond the end and wait for new records until a limit is reached.
        on_corrupt: end at a record that cannot be decoded, or report it and go on.
        since_ms: hand out no record of before this time, milliseconds since 1970-01-01 UTC. A read from the
            beginning, or backwards, does not even fetch what lies before the first such record.
        until_ms: hand out no record of this time or later. It does not end the read: timestamps may go back.
        commit_to: a consumer group that stores, before the read ends well, where it ended.
        with_removals: hand out markers of removed messages whatever their time: they remove others.
        known: the removals that are known: what they remove is passed over, and does not count. A read that
            its count ended moves its cursor only where they reach from there to the end, so that no marker
            can be missed; see `settling`.
        known_enough: to where they reach is enough.
        heeded: the ranks of markers that kept a message back from the caller in earlier reads, from their
            progress: it need not be told of these, and they are passed over, too.
        fetch_max: records of one fetch at most: what the read holds.
        only_move: hand out nothing: with `commit_to`, the cursor moves to where the read would have begun.
        with_bookmark: tell in the outcome what a group has to store to go on after it.
        replayed: for whole reads: what an earlier one with the same request found, from its outcome's
            progress; only what is new is fetched. `Replayed()` the first time; None: keep nothing. With
            `since_ms`, which may grow from read to read, what has become too old goes.
        with_topic_id: tell the topic's id in the outcome, for reads that go on from its positions.
        resent_before: ids of resent records that earlier reads met, for reads that go on.
        topic_expected: the caller has reason to know that the topic exists (it wrote to it): a broker that
            does not know it yet is asked again for a while before it is believed.
        partitions_expected: those that the topic most likely has; a shell may ask about them before it knows,
            which saves round trips. Leave it empty where the topic may be missing: a client would ask on.
        ending: when it is over, a shell asks no more, and raises `Closed`.
    """

    topic: str = field(validator=legal_name)
    start: Start
    decoder: Decoder[M]
    key: bytes | None = None
    partition: int | None = field(default=None, validator=validators.optional(PARTITION))
    messages_max: int | None = field(default=None, validator=validators.optional(whole_number(0)))
    wait_ms_max: int | None = field(default=None, validator=validators.optional(whole_number(0)))
    stall_ms_max: int = field(default=STALL_MS_MAX_DEFAULT, validator=whole_number(1))
    follow: bool = False
    on_corrupt: OnCorrupt = OnCorrupt.RAISE
    since_ms: int | None = field(default=None, validator=validators.optional(whole_number(0)))
    until_ms: int | None = field(default=None, validator=validators.optional(whole_number(0)))
    with_removals: bool = False
    known: Known | None = field(default=None, validator=validators.optional(instance(Known)))
    known_enough: bool = False
    heeded: frozenset[Rank] = field(default=frozenset(), repr=lambda ranks: f"<{len(ranks)} ranks>")
    fetch_max: int = field(default=FETCH_RECORDS_MAX, validator=whole_number(1, maximum=FETCH_RECORDS_MAX))
    only_move: bool = False
    with_bookmark: bool = False
    commit_to: str | None = field(default=None, validator=validators.optional(group_name))
    replayed: Replayed[M] | None = field(default=None, validator=validators.optional(instance(Replayed)))
    with_topic_id: bool = False
    resent_before: frozenset[str] = field(default=frozenset(), repr=lambda ids: f"<{len(ids)} ids>")
    topic_expected: bool = False
    partitions_expected: tuple[int, ...] = field(
        default=(), validator=validators.deep_iterable(PARTITION, instance(tuple))
    )
    ending: Ending | None = field(default=None, eq=False, repr=False, validator=_ending)

    def __attrs_post_init__(self) -> None:
        bounded = self.messages_max is not None or self.follow or self.commit_to is not None
        bounded = bounded or self.until_ms is not None
        if self.replayed is not None and (bounded or self.start != FromBeginning()):
            raise ValueError("`replayed` is for a read of the whole conversation, without a cursor")
        backwards = isinstance(self.start, FromBefore)
        if self.follow and (backwards or self.only_move):
            raise ValueError("a read that goes backwards, or only moves a cursor, waits for nothing")
        if backwards and self.commit_to is not None:
            raise ValueError("a read that goes backwards moves no cursor")
        if self.only_move and self.commit_to is None:
            raise ValueError("a read that only moves a cursor needs to know which: commit_to")
        if self.follow and self.messages_max is None and self.wait_ms_max is None:
            raise ValueError(
                "a read that waits for new messages needs a limit: messages_max, wait_ms_max or both"
            )

    def covers(self, record: Record) -> bool:
        """Whether the record is of a time that was asked for."""
        return (self.since_ms is None or record.timestamp_ms >= self.since_ms) and not self.is_too_late(
            record
        )

    def is_too_late(self, record: Record) -> bool:
        """Whether the record is of `until_ms` or later."""
        return self.until_ms is not None and record.timestamp_ms >= self.until_ms


@frozen(kw_only=True)
class WatchRequest:
    """Wait until there may be a record at or beyond a position.

    Args:
        topic: where the session is.
        positions: where its reader stands; none: it is not known which partitions there are.
        wait_ms_max: how long at most.
        ending: what else ends it.
    """

    topic: str = field(validator=legal_name)
    positions: tuple[Position, ...]
    wait_ms_max: int = field(validator=whole_number(0))
    ending: Ending | None = field(default=None, eq=False, repr=False, validator=_ending)


@frozen(kw_only=True)
class AppendRequest:
    """Append the records of one call, in their order.

    Args:
        topic: where the session is.
        records: encoded and size-checked: nothing of a call is sent before all of it is known to be good.
        settings: create a missing topic with these; None: a missing topic is an error.
        topic_known: the topic was there a moment ago: do not ask first, only when the broker refuses.
        partition: append to this one; None: the key decides.
        wait_ms_max: withdraw what is not acknowledged after so long.
        record_bytes_max: refuse all if one is larger, by `NewRecord.size_bytes_max`; a log sets it to what
            its client takes, since a client refuses the one and sends those before it.
    """

    topic: str = field(validator=legal_name)
    records: tuple[NewRecord, ...] = field(
        validator=validators.deep_iterable(instance(NewRecord), instance(tuple))
    )
    record_bytes_max: int | None = None
    settings: TopicSettings | None = field(
        default=None, validator=validators.optional(instance(TopicSettings))
    )
    topic_known: bool = False
    partition: int | None = field(default=None, validator=validators.optional(PARTITION))
    wait_ms_max: int = field(default=5_000, validator=whole_number(1))


@frozen(kw_only=True)
class EnsureTopic:
    """Create the topic unless it is there; an existing one keeps its settings."""

    topic: str = field(validator=legal_name)
    settings: TopicSettings = field(validator=instance(TopicSettings))
    wait_ms_max: int = field(default=5_000, validator=whole_number(1))


@frozen(kw_only=True)
class RemoveTopic:
    """Delete the topic and wait until it is gone; a missing one is gone already."""

    topic: str = field(validator=legal_name)
    wait_ms_max: int = field(default=5_000, validator=whole_number(1))


@frozen(kw_only=True)
class TruncateTopic:
    """Delete all records of the topic and keep it (DeleteRecords)."""

    topic: str = field(validator=legal_name)
    wait_ms_max: int = field(default=5_000, validator=whole_number(1))


@frozen(kw_only=True)
class ListCursors:
    """List the consumer groups whose names begin so (ListGroups)."""

    prefix: str = field(validator=group_name)
    wait_ms_max: int = field(default=5_000, validator=whole_number(1))


@frozen(kw_only=True)
class RemoveCursor:
    """Delete a consumer group and its offsets (DeleteGroups); a missing one is gone already."""

    group: str = field(validator=group_name)
    wait_ms_max: int = field(default=5_000, validator=whole_number(1))


ProvisionRequest = EnsureTopic | RemoveTopic | TruncateTopic | ListCursors | RemoveCursor
"""What the provisioning machine can be asked for."""
