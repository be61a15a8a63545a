"""Reading on: a conversation of any length in batches, each a read of its own."""

from typing import TypeVar

from attrs import evolve

from kchat.core.outcomes import Complete, Failed, Limit, Partial, ReadOutcome
from kchat.core.requests import FromPositions, ReadRequest

M = TypeVar("M")


def continued(request: ReadRequest[M], outcome: ReadOutcome[M]) -> ReadRequest[M] | None:
    """The request for what comes after an outcome of this request; None where nothing does.

    A read that a limit ended goes on after what it handed out. One that came to the end, or failed, is over:
    what failed can be asked again. Between the two only positions are remembered, and the ids of resent
    records, which are few: so `messages_max` bounds what a batch takes, and a second copy is known as by
    every read from a position (docs/adr/0013-second-copies.md). Ask `with_topic_id`, or a topic that is
    created again in between is read on from its middle.
    """
    match outcome:
        case Partial(progress=progress, limit=Limit.COUNT) if progress.positions:
            return evolve(
                request,
                start=FromPositions(progress.positions, progress.topic_id),
                resent_before=request.resent_before | progress.resent,
            )
        case Complete() | Partial() | Failed():
            return None
