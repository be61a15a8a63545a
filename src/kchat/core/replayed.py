"""What a whole read of a session found, for the next one to go on behind it (see `replaying`)."""

from collections.abc import Sized
from itertools import chain
from typing import Generic, TypeVar

from attrs import field, frozen

from kchat.core.failures import Corrupt
from kchat.core.lanes import Lane

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
        chunks: the messages.
        ids: their message ids.
        skipped: the records that are no messages, if the read was to skip them.
        duplicates: how many second copies there were.
    """

    asked: object = field(default=None, repr=False)
    topic_id: str | None = None
    lanes: tuple[Lane, ...] = ()
    chunks: tuple[tuple[M, ...], ...] = field(default=(), repr=_count)
    ids: tuple[frozenset[str], ...] = field(default=(), repr=_count)
    skipped: tuple[Corrupt, ...] = ()
    duplicates: int = 0

    @property
    def messages(self) -> list[M]:
        """All messages, in order, in a list of the caller's own."""
        messages: list[M] = []
        for chunk in self.chunks:
            messages.extend(chunk)
        return messages

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
