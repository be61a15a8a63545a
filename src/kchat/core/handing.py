"""Handing out: what of the fetched records becomes a message of the caller's."""

from typing import Generic, TypeVar

from attrs import evolve, field, frozen

from kchat.core.failures import Corrupt
from kchat.core.known import Known
from kchat.core.lanes import Lane
from kchat.core.log import NewRecord, Position, Rank, Record
from kchat.core.merging import merge
from kchat.core.outcomes import Delivery, Progress
from kchat.core.removals import target_of
from kchat.core.requests import FromBeginning, OnCorrupt, ReadRequest
from kchat.core.wire import HEADER_ID, HEADER_RESENT, MESSAGE_ID, is_removal

M = TypeVar("M")


@frozen(kw_only=True)
class Counted(Generic[M]):
    """What a read has handed out so far.

    `skipped_ms` are the timestamps of the skipped records. `ids` are the message ids among it and before it,
    to know a second copy by; `resent` those of what was handed out, or found by looking back, that were
    marked so. `passed` are the places (partition, offset) and ids of messages that were not to be handed
    out: of another time than was asked for, removed, or second copies found by looking back. `heeded` are
    the ranks of the markers that kept these back. `looked_for` are the ids of resent records whose first
    copy is known to be there or not, `found` those whose first copy lies before the read.
    `too_late` is the first place in each partition of a record of a later time than was asked for.
    """

    deliveries: tuple[Delivery[M], ...] = ()
    skipped: tuple[Corrupt, ...] = ()
    skipped_ms: tuple[int, ...] = ()
    duplicates: int = 0
    ids: frozenset[str] = field(default=frozenset(), repr=lambda ids: f"<{len(ids)} ids>")
    resent: frozenset[str] = field(default=frozenset(), repr=lambda ids: f"<{len(ids)} ids>")
    heeded: frozenset[Rank] = field(default=frozenset(), repr=lambda ranks: f"<{len(ranks)} ranks>")
    passed: tuple[tuple[int, int, str], ...] = field(default=(), repr=lambda ids: f"<{len(ids)} ids>")
    looked_for: frozenset[str] = field(default=frozenset(), repr=lambda ids: f"<{len(ids)} ids>")
    found: frozenset[str] = field(default=frozenset(), repr=lambda ids: f"<{len(ids)} ids>")
    too_late: tuple[Position, ...] = ()

    def settles(self, known: str | None, lanes: tuple[Lane, ...]) -> bool:
        """Whether a resent record that is not known here can have no first copy before the read."""
        return known in self.looked_for or not any(lane.begin for lane in lanes)

    def progress(self, lanes: tuple[Lane, ...]) -> Progress[M]:
        """The same, as an outcome tells it."""
        return Progress(
            deliveries=self.deliveries,
            skipped=self.skipped,
            duplicates=self.duplicates,
            positions=tuple(lane.resume_position for lane in lanes),
            began=tuple(Position(lane.partition, lane.begin) for lane in lanes),
            older=tuple(lane.partition for lane in lanes if lane.begin > lane.low),
            resumed=any(lane.stored and lane.begin > 0 for lane in lanes),
            resent=self.resent,
            heeded=self.heeded,
            too_late=self.too_late,
        )


@frozen
class Doubted:
    """A resent record, whose first copy may lie before the place where the read began."""


def hand_out(
    request: ReadRequest[M], lanes: tuple[Lane, ...], counted: Counted[M]
) -> tuple[tuple[Lane, ...], Counted[M], Corrupt | Doubted | None]:
    """Hand out all that the order and the count allow.

    Returns:
        The lanes without that, the count with it, and what stopped it, if anything: that stays in its lane.
    """
    if not any(lane.buffer for lane in lanes):
        return lanes, counted, None
    deliveries, ids = list(counted.deliveries), set(counted.ids)
    skipped, skipped_ms = list(counted.skipped), list(counted.skipped_ms)
    resent, duplicates, passed = set(counted.resent), counted.duplicates, list(counted.passed)
    heeded, too_late = set(counted.heeded), {place.partition: place for place in counted.too_late}
    stopped: Corrupt | Doubted | None = None
    while stopped is None and (records_max := _left(request, len(deliveries))) != 0:
        records, rest = _take(lanes, request.follow, records_max)
        if not records:
            break
        for index, record in enumerate(records):
            verdict = _judge(request, record)
            if request.until_ms is not None:
                _note_late(request, record, verdict, ids, too_late)
            if isinstance(verdict, Delivery):
                known = verdict.message_id
                gone = request.known is not None and _gone(request, request.known, verdict, heeded)
                if gone or not (request.covers(record) or _removes(request, verdict)):
                    if known is not None:
                        passed.append((record.partition, record.offset, known))
                        ids.add(known)  # a later copy of it is a second one all the same
                    continue
                if known is not None and (known in ids or _was_replayed(request, known)):
                    duplicates += 1
                    if known in counted.found and known not in resent:
                        passed.append((record.partition, record.offset, known))
                        resent.add(known)  # who goes on begins behind the mark that made this read look
                    continue
                marked = known is not None and record.header(HEADER_RESENT) is not None
                if not marked or counted.settles(known, lanes):
                    deliveries.append(verdict)
                    if known is not None:
                        ids.add(known)
                        if marked:
                            resent.add(known)
                    continue
                stopped = Doubted()
            elif verdict is None or not request.covers(record):
                continue
            elif request.on_corrupt is OnCorrupt.SKIP:
                skipped.append(verdict)
                skipped_ms.append(record.timestamp_ms)
                continue
            else:
                stopped = verdict
            rest = _put_back(rest, records[index:])
            break
        lanes = tuple(evolve(lane, buffer=rest.get(lane.partition, lane.buffer)) for lane in lanes)
    after = evolve(
        counted,
        deliveries=tuple(deliveries),
        skipped=tuple(skipped),
        skipped_ms=tuple(skipped_ms),
        duplicates=duplicates,
        ids=frozenset(ids),
        resent=frozenset(resent),
        heeded=frozenset(heeded),
        passed=tuple(passed),
        too_late=tuple(too_late.values()),
    )
    return lanes, after, stopped


def _left(request: ReadRequest[M], count: int) -> int | None:
    """How many more messages are to be handed out; None for no limit."""
    return None if request.messages_max is None else max(0, request.messages_max - count)


def message_id(record: Record | NewRecord) -> str | None:
    """The record's `kchat-id`, None where it has none or another program's."""
    known = record.header(HEADER_ID)
    return known.decode() if known is not None and MESSAGE_ID.fullmatch(known) else None


def first_copy(request: ReadRequest[M], record: Record, wanted: frozenset[str]) -> str | None:
    """The id of a record that is the first copy of a wanted one: a message of this session with its id."""
    known = message_id(record)
    if known not in wanted or not isinstance(_judge(request, record), Delivery):
        return None
    return known


def _take(
    lanes: tuple[Lane, ...], follow: bool, records_max: int | None
) -> tuple[tuple[Record, ...], dict[int, tuple[Record, ...]]]:
    """Merge what is fetched. A lane that is fetched to its end and has nothing buffered holds nothing up.

    Beyond the end there is no "all partitions": while following, records come out as they arrive.
    """
    buffers = {lane.partition: lane.buffer for lane in lanes if lane.buffer or not lane.at_end}
    at_end = all(lane.at_end for lane in lanes)
    return merge(buffers, all_known=follow and at_end, records_max=records_max)


def _judge(request: ReadRequest[M], record: Record) -> Delivery[M] | Corrupt | None:
    if request.key is not None and record.key != request.key:
        return None
    message = request.decoder.decode(record)
    if message is None or isinstance(message, Corrupt):
        return message
    return Delivery(
        message=message,
        partition=record.partition,
        offset=record.offset,
        timestamp_ms=record.timestamp_ms,
        message_id=message_id(record),
    )


def _removes(request: ReadRequest[M], delivery: Delivery[M]) -> bool:
    return request.with_removals and is_removal(delivery.message)


def _note_late(
    request: ReadRequest[M],
    record: Record,
    verdict: Delivery[M] | Corrupt | None,
    ids: set[str],
    too_late: dict[int, Position],
) -> None:
    """Note where the first record of a later time is, in each partition: a message, or a corrupt one.

    A marker that is handed out anyway is none, nor is a second copy.
    """
    if verdict is None or not request.is_too_late(record) or record.partition in too_late:
        return
    if isinstance(verdict, Delivery) and (_removes(request, verdict) or verdict.message_id in ids):
        return
    too_late[record.partition] = Position(record.partition, record.offset)


def _gone(request: ReadRequest[M], known: Known, delivery: Delivery[M], heeded: set[Rank]) -> bool:
    """Whether this is a removed message, or a marker that tells its reader nothing. Notes what removed it."""
    if target_of(delivery.message) is not None:
        anew = isinstance(request.start, FromBeginning) and known.removals.keeps(delivery)
        return anew or delivery.rank in heeded or delivery.rank in request.heeded
    removers = known.removals.removers(delivery.message, delivery.rank, delivery.message_id)
    heeded.update(removers)
    return bool(removers)


def _was_replayed(request: ReadRequest[M], known: str) -> bool:
    return request.replayed is not None and request.replayed.has(known)


def _put_back(
    rest: dict[int, tuple[Record, ...]], records: tuple[Record, ...]
) -> dict[int, tuple[Record, ...]]:
    """Return taken records to the front of their buffers."""
    returned = dict(rest)
    for record in reversed(records):
        returned[record.partition] = (record, *returned[record.partition])
    return returned
