"""What is known of a conversation's removals: a read needs those behind what it shows, up to the log's end.

They are looked for once, and from then on only in what is new: so paging through a long conversation does not
read its end again for each page.
"""

from typing import Generic, TypeVar

from attrs import evolve, frozen

from kchat.core.failures import Corrupt
from kchat.core.known import Known, Stretch
from kchat.core.log import Position, Record
from kchat.core.outcomes import Complete, Failed, ReadOutcome
from kchat.core.plans import Plan
from kchat.core.removals import Removals, target_of
from kchat.core.requests import Decoder, FromBookmark, OnCorrupt, ReadRequest
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
    request: ReadRequest[M], topic_id: str | None, positions: Positions, known: Known
) -> Plan[Known | Failed[M]]:
    """The markers from these positions to the end; what is known of them is not read again.

    With a limit of time in the request the stretch may end before that.
    """
    stretch = known.stretch_from(topic_id, positions) if topic_id else None
    start = positions if stretch is None else stretch.end
    outcome: ReadOutcome[M] = yield evolve(
        request,
        start=FromBookmark.at(start, topic_id),
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
    if isinstance(outcome, Failed):
        return outcome
    progress = outcome.progress
    return known.seen(
        progress.topic_id,
        Stretch(_earlier(start, progress.began), progress.positions),
        Removals.among(progress.deliveries),
        to_end=isinstance(outcome, Complete),
    )


def _earlier(asked: Positions, began: Positions) -> Positions:
    """Where what was seen begins: before what retention left of it, or where a log that was cut begins."""
    offsets = {position.partition: position.offset for position in asked}
    return tuple(Position(p.partition, min(p.offset, offsets.get(p.partition, p.offset))) for p in began)
