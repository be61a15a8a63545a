"""Following: what is there and then what comes, read after read, with a watch in between.

Each read goes on where the last one ended, so nothing is left out and nothing comes twice. A watch only says
that it is worth reading again. A broker that is away for a while is waited for.
"""

from typing import TypeVar

from attrs import evolve, field, frozen

from kchat.core.failures import PASSING, BrokerError, ErrorKind
from kchat.core.known import Known
from kchat.core.onward import onward
from kchat.core.outcomes import Failed, Progress
from kchat.core.plans import Plan
from kchat.core.requests import FromBeginning, FromPositions, ReadRequest, Start, WatchRequest
from kchat.core.slices import Slice
from kchat.core.telling import NOTHING_TOLD, Heard

M = TypeVar("M")

BATCH_MAX = 500
"""Messages of one read: what a follower holds at most."""

WATCH_MS_MAX = 30_000
"""After so long without news a follower reads all the same."""

FIRST_WATCH_MS = 100
FIRST_WATCHES = 4
"""A client hears of a partition that is new to it 0.4 to 1.4 s after it was assigned (measured,
docs/adr/0022-watching.md). So a follower's first watches are short, each twice as long as the one before."""

POLL_MS = 250
"""How often it is looked whether a session has begun: there is no topic yet that could be watched."""

NO_SESSION = BrokerError(
    ErrorKind.UNKNOWN_TOPIC,
    "NO_SUCH_SESSION",
    "there is no such conversation yet, and wait_for_session=True was not given",
)


@frozen(kw_only=True)
class Following:
    """Where a follower stands.

    Attributes:
        start: where the next read begins.
        waits_for_session: a missing topic is waited for; otherwise it is an error.
        silent_ms_max: give up when the broker gave no answer for so long; None: never.
        silent_ms: for how long it gave none.
        trouble: why the last read had no answer; None after one that had.
        resent: ids of resent records that were met, and are not to be handed out again.
        known: removals so far.
        heard: whether messages were handed out, or lie before the start: their removals are handed on.
        watches: how many times it has waited for news.
    """

    start: Start = field(factory=FromBeginning)
    waits_for_session: bool = False
    silent_ms_max: int | None = None
    silent_ms: int = 0
    trouble: BrokerError | None = None
    resent: frozenset[str] = frozenset()
    known: Known = field(factory=Known)
    heard: Heard = NOTHING_TOLD
    watches: int = 0


def followed(
    request: ReadRequest[M], state: Following, wait_ms_max: int, messages_max: int | None = None
) -> Plan[tuple[Slice[M], Following] | Failed[M]]:
    """The next messages: at once where there are some, else what a watch of at most `wait_ms_max` brings.

    The request's `ending` may cut a watch short, too.

    Returns:
        The messages, maybe none, and where to go on.
    """
    asking = evolve(request, start=state.start, resent_before=state.resent)
    batch_max = BATCH_MAX if messages_max is None else min(messages_max, BATCH_MAX)
    found = yield from onward(asking, batch_max, state.known, state.heard)
    if isinstance(found, Failed):
        return _unanswered(request, state, found)
    page, known = found
    if not page.exists:
        if not state.waits_for_session:
            return Failed(Progress(), NO_SESSION)
        yield WatchRequest(topic=request.topic, positions=(), wait_ms_max=min(wait_ms_max, POLL_MS))
        # Whatever appears from now on is new: the end of a missing topic is its beginning.
        return Slice(), evolve(state, start=FromBeginning(), silent_ms=0, trouble=None)
    after = evolve(
        state,
        start=FromPositions(page.end, page.topic_id),
        silent_ms=0,
        trouble=None,
        resent=state.resent | page.resent,
        known=known,
        heard=state.heard.after(known.removals, older=page.older),
    )
    if not page.deliveries and not page.newer and wait_ms_max > 0:
        patience_ms = WATCH_MS_MAX if state.watches >= FIRST_WATCHES else FIRST_WATCH_MS << state.watches
        yield WatchRequest(
            topic=request.topic,
            positions=page.end,
            wait_ms_max=min(wait_ms_max, patience_ms),
            ending=request.ending,
        )
        after = evolve(after, watches=state.watches + 1)
    return page, after


def _unanswered(
    request: ReadRequest[M], state: Following, failed: Failed[M]
) -> tuple[Slice[M], Following] | Failed[M]:
    """A broker that gave no answer is asked again, for as long as the caller allows."""
    failure = failed.failure
    if not isinstance(failure, BrokerError) or failure.kind not in PASSING:
        return failed
    silent_ms = state.silent_ms + request.stall_ms_max
    if state.silent_ms_max is not None and silent_ms >= state.silent_ms_max:
        return failed
    return Slice(), evolve(state, silent_ms=silent_ms, trouble=failure)
