"""A slice: a run of a conversation's messages in order, and the positions before and behind each of them."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Generic, TypeVar

from attrs import define, evolve

from kchat.core.failures import Corrupt
from kchat.core.log import CommittedOffset, Position
from kchat.core.merging import merge
from kchat.core.outcomes import Delivery

M = TypeVar("M")

Positions = tuple[Position, ...]


@define(frozen=True, slots=False, kw_only=True)
class Slice(Generic[M]):
    """What a read of one stretch of a conversation gave.

    Attributes:
        deliveries: the messages that are to be shown, in order.
        hidden: what is not, among them: the index of the message that it stands behind, and its place.
        skipped: the records in between that are no messages.
        begin: where the stretch begins, partition by partition; reading on before it leaves nothing out.
        end: where it ends; reading on after it leaves nothing out.
        topic_id: the topic's, None where the broker keeps none.
        older: whether there may be more before it.
        newer: whether there may be more after it.
        resent: as in `Progress`, for reads that go on.
        bookmark: as in `Progress`, for reads that go on.
    """

    deliveries: tuple[Delivery[M], ...] = ()
    hidden: tuple[tuple[int, Position], ...] = ()
    skipped: tuple[Corrupt, ...] = ()
    begin: Positions = ()
    end: Positions = ()
    topic_id: str | None = None
    older: bool = False
    newer: bool = False
    resent: frozenset[str] = frozenset()
    bookmark: tuple[CommittedOffset, ...] = ()

    @property
    def exists(self) -> bool:
        """Whether there is a topic: without one there are no positions."""
        return bool(self.end)

    def before(self, index: int) -> Positions:
        """Where the message of this index begins: all messages before it lie before that.

        What is hidden behind it does not: a marker in another partition may remove what comes after.
        """
        places = self._places
        return tuple(
            Position(bound.partition, _offset_from(places.get(bound.partition, []), index, bound.offset))
            for bound in self.end
        )

    def without_first(self, count: int, *, older: bool) -> "Slice[M]":
        """The same without so many messages at its beginning."""
        begin = self.before(count) if count else self.begin
        offsets = {position.partition: position.offset for position in begin}
        skipped = (corrupt for corrupt in self.skipped if corrupt.offset >= offsets[corrupt.partition])
        return evolve(
            self,
            deliveries=self.deliveries[count:],
            hidden=tuple((index - count, place) for index, place in self.hidden if index >= count),
            skipped=tuple(skipped),
            begin=begin,
            older=older,
        )

    def up_to(self, bounds: Iterable[Position]) -> "Slice[M]":
        """The same, ending at these places, or behind the last message of their partition that is shown."""
        last = {delivery.partition: delivery.offset + 1 for delivery in self.deliveries}
        ends = {bound.partition: bound.offset for bound in self.end}
        for bound in bounds:
            at = max(bound.offset, last.get(bound.partition, 0))
            ends[bound.partition] = min(ends[bound.partition], at)
        end = tuple(Position(bound.partition, ends[bound.partition]) for bound in self.end)
        # A marker beyond them is not passed by going on from here.
        hidden = tuple((index, place) for index, place in self.hidden if place.offset < ends[place.partition])
        return evolve(self, hidden=hidden, end=end, newer=self.newer or end != self.end)

    @cached_property
    def _places(self) -> dict[int, list[tuple[int, int]]]:
        """The index and offset of each partition's messages, and of what is hidden behind them."""
        places: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for index, delivery in enumerate(self.deliveries):
            places[delivery.partition].append((index, delivery.offset))
        for index, place in self.hidden:
            places[place.partition].append((index, place.offset))
        return {partition: sorted(found) for partition, found in places.items()} if self.hidden else places


def hidden_in(
    order: tuple[Delivery[M], ...], shown: tuple[Delivery[M], ...]
) -> tuple[tuple[int, Position], ...]:
    """What of these messages is not shown, for `Slice.hidden`; `shown` are some of them, in their order."""
    if len(shown) == len(order):
        return ()
    hidden: list[tuple[int, Position]] = []
    index = -1
    for delivery in order:
        if index + 1 < len(shown) and delivery is shown[index + 1]:
            index += 1
        elif index >= 0:  # what stands before the first one is behind none
            hidden.append((index, Position(delivery.partition, delivery.offset)))
    return tuple(hidden)


def in_order(deliveries: Iterable[Delivery[M]]) -> tuple[Delivery[M], ...]:
    """Messages of several windows in the one order of the session, each once."""
    buffers: dict[int, dict[int, Delivery[M]]] = defaultdict(dict)
    for delivery in deliveries:
        buffers[delivery.partition][delivery.offset] = delivery
    sorted_buffers = {p: tuple(found[offset] for offset in sorted(found)) for p, found in buffers.items()}
    merged, _ = merge(sorted_buffers, all_known=True)
    return _once(merged)


def _once(deliveries: tuple[Delivery[M], ...]) -> tuple[Delivery[M], ...]:
    known: set[str] = set()
    kept: list[Delivery[M]] = []
    for delivery in deliveries:
        if delivery.message_id is None or delivery.message_id not in known:
            kept.append(delivery)
            if delivery.message_id is not None:
                known.add(delivery.message_id)
    return tuple(kept)


def _offset_from(places: list[tuple[int, int]], index: int, end: int) -> int:
    """The offset of a partition's first message from this index on, or where the slice ends there."""
    found = bisect_left(places, (index, -1))
    return places[found][1] if found < len(places) else end
