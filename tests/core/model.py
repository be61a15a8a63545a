"""What a read must hand out, in a few lines that share nothing with the code under test."""

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from typing import Any

from attrs import frozen

from kchat.core import HEADER_ID, HEADER_RESENT, Corrupt, Message, Progress, Record

Place = tuple[int, int]
Covers = Callable[[Record], bool]


@frozen(kw_only=True)
class Told:
    """What a read reports of the records it passed, by their places (partition, offset)."""

    messages: tuple[Place, ...]
    corrupt: tuple[Place, ...]
    duplicates: int


def place_of(item: Any) -> Place:
    return item.partition, item.offset


def in_order(partitions: Iterable[Iterable[Record]]) -> list[Record]:
    """The order of a session: by time, but within a partition nothing overtakes.

    So a record counts as no older than the newest before it in its partition.
    """
    ranked: list[tuple[int, int, int, Record]] = []
    for partition in partitions:
        records = list(partition)
        newest = accumulate((record.timestamp_ms for record in records), max)
        ranked += [(time, r.partition, r.offset, r) for time, r in zip(newest, records, strict=True)]
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:3])]


def is_corrupt(record: Record) -> bool:
    return record.value is None or b"poison" in record.value


def always(_: Record) -> bool:
    """Every record is of the time asked for: none was."""
    return True


def told(records: Iterable[Record], before: Iterable[Record] = (), covers: Covers = always) -> Told:
    """The messages once each, the records that are none, and how many second copies there are.

    `before` is what the log holds before the read. Only a resent record is known as a second copy by that.
    Of all this, what `covers` leaves out is not told; but what is a second copy is judged before.
    """
    readable: list[Record] = []
    corrupt: list[Record] = []
    for record in records:
        (corrupt if is_corrupt(record) else readable).append(record)
    ids = [record.header(HEADER_ID) for record in readable]
    old = {record.header(HEADER_ID) for record in before if not is_corrupt(record)} - {None}
    once = [
        r
        for i, r in enumerate(readable)
        if ids[i] is None or not (ids[i] in ids[:i] or (r.header(HEADER_RESENT) and ids[i] in old))
    ]
    return Told(
        messages=tuple(map(place_of, filter(covers, once))),
        corrupt=tuple(map(place_of, filter(covers, corrupt))),
        duplicates=len(list(filter(covers, readable))) - len(list(filter(covers, once))),
    )


def told_by(progress: Progress[Message]) -> Told:
    """The same, as an outcome tells it."""
    return Told(
        messages=tuple(map(place_of, progress.deliveries)),
        corrupt=tuple(map(place_of, progress.skipped)),
        duplicates=progress.duplicates,
    )


def passed(records: Iterable[Record], progress: Progress[Message]) -> list[Record]:
    """The records that the outcome's positions leave behind."""
    offsets: Mapping[int, int] = {p.partition: p.offset for p in progress.positions}
    return [record for record in records if record.offset < offsets.get(record.partition, 0)]


def assert_told(got: Told, behind: list[Record], before: Iterable[Record], covers: Covers = always) -> None:
    """As the model tells it. A copy without a mark may be known, too: by looking back for one with a mark."""
    wanted, by_place = told(behind, before, covers), {place_of(record): record for record in behind}
    left_out = [place for place in wanted.messages if place not in got.messages]
    old = {record.header(HEADER_ID) for record in before if not is_corrupt(record)} - {None}
    assert {by_place[place].header(HEADER_ID) for place in left_out} <= old
    messages = tuple(place for place in wanted.messages if place not in left_out)
    assert got == Told(
        messages=messages, corrupt=wanted.corrupt, duplicates=wanted.duplicates + len(left_out)
    )


def assert_slice(
    expected: list[Record],
    progress: Progress[Message],
    failure: object = None,
    before: Iterable[Record] = (),
    covers: Covers = always,
) -> list[Record]:
    """What is handed out is the beginning of `expected`, and the positions say exactly where it stopped.

    Returns:
        The records that were not reached.
    """
    behind = passed(expected, progress)
    assert behind == expected[: len(behind)], "the positions leave a hole"
    assert_told(told_by(progress), behind, before, covers)
    for delivery in progress.deliveries:
        assert delivery.message.data["content"] in {f"{delivery.partition}/{delivery.offset}", "foreign"}
    rest = expected[len(behind) :]
    if isinstance(failure, Corrupt):
        assert place_of(failure) == place_of(rest[0]), "the corrupt record is the next one"
    return rest
