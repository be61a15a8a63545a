"""Removals: which messages are not shown any more, since a marker behind them says so.

A marker is a message of the type "remove", as LangChain's `RemoveMessage` is: its `id` is that of the message
that goes, or names its record: by the record's `kchat-id` (`record_name`), or by its place in the log
(`place_name`). The removed record stays in Kafka until retention or a truncation takes it
(docs/adr/0021-removals.md).
"""

from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from typing import Any, TypeVar

from attrs import define, field

from kchat.core.log import Position, Rank
from kchat.core.outcomes import Delivery
from kchat.core.wire import is_removal

M = TypeVar("M")

_PLACE = "kchat:"
_RECORD = "kchat:id:"

MARKER_BYTES = 300
"""What a marker takes in memory without its target's characters, roughly."""


def place_name(position: Position) -> str:
    """The id by which a marker names the record at a position: for records of programs that give them no id.

    It says nothing of the topic: in one that was deleted and created again it names another record.
    """
    return f"{_PLACE}{position.partition}:{position.offset}"


def record_name(message_id: str) -> str:
    """The id by which a marker names the record of this `kchat-id`, and its second copies.

    It means no other record, in whatever topic the marker is.
    """
    return f"{_RECORD}{message_id}"


def target_of(message: Any) -> str | None:
    """Which message a marker removes; None for a message that is no marker."""
    if not is_removal(message):
        return None
    target = getattr(message, "id", None)
    return target if isinstance(target, str) else ""


@define(frozen=True, slots=False)
class Removals:
    """Markers, by what they remove."""

    markers: tuple[tuple[str, Rank], ...] = field(default=(), repr=lambda markers: f"<{len(markers)}>")

    @classmethod
    def among(cls, deliveries: Iterable[Delivery[Any]]) -> "Removals":
        """Those that are among messages."""
        return cls.of((delivery.message, delivery.rank, delivery.message_id) for delivery in deliveries)

    @classmethod
    def of(cls, ranked: Iterable[tuple[Any, Rank, str | None]]) -> "Removals":
        """Those that are among messages, each given with its place in the order, and its record's id."""
        found = ((target_of(message), rank) for message, rank, _ in ranked)
        return cls(tuple((target, rank) for target, rank in found if target is not None))

    def __or__(self, other: "Removals") -> "Removals":
        """Both."""
        if not (self.markers and other.markers):
            return self if self.markers else other
        return Removals(tuple(dict.fromkeys(self.markers + other.markers)))

    def __bool__(self) -> bool:
        return bool(self.markers)

    def visible(self, deliveries: Iterable[Delivery[M]]) -> tuple[Delivery[M], ...]:
        """The messages that are neither markers nor removed by one behind them."""
        if not self.markers:
            return tuple(deliveries)
        return tuple(
            d
            for d in deliveries
            if not (is_removal(d.message) or self.removes(d.message, d.rank, d.message_id))
        )

    def left(self, ranked: Iterable[tuple[M, Rank, str | None]]) -> list[M]:
        """The same of messages that are given with their places in the order, and their records' ids."""
        return [
            message
            for message, rank, message_id in ranked
            if not is_removal(message) and not self.removes(message, rank, message_id)
        ]

    def removes(self, message: Any, rank: Rank, message_id: str | None) -> bool:
        """Whether a marker removes this message: one behind it, or of its record."""
        return bool(self._ranks) and bool(self.removers(message, rank, message_id))

    def removers(self, message: Any, rank: Rank, message_id: str | None) -> tuple[Rank, ...]:
        """Where the markers stand that remove this message."""
        return tuple(
            where
            for name in self._names(message, rank, message_id)
            for where in self._ranks.get(name, ())
            if _behind(where, rank) or name.startswith(_RECORD)  # a second copy may come late
        )

    def keeps(self, marker: Delivery[Any]) -> bool:
        """Whether this marker is among them."""
        return marker.rank in self._places

    def _names(self, message: Any, rank: Rank, message_id: str | None) -> tuple[str, ...]:
        # To write the place of each message down costs more than all the rest: only where a marker names one.
        return names_of(message, rank, message_id) if self._any_record else own_names(message)

    @cached_property
    def _ranks(self) -> dict[str, list[Rank]]:
        """Where the markers of each name stand."""
        ranks: dict[str, list[Rank]] = defaultdict(list)
        for target, where in self.markers:
            if target:
                ranks[target].append(where)
        return dict(ranks)

    @cached_property
    def _places(self) -> frozenset[Rank]:
        return frozenset(where for _, where in self.markers)

    @cached_property
    def size(self) -> int:
        """About how many bytes they take: a marker without its target is two tuples and three numbers."""
        return sum(MARKER_BYTES + len(target) for target, _ in self.markers)

    @cached_property
    def _any_record(self) -> bool:
        return any(target.startswith(_PLACE) for target in self._ranks)


NO_REMOVALS = Removals()


def own_names(message: Any) -> tuple[str, ...]:
    """The message's id, if it has one that a marker can name."""
    own = getattr(message, "id", None)
    return (own,) if isinstance(own, str) and own else ()


def names_of(message: Any, rank: Rank, message_id: str | None) -> tuple[str, ...]:
    """All names by which a marker may mean this message: its id, its record's, and its place."""
    record = () if message_id is None else (record_name(message_id),)
    return (*own_names(message), *record, place_name(Position(*rank[1:])))


def _behind(where: Rank, rank: Rank) -> bool:
    """Whether a marker stands behind a message: by offset in one partition, by time between two."""
    time_ms, partition, offset = where
    if partition == rank[1]:
        return offset > rank[2]
    return (time_ms, partition) > rank[:2]
