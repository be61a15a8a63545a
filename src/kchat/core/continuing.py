"""Reading on: a conversation of any length in batches, each a read of its own."""

from typing import TypeVar

from attrs import evolve

from kchat.core.outcomes import Complete, Failed, Limit, Partial, ReadOutcome
from kchat.core.requests import FromPositions, ReadRequest

M = TypeVar("M")


def continued(request: ReadRequest[M], outcome: ReadOutcome[M]) -> ReadRequest[M] | None:
    """The request for what comes after an outcome of this request; None where nothing does.

    A read that a limit ended goes on after what it handed out. One that came to the end, or failed, is over:
    what failed can be asked again. Nothing is remembered between the two but positions, so what a batch takes
    is bounded by `messages_max`, and second copies are known as by every read from a position
    (docs/adr/0013-second-copies.md).
    """
    match outcome:
        case Partial(progress=progress, limit=Limit.COUNT) if progress.positions:
            return evolve(request, start=FromPositions(progress.positions))
        case Complete() | Partial() | Failed():
            return None
