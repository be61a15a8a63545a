"""Following a conversation: what both faces do between two steps of it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from attrs import define, evolve, field

from kchat.conversation import arguments
from kchat.conversation.asking import Asking
from kchat.conversation.page import Entry, entries_of
from kchat.core import (
    ChatPosition,
    Failed,
    Failure,
    Following,
    FromBeginning,
    FromEnd,
    FromPositions,
    KchatError,
    Plan,
    Slice,
    Start,
    followed,
    read_error,
)
from kchat.core.budget import STALL_MS_MAX_DEFAULT
from kchat.core.telling import Heard

M = TypeVar("M")

FOREVER_MS = 86_400_000

STALL_MS_MIN = 1_000
"""A read gets so much time for its answer, however short the follower's own limit is."""


@define
class Follower(Generic[M]):
    """One `follow` under way: how far it is, and how much it may still give.

    Attributes:
        over: why it ends; None while it goes on.
    """

    ask: Asking[M]
    now_ms: Callable[[], int]
    state: Following
    left: int | None
    end_ms: int | None
    error: KchatError | None = field(default=None, init=False)

    @property
    def over(self) -> bool:
        """Whether a limit is reached, it cannot go on, or who follows was closed."""
        return self.error is not None or self._at_limit or self.ask.ending.over

    @property
    def _at_limit(self) -> bool:
        timed_out = self.end_ms is not None and self.now_ms() >= self.end_ms
        return self.left == 0 or timed_out

    def step(self) -> Plan[tuple[Entry[M], ...]]:
        """The next messages, maybe none after a while. An error is kept until they are handed out."""
        wait_ms = FOREVER_MS if self.end_ms is None else max(0, self.end_ms - self.now_ms())
        limits = [STALL_MS_MAX_DEFAULT, wait_ms, self.state.silent_ms_max or FOREVER_MS]
        request = evolve(
            self.ask.request(self.state.start),
            stall_ms_max=max(STALL_MS_MIN, min(limits)),
            ending=self.ask.ending,
        )
        found = yield from followed(request, self.state, wait_ms, self.left)
        if isinstance(found, Failed):
            self._fail(found.failure)
            progress = found.progress
            page: Slice[M] = Slice(end=progress.positions, topic_id=progress.topic_id)
            return self._handed(evolve(page, deliveries=progress.deliveries))
        read, self.state = found
        if self.state.trouble is not None and self._at_limit:
            # Without an answer to the end it is not known that there was nothing.
            self._fail(self.state.trouble)
        return self._handed(read)

    def _fail(self, failure: Failure) -> None:
        self.error = read_error(failure, self.ask.session, self.ask.placement.topic)

    def _handed(self, read: Slice[M]) -> tuple[Entry[M], ...]:
        entries = entries_of(self.ask.session, read)[: self.left]
        if self.left is not None:
            self.left -= len(entries)
        return entries


def follower(
    ask: Asking[M],
    now_ms: Callable[[], int],
    *,
    after: Any,
    new_only: Any,
    messages_max: Any,
    seconds_max: Any,
    wait_for_session: Any,
    silence_seconds_max: Any,
) -> Follower[M]:
    """A follow that begins now.

    Raises:
        ValueError: an argument makes no sense.
    """
    new_only = arguments.switch(new_only, "new_only")
    waits = arguments.switch(wait_for_session, "wait_for_session")
    if after is not None and new_only:
        raise ValueError("follow either after a position or what is new only")
    left = None if messages_max is None else arguments.whole(messages_max, "messages_max")
    silent_ms_max = None
    if silence_seconds_max is not None:
        silent_ms_max = arguments.milliseconds(silence_seconds_max, "silence_seconds_max")
    wait_ms = None if seconds_max is None else arguments.milliseconds(seconds_max, "seconds_max")
    state = Following(
        start=_start(ask.session, after, new_only=new_only),
        waits_for_session=waits,
        silent_ms_max=silent_ms_max,
        heard=Heard(begun=after is not None or new_only),
    )
    end_ms = None if wait_ms is None else now_ms() + wait_ms
    return Follower(ask=ask, now_ms=now_ms, state=state, left=left, end_ms=end_ms)


def _start(session: str, after: ChatPosition | None, *, new_only: bool) -> Start:
    if after is not None:
        place = arguments.position_of(session, after)
        return FromPositions(place.after, place.topic_id)
    return FromEnd() if new_only else FromBeginning()
