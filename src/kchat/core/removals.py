"""Removals: which messages are not shown any more, since a marker behind them says so.

A marker is a message of the type "remove", as LangChain's `RemoveMessage` is: its `id` is that of the message
that goes, or names its place in the log (`place_name`). The removed record stays in Kafka until retention or
a truncation takes it (docs/adr/0021-removals.md).
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

MARKER_BYTES = 300
"""What a marker takes in memory without its target's characters, roughly."""


def place_name(position: Position) -> str:
    """The id by which a marker names the record at a position: for messages that have no id of their own."""
    return f"{_PLACE}{position.partition}:{position.offset}"


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
        return cls.of((delivery.message, delivery.rank) for delivery in deliveries)

    @classmethod
    def of(cls, ranked: Iterable[tuple[Any, Rank]]) -> "Removals":
        """Those that are among messages, each given with its place in the order."""
        found = ((target_of(message), rank) for message, rank in ranked)
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
        return tuple(d for d in deliveries if not (is_removal(d.message) or self.removes(d.message, d.rank)))

    def left(self, ranked: Iterable[tuple[M, Rank]]) -> list[M]:
        """The same of messages that are given with their places in the order."""
        return [
            message for message, rank in ranked if not is_removal(message) and not self.removes(message, rank)
        ]

    def removes(self, message: Any, rank: Rank) -> bool:
        """Whether a marker behind this message removes it."""
        return bool(self._ranks) and bool(self.removers(message, rank))

    def removers(self, message: Any, rank: Rank) -> tuple[Rank, ...]:
        """Where the markers stand that remove this message."""
        return tuple(
            where
            for name in self._names(message, rank)
            for where in self._ranks.get(name, ())
            if _behind(where, rank)
        )

    def keeps(self, marker: Delivery[Any]) -> bool:
        """Whether this marker is among them."""
        return marker.rank in self._places

    def _names(self, message: Any, rank: Rank) -> tuple[str, ...]:
        # To write the place of each message down costs more than all the rest: only where a marker names one.
        return names_of(message, rank) if self._any_place else own_names(message)

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
    def _any_place(self) -> bool:
        return any(target.startswith(_PLACE) for target in self._ranks)


NO_REMOVALS = Removals()


def own_names(message: Any) -> tuple[str, ...]:
    """The message's id, if it has one that a marker can name."""
    own = getattr(message, "id", None)
    return (own,) if isinstance(own, str) and own else ()


def names_of(message: Any, rank: Rank) -> tuple[str, ...]:
    """All names by which a marker may mean this message: its id, and its place."""
    return (*own_names(message), place_name(Position(*rank[1:])))


def _behind(where: Rank, rank: Rank) -> bool:
    """Whether a marker stands behind a message: by offset in one partition, by time between two."""
    time_ms, partition, offset = where
    if partition == rank[1]:
        return offset > rank[2]
    return (time_ms, partition) > rank[:2]
