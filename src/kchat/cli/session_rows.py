"""What `kchat ls` says of one session, out of what the cluster says of its topic. Pure."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from attrs import frozen

from kchat.core import Corrupt, JsonDecoder, Record

SAMPLE_MAX = 5
"""Newest records of a partition that are looked at: whether they are messages, and how large."""

WHOLE_MAX = 20
"""Records of a partition that are all looked at where there are no more: one large one among few makes a mean
worthless. More would be held in memory for hundreds of topics at once."""

_DECODER = JsonDecoder()


@frozen(kw_only=True)
class Partition:
    """One partition of a topic. `sample` is None where its records were not to be had."""

    low: int
    high: int
    first_ms: int | None = None
    last_ms: int | None = None
    sample: tuple[Record, ...] | None = None

    @property
    def records(self) -> int:
        """How many offsets it has; with compaction or transactions not every one has a record."""
        return self.high - self.low


@frozen(kw_only=True)
class SessionRow:
    """One line of the list.

    `size_bytes` is that of the records themselves, uncompressed, one replica; None where it is not known.
    `size_exact` is False where it is the mean of the newest records times their number.
    """

    session: str
    topic: str
    partitions: int
    messages: int | None
    first_ms: int | None
    last_ms: int | None
    size_bytes: int | None
    size_exact: bool
    retention_ms: int | None
    is_conversation: bool


def sample_start(low: int, high: int) -> int:
    """The offset from which on the records of a partition are looked at."""
    return low if high - low <= WHOLE_MAX else high - SAMPLE_MAX


def session_row(
    session: str,
    topic: str,
    partitions: tuple[Partition | None, ...],
    settings: Mapping[str, str] | None,
) -> SessionRow:
    """The line of a session; a partition is None where its ends are not known."""
    known = [partition for partition in partitions if partition is not None]
    firsts = [p.first_ms for p in known if p.first_ms is not None]
    lasts = [p.last_ms for p in known if p.last_ms is not None]
    sizes = [_size(partition) for partition in known]
    whole = len(known) == len(partitions) and None not in sizes
    return SessionRow(
        session=session,
        topic=topic,
        partitions=len(partitions),
        messages=sum(p.records for p in known) if len(known) == len(partitions) else None,
        first_ms=min(firsts, default=None),
        last_ms=max(lasts, default=None),
        size_bytes=sum(size for size in sizes if size is not None) if whole else None,
        size_exact=whole and all(p.records == len(p.sample or ()) for p in known),
        retention_ms=_retention(settings),
        is_conversation=is_conversation(record for p in known for record in p.sample or ()),
    )


def matches(session: str, pattern: str | None) -> bool:
    """Whether a session is asked for: by a pattern as of a shell, or by a part of its name."""
    if pattern is None:
        return True
    return fnmatchcase(session, pattern) if set(pattern) & set("*?[") else pattern in session


def record_bytes(record: Record) -> int:
    """Key, value and headers; not what a batch adds to them."""
    headers = sum(len(name) + len(value or b"") for name, value in record.headers)
    return len(record.key or b"") + len(record.value or b"") + headers


def _size(partition: Partition) -> int | None:
    if partition.records == 0:
        return 0
    if not partition.sample:
        return None
    sizes = [record_bytes(record) for record in partition.sample]
    return sum(sizes) * partition.records // len(sizes)


def _retention(settings: Mapping[str, str] | None) -> int | None:
    if settings is None:
        return None
    try:
        return int(settings.get("retention.ms", ""))
    except ValueError:
        return None


def is_conversation(newest: Iterable[Record]) -> bool:
    """Whether a message is among the newest records, or nobody can say that there is none."""
    seen = list(newest)
    return not seen or any(not isinstance(_DECODER.decode(record), Corrupt) for record in seen)
