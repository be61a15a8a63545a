"""Where a log ended when a read of many pages began: all of it ends there, whoever writes meanwhile."""

from collections.abc import Mapping
from typing import Any, Self

from attrs import frozen

from kchat.core import Delivery, Position


@frozen
class Horizon:
    """The end of each partition; of a partition that was added since, nothing belongs to the read."""

    ends: Mapping[int, int]

    @classmethod
    def at(cls, end: tuple[Position, ...]) -> Self:
        """The horizon of a log that ends here."""
        return cls({position.partition: position.offset for position in end})

    def covers(self, delivery: Delivery[Any]) -> bool:
        """Whether it was there when the read began."""
        return delivery.offset < self.ends.get(delivery.partition, 0)

    def reached(self, positions: tuple[Position, ...]) -> bool:
        """Whether a reader that stands here has passed all that was there."""
        return all(position.offset >= self.ends.get(position.partition, 0) for position in positions)

    def page_max(self, deliveries: tuple[Delivery[Any], ...], count: int) -> int | None:
        """How many messages the page after this one has at most: `count`; None for all up to the log's end.

        Partitions are merged by time. Where a page had nothing of what was there, new records of one stand
        before old ones of another, whose clock is ahead; who writes fast enough could keep them there.
        """
        starved = deliveries and not any(map(self.covers, deliveries))
        return None if starved else count
