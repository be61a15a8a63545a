"""What is known of a conversation's removals: a read needs those behind what it shows, up to the log's end.

They are looked for once, and from then on only in what is new: so paging through a long conversation does not
read its end again for each page.
"""

from typing import Generic, TypeVar

from attrs import evolve, frozen

from kchat.core.failures import Corrupt
from kchat.core.log import Record
from kchat.core.outcomes import Failed, ReadOutcome
from kchat.core.plans import Plan
from kchat.core.removals import Known, Removals, target_of
from kchat.core.requests import Decoder, FromBookmark, OnCorrupt, ReadRequest
from kchat.core.slices import Positions

M = TypeVar("M")

_MARK = b'"remove"'
"""Every marker's JSON has this: a record without it needs no decoding to be known as none."""


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


def removals_after(
    request: ReadRequest[M], topic_id: str | None, positions: Positions, known: Known
) -> Plan[Known | Failed[M]]:
    """The markers from these positions to the end; what is known of them is not read again.

    With a limit of time in the request the stretch may end before that.
    """
    went_on = known.covers(topic_id, positions)
    begin = known.begin if went_on else positions
    start = known.end if went_on else positions
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
    found = Removals.among(progress.deliveries)
    return Known(
        topic_id=progress.topic_id,
        begin=begin,
        end=progress.positions,
        removals=known.removals | found if went_on else found,
    )
