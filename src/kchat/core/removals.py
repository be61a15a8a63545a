"""Removals: which messages are not shown any more, since a marker behind them says so.

A marker is a message of the type "remove", as LangChain's `RemoveMessage` is: its `id` is that of the message
that goes, or names its place in the log (`place_name`). The removed record stays in Kafka until retention or
a truncation takes it (docs/adr/0021-removals.md).
"""

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from kchat.core.failures import Corrupt
from kchat.core.log import Position, Record
from kchat.core.outcomes import Delivery
from kchat.core.requests import Decoder
from kchat.core.wire import is_removal

M = TypeVar("M")


_MARK = b'"remove"'
"""Every marker's JSON has this: a record without it needs no decoding to be known as none."""

Rank = tuple[int, int, int]
"""Timestamp, partition and offset: the order of records that lie in different partitions."""


def place_name(position: Position) -> str:
    """The id by which a marker names the record at a position: for messages that have no id of their own."""
    return f"kchat:{position.partition}:{position.offset}"


def target_of(message: Any) -> str | None:
    """Which message a marker removes; None for a message that is no marker."""
    if not is_removal(message):
        return None
    target = getattr(message, "id", None)
    return target if isinstance(target, str) else ""


@frozen
class Removals:
    """Markers, by what they remove."""

    markers: tuple[tuple[str, Rank], ...] = field(default=(), repr=lambda markers: f"<{len(markers)}>")

    @classmethod
    def among(cls, deliveries: Iterable[Delivery[Any]]) -> "Removals":
        """Those that are among messages."""
        found = ((target_of(delivery.message), rank(delivery)) for delivery in deliveries)
        return cls(tuple((target, where) for target, where in found if target is not None))

    def __or__(self, other: "Removals") -> "Removals":
        """Both."""
        return Removals(tuple(dict.fromkeys(self.markers + other.markers)))

    def __bool__(self) -> bool:
        return bool(self.markers)

    def visible(self, deliveries: Iterable[Delivery[M]]) -> tuple[Delivery[M], ...]:
        """The messages that are neither markers nor removed by one behind them."""
        if not self.markers:
            return tuple(deliveries)
        last: dict[str, list[Rank]] = {}
        for target, where in self.markers:
            last.setdefault(target, []).append(where)
        return tuple(delivery for delivery in deliveries if not _hidden(delivery, last))

    def keeps(self, marker: Delivery[Any]) -> bool:
        """Whether this marker is among them."""
        return any(where == rank(marker) for _, where in self.markers)


@frozen
class RemovalDecoder(Generic[M]):
    """Looks for markers alone: every other record is passed over, most of them without decoding."""

    inner: Decoder[M]

    def decode(self, record: Record) -> M | None:
        """The marker, or None."""
        if record.value is None or _MARK not in record.value:
            return None
        message = self.inner.decode(record)
        if message is None or isinstance(message, Corrupt) or target_of(message) is None:
            return None
        return message


def rank(delivery: Delivery[Any]) -> Rank:
    """Where a message stands in the order across partitions."""
    return delivery.timestamp_ms, delivery.partition, delivery.offset


def _hidden(delivery: Delivery[Any], markers: dict[str, list[Rank]]) -> bool:
    if target_of(delivery.message) is not None:
        return True
    names = (getattr(delivery.message, "id", None), place_name(Position(delivery.partition, delivery.offset)))
    return any(_behind(where, delivery) for name in names if name for where in markers.get(name, ()))


def _behind(where: Rank, delivery: Delivery[Any]) -> bool:
    """Whether a marker stands behind a message: by offset in one partition, by time between two."""
    time_ms, partition, offset = where
    if partition == delivery.partition:
        return offset > delivery.offset
    return (time_ms, partition) > (delivery.timestamp_ms, delivery.partition)
