"""Where appended messages are for readers: of a message that is stored twice, the first copy is the message.

An append that had to send its records again knows the places of those that it sent last, and an earlier
attempt may have stored them before: readers drop these second copies (docs/adr/0013-second-copies.md).
"""

from typing import Any, Generic, TypeVar

from attrs import evolve, frozen

from kchat.core import (
    Acknowledged,
    Appended,
    AppendOutcome,
    AppendRequest,
    ChatPosition,
    Corrupt,
    Decoder,
    FromBefore,
    NewRecord,
    OnCorrupt,
    Plan,
    Position,
    Progress,
    ReadOutcome,
    ReadRequest,
    Record,
)
from kchat.core.handing import message_id

M = TypeVar("M")

PLACING_MS_MAX = 800
"""How long to ask, after an append that went well, which topic it was: the caller's time may be over by then,
and a call ends within a second of that."""

COPIES_BEFORE = 20_000
"""How far before the end first copies are looked for, in offsets of each partition: two fetches, about 60 ms.
Only an append that sent records again looks."""


@frozen
class CopyDecoder(Generic[M]):
    """Looks for records of these ids alone; every other one is passed over without decoding."""

    inner: Decoder[M]
    wanted: frozenset[str]

    def decode(self, record: Record) -> M | Corrupt | None:
        """The message, or None."""
        return self.inner.decode(record) if message_id(record) in self.wanted else None


def resent_of(outcome: AppendOutcome, request: AppendRequest) -> tuple[NewRecord, ...]:
    """The records of an append, if an earlier attempt may have stored some of them; or none."""
    return request.records if isinstance(outcome, Appended) and outcome.resent else ()


def placing(
    session: str, end: ReadRequest[Any], places: tuple[Acknowledged, ...], resent: tuple[NewRecord, ...]
) -> Plan[tuple[ChatPosition, ...]]:
    """The positions of messages that are stored at these places. `end` is a read from the session's end.

    `resent`: their records, where an earlier attempt may have stored some of them. What is not answered in
    time is not told: the topic's id, or that there is a first copy.
    """
    wait_ms_max = PLACING_MS_MAX // 2 if resent else PLACING_MS_MAX
    outcome: ReadOutcome[Any] = yield evolve(end, with_topic_id=True, wait_ms_max=wait_ms_max)
    progress = outcome.progress
    if resent and progress.positions:
        places = yield from _first_copies(end, progress, places, resent)
    ends = {position.partition: position.offset for position in progress.positions}

    def position(place: Acknowledged) -> ChatPosition:
        offsets = {**ends, place.partition: place.offset}
        return ChatPosition(
            session,
            progress.topic_id,
            tuple(Position(partition, offsets[partition]) for partition in sorted(offsets)),
            place.partition,
        )

    return tuple(map(position, places))


def _first_copies(
    end: ReadRequest[Any],
    at_end: Progress[Any],
    places: tuple[Acknowledged, ...],
    resent: tuple[NewRecord, ...],
) -> Plan[tuple[Acknowledged, ...]]:
    """The places of what readers take for the messages: the read drops second copies, as theirs do."""
    ids = tuple(map(message_id, resent))
    outcome: ReadOutcome[Any] = yield evolve(
        end,
        start=FromBefore(COPIES_BEFORE, at_end.positions, at_end.topic_id),
        decoder=CopyDecoder(end.decoder, frozenset(known for known in ids if known is not None)),
        on_corrupt=OnCorrupt.SKIP,
        since_ms=None,
        wait_ms_max=PLACING_MS_MAX // 2,
    )
    first = {d.message_id: Acknowledged(d.partition, d.offset) for d in outcome.progress.deliveries}
    return tuple(first.get(known, place) for known, place in zip(ids, places, strict=True))
