"""What is known of a conversation's removals: a read needs those behind what it shows, up to the log's end.

They are looked for once, and from then on only in what is new: so paging through a long conversation does not
read its end again for each page.
"""

from typing import TypeVar

from attrs import evolve, field, frozen

from kchat.core.outcomes import Failed, ReadOutcome
from kchat.core.plans import Plan
from kchat.core.removals import RemovalDecoder, Removals
from kchat.core.requests import FromBookmark, OnCorrupt, ReadRequest
from kchat.core.slices import Positions

M = TypeVar("M")


@frozen(kw_only=True)
class Known:
    """The removals of a stretch of the log, for reads that need those behind what they show.

    Attributes:
        topic_id: the topic's. Without one nothing can be known for the next read.
        begin, end: all markers in between are in `removals`.
    """

    topic_id: str | None = None
    begin: Positions = ()
    end: Positions = ()
    removals: Removals = field(factory=Removals)

    def covers(self, topic_id: str | None, positions: Positions) -> bool:
        """Whether the stretch goes on from these positions."""
        begin = {position.partition: position.offset for position in self.begin}
        end = {position.partition: position.offset for position in self.end}
        return (
            topic_id is not None
            and self.topic_id == topic_id
            and bool(positions)
            and all(
                p.partition in begin and begin[p.partition] <= p.offset <= end[p.partition] for p in positions
            )
        )


NOTHING_KNOWN = Known()
"""What a reader knows who has read nothing yet."""


def removals_after(
    request: ReadRequest[M], topic_id: str | None, positions: Positions, known: Known
) -> Plan[Known | Failed[M]]:
    """The markers from these positions to the end; what is known of them is not read again."""
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
