"""What is known of a conversation's removals: a read needs those behind what it shows, up to the log's end.

They are looked for once, and from then on only in what is new, or lies before what is known: so paging
through a long conversation does not read its end again for each page.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from attrs import evolve, frozen

from kchat.core.failures import BrokerError, Corrupt, ErrorKind
from kchat.core.known import Known, Stretch, distance
from kchat.core.log import Position, Record
from kchat.core.outcomes import Complete, Failed, ReadOutcome
from kchat.core.plans import Plan
from kchat.core.removals import Removals, target_of
from kchat.core.requests import Decoder, FromBefore, FromBookmark, OnCorrupt, ReadRequest
from kchat.core.slices import Positions

M = TypeVar("M")


def may_be_marker(value: bytes) -> bool:
    """Whether a record's JSON can be that of a marker; one that cannot need not be decoded.

    A marker's type is spelt out, or one of its letters is escaped: all are between U+0060 and U+007F.
    """
    return b'"remove"' in value or b"\\u006" in value or b"\\u007" in value


@frozen
class RemovalDecoder(Generic[M]):
    """Looks for markers alone: every other record is passed over, most of them without decoding."""

    inner: Decoder[M]

    def decode(self, record: Record) -> M | None:
        """The marker, or None."""
        if record.value is None or not may_be_marker(record.value):
            return None
        message = self.inner.decode(record)
        if message is None or isinstance(message, Corrupt) or target_of(message) is None:
            return None
        return message


def removals_after(
    request: ReadRequest[M],
    topic_id: str | None,
    positions: Positions,
    known: Known,
    timed: Callable[[ReadRequest[M]], ReadRequest[M]] = lambda request: request,
) -> Plan[Known | Failed[M]]:
    """The markers from these positions to the end; what is known of them is not read again.

    `timed` gives each read the time that is left. With such a limit the stretch may end before the end.
    """
    looking = evolve(
        request,
        decoder=RemovalDecoder(request.decoder),
        on_corrupt=OnCorrupt.SKIP,
        messages_max=None,
        since_ms=None,
        until_ms=None,
        with_topic_id=True,
        with_bookmark=False,
        commit_to=None,
        known=None,
    )
    passed = yield from _over_known(looking, topic_id, positions, known, timed)
    if isinstance(passed, Failed):
        return passed
    start, known = passed
    outcome: ReadOutcome[M] = yield timed(evolve(looking, start=FromBookmark.at(start, topic_id)))
    if isinstance(outcome, Failed):
        return outcome
    return _learnt(known, start, outcome, to_end=isinstance(outcome, Complete))


def _over_known(
    looking: ReadRequest[M],
    topic_id: str | None,
    positions: Positions,
    known: Known,
    timed: Callable[[ReadRequest[M]], ReadRequest[M]],
) -> Plan[tuple[Positions, Known] | Failed[M]]:
    """From where to look up to the end of the log, when what is known and the gaps before it are passed."""
    start = positions
    while True:
        stretch = known.stretch_from(topic_id, positions) if topic_id else None
        start = positions if stretch is None else stretch.end
        ahead = known.stretch_ahead(topic_id, start) if topic_id else None
        if ahead is None:
            return start, known
        gap = FromBefore(distance(start, ahead.begin), ahead.begin, topic_id)
        outcome: ReadOutcome[M] = yield timed(evolve(looking, start=gap))
        if not isinstance(outcome, Failed):
            known = _learnt(known, start, outcome)
        elif not _is_out_of_range(outcome):
            return outcome
        closed = known.stretch_from(topic_id, positions)
        if closed is None or not closed.reaches(ahead.end):
            # Whatever came between, a look from here to the end of the log finds out.
            return start if closed is None else closed.end, known


def _is_out_of_range(failed: Failed[M]) -> bool:
    """Whether what is known does not fit the log any more."""
    return isinstance(failed.failure, BrokerError) and failed.failure.kind is ErrorKind.OFFSET_OUT_OF_RANGE


def _learnt(known: Known, start: Positions, outcome: ReadOutcome[M], *, to_end: bool = False) -> Known:
    progress = outcome.progress
    return known.seen(
        progress.topic_id,
        Stretch(_earlier(start, progress.began), progress.positions),
        Removals.among(progress.deliveries),
        to_end=to_end,
    )


def _earlier(asked: Positions, began: Positions) -> Positions:
    """Where what was seen begins: before what retention left of it, or where a log that was cut begins."""
    offsets = {position.partition: position.offset for position in asked}
    return tuple(Position(p.partition, min(p.offset, offsets.get(p.partition, p.offset))) for p in began)
