"""What a whole read of a session found, for the next one to go on behind it (see `replaying`)."""

from collections.abc import Iterator, Sized
from itertools import chain
from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from kchat.core.failures import Corrupt
from kchat.core.lanes import Lane
from kchat.core.log import Rank
from kchat.core.wire import is_removal

M = TypeVar("M")


def _count(chunks: tuple[Sized, ...]) -> str:
    return f"<{sum(map(len, chunks))}>"


@frozen(kw_only=True)
class Replayed(Generic[M]):
    """What a whole read found. `Replayed()` is the beginning: nothing yet.

    Messages and ids are in chunks, each longer than the next: to add some costs by what is added, not by
    what is there.

    Attributes:
        asked: what was asked for: it says nothing about another request.
        topic_id: the topic's.
        lanes: each partition, at the end of the read.
        since_ms: nothing of before this time is in it, but markers; None: all is.
        chunks: the messages.
        ranks: the timestamp, partition and offset of each.
        message_ids: the `kchat-id` of each, None where its record has none.
        ids: all ids that were met, to know a second copy by.
        skipped: the records that are no messages, if the read was to skip them; `skipped_ms` their times.
        duplicates: how many second copies there were.
    """

    asked: object = field(default=None, repr=False)
    topic_id: str | None = None
    lanes: tuple[Lane, ...] = ()
    since_ms: int | None = None
    chunks: tuple[tuple[M, ...], ...] = field(default=(), repr=_count)
    ranks: tuple[tuple[Rank, ...], ...] = field(default=(), repr=_count)
    message_ids: tuple[tuple[str | None, ...], ...] = field(default=(), repr=_count)
    ids: tuple[frozenset[str], ...] = field(default=(), repr=_count)
    skipped: tuple[Corrupt, ...] = ()
    skipped_ms: tuple[int, ...] = ()
    duplicates: int = 0

    @property
    def messages(self) -> list[M]:
        """All messages, in order, in a list of the caller's own."""
        messages: list[M] = []
        for chunk in self.chunks:
            messages.extend(chunk)
        return messages

    @property
    def ranked(self) -> Iterator[tuple[M, Rank, str | None]]:
        """All messages, each with its place in the order and its record's id."""
        columns = (self.chunks, self.ranks, self.message_ids)
        return zip(*map(chain.from_iterable, columns), strict=True)

    def since(self, since_ms: int | None) -> "Replayed[M]":
        """The same without what is older. A marker stays: it removes others, whatever its time."""
        if since_ms is None:
            return self
        columns = zip(self.chunks, self.ranks, self.message_ids, strict=True)
        kept = [_since(*chunk, since_ms) for chunk in columns]
        skipped = zip(self.skipped, self.skipped_ms, strict=True)
        recent = tuple((corrupt, at_ms) for corrupt, at_ms in skipped if at_ms >= since_ms)
        return evolve(
            self,
            since_ms=since_ms,
            chunks=tuple(messages for messages, _, _ in kept if messages),
            ranks=tuple(ranks for _, ranks, _ in kept if ranks),
            message_ids=tuple(message_ids for _, _, message_ids in kept if message_ids),
            skipped=tuple(corrupt for corrupt, _ in recent),
            skipped_ms=tuple(at_ms for _, at_ms in recent),
        )

    @property
    def partitions(self) -> tuple[int, ...]:
        """The topic's partitions as they were."""
        return tuple(lane.partition for lane in self.lanes)

    def has(self, message_id: str) -> bool:
        """Whether a message of this id was found."""
        for chunk in self.ids:  # noqa: SIM110 - any() makes a generator for each record: it cost 4 % of a replay
            if message_id in chunk:
                return True
        return False


def _since(
    messages: tuple[M, ...], ranks: tuple[Rank, ...], message_ids: tuple[str | None, ...], since_ms: int
) -> tuple[tuple[M, ...], tuple[Rank, ...], tuple[str | None, ...]]:
    if min(ranks)[0] >= since_ms:
        return messages, ranks, message_ids
    kept = [
        index
        for index, (message, rank) in enumerate(zip(messages, ranks, strict=True))
        if rank[0] >= since_ms or is_removal(message)
    ]
    return (
        tuple(messages[index] for index in kept),
        tuple(ranks[index] for index in kept),
        tuple(message_ids[index] for index in kept),
    )


def stacked(chunks: tuple[tuple[M, ...], ...], last: tuple[M, ...]) -> tuple[tuple[M, ...], ...]:
    """The chunks and one more; it swallows those before it that are no longer than it is."""
    kept = list(chunks)
    swallowed = [last]
    while kept and len(kept[-1]) <= sum(map(len, swallowed)):
        swallowed.append(kept.pop())
    whole = tuple(chain.from_iterable(reversed(swallowed)))
    return (*kept, whole) if whole else chunks


def stacked_ids(chunks: tuple[frozenset[str], ...], last: frozenset[str]) -> tuple[frozenset[str], ...]:
    """The same for ids, which have no order."""
    kept = list(chunks)
    while last and kept and len(kept[-1]) <= len(last):
        last = kept.pop() | last
    return (*kept, last) if last else chunks
