"""The one order of a session whose records lie in several partitions.

Records that kchat writes carry the session as key and share a partition. The class that kchat succeeds
wrote without a key into three partitions: there only the record timestamp tells the order.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar


class Timed(Protocol):
    """What has a record's timestamp: a record, or a message that was made of one."""

    @property
    def timestamp_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""


R = TypeVar("R", bound=Timed)


def merge(
    buffers: Mapping[int, Sequence[R]], *, all_known: bool, records_max: int | None = None
) -> tuple[tuple[R, ...], dict[int, tuple[R, ...]]]:
    """Take from the buffers what may be handed out, ordered by (timestamp, partition, offset).

    Args:
        buffers: for each partition the records fetched and not handed out yet, in offset order. A partition
            with an empty buffer may still hold an earlier record than all others: then nothing is taken.
            Leave out partitions that are read to their end.
        all_known: no partition can bring another record: an empty buffer holds nothing up.
        records_max: how many to take at most; None for no limit.

    Returns:
        The records in order, and what remains of each buffer. Within a partition the offset decides, even
        where timestamps go backwards.
    """
    if len(buffers) == 1:  # almost every session: no order to be found
        ((partition, buffer),) = buffers.items()
        count = len(buffer) if records_max is None else min(records_max, len(buffer))
        return tuple(buffer[:count]), {partition: tuple(buffer[count:])}
    taken: list[R] = []
    used = dict.fromkeys(buffers, 0)
    while records_max is None or len(taken) < records_max:
        open_ones = [p for p in buffers if used[p] < len(buffers[p])]
        if not open_ones or (len(open_ones) < len(buffers) and not all_known):
            break
        first = min(open_ones, key=lambda p: (buffers[p][used[p]].timestamp_ms, p))
        taken.append(buffers[first][used[first]])
        used[first] += 1
    return tuple(taken), {p: tuple(buffer[used[p] :]) for p, buffer in buffers.items()}
