"""`AsyncConversation`: one session of a log, for an event loop. It means what `Conversation` means."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Generic, TypeVar

from attrs import frozen

from kchat.conversation import arguments
from kchat.conversation.aio_cursor import AsyncCursor, answering
from kchat.conversation.asking import Asking
from kchat.conversation.computing import (
    MESSAGES_MAX,
    are_large,
    at_once_or_aside,
    pausing,
    step_aside,
)
from kchat.conversation.cursors import CursorAsking, listing, names_of
from kchat.conversation.following import Follower, follower
from kchat.conversation.page import Entry, Page
from kchat.conversation.placing import resent_of
from kchat.core import (
    Acknowledged,
    AppendRequest,
    AppendUnknown,
    ChatPosition,
    Closed,
    CursorsListed,
    Log,
    Plan,
    Sealed,
    acarry_out,
    acknowledged,
    provisioned,
)

M = TypeVar("M")
T = TypeVar("T")


@frozen(repr=False, eq=False)
class AsyncConversation(Generic[M]):
    """One session: append to it, read it in every way, follow it, edit it, end it.

    It holds no connection; the log that made it does, and outlives it. No call blocks the event loop. Any
    call may be cancelled: no place is moved for it, and what was not acknowledged is withdrawn.

    Messages of a large call are encoded on another thread; so are those of a large page decoded. They must
    not be changed before the call returns. A `count` is called on a thread of `asyncio.to_thread`.
    """

    _log: Log
    _ask: Asking[M]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._ask.session!a} in topic {self._ask.placement.topic}>"

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self._ask.session

    @property
    def topic(self) -> str:
        """The topic that its records are in."""
        return self._ask.placement.topic

    # Reading. All raise ReadFailed where the broker cannot be reached, denies, or gives no answer in time,
    # CorruptRecord at a record that is no message unless those are skipped, and Closed after the log's close.

    async def read(self) -> Page[M]:
        """`Conversation.read`, without blocking the event loop."""
        return await self._do(self._ask.whole())

    async def last(self, count: int) -> Page[M]:
        """`Conversation.last`, without blocking the event loop."""
        return await self._do(self._ask.last(count))

    async def before(self, position: ChatPosition, count: int) -> Page[M]:
        """`Conversation.before`, without blocking the event loop."""
        return await self._do(self._ask.before(position, count))

    async def after(self, position: ChatPosition, count: int) -> Page[M]:
        """`Conversation.after`, without blocking the event loop."""
        return await self._do(self._ask.after(position, count))

    async def since(
        self, since: datetime | None, until: datetime | None = None, count: int | None = None
    ) -> Page[M]:
        """`Conversation.since`, without blocking the event loop."""
        return await self._do(self._ask.since(since, until, count))

    async def window(self, tokens_max: int, count: Callable[[Sequence[M]], int]) -> Page[M]:
        """`Conversation.window`, without blocking the event loop."""
        return await self._do(self._ask.window(tokens_max, count))

    def follow(
        self,
        *,
        after: ChatPosition | None = None,
        new_only: bool = False,
        messages_max: int | None = None,
        seconds_max: float | None = None,
        wait_for_session: bool = False,
        silence_seconds_max: float | None = 60.0,
    ) -> AsyncIterator[Entry[M]]:
        """`Conversation.follow`, without blocking the event loop.

        Bound its time by `seconds_max`. A cancellation, also that of an `asyncio.timeout` around one `anext`,
        ends it: the next `anext` raises StopAsyncIteration, which says nothing of the conversation. Follow on
        `after` the position of the last entry.
        """
        return self._followed(
            follower(
                self._ask,
                lambda: self._log.now_ms,
                after=after,
                new_only=new_only,
                messages_max=messages_max,
                seconds_max=seconds_max,
                wait_for_session=wait_for_session,
                silence_seconds_max=silence_seconds_max,
            )
        )

    async def _followed(self, following: Follower[M]) -> AsyncIterator[Entry[M]]:
        while not following.over:
            try:
                entries = await self._do(following.step())
            except Closed:
                return
            async for entry in pausing(entries):
                yield entry
        if following.error is not None:
            raise following.error

    def cursor(self, name: str) -> AsyncCursor[M]:
        """`Conversation.cursor`; building one asks nothing."""
        name = arguments.cursor_name(name)
        return AsyncCursor(self._log, CursorAsking(self._ask, name, lambda: self._log.now_ms))

    async def cursors(self) -> tuple[str, ...]:
        """`Conversation.cursors`, without blocking the event loop."""
        outcome = await self._log.aprovision(listing(self.topic))
        listed = provisioned(outcome, session=self.session_id, topic=self.topic)
        return names_of(self.topic, listed.groups) if isinstance(listed, CursorsListed) else ()

    # Appending, editing, ending

    async def append(self, messages: Sequence[M], seconds_max: float = 5.0) -> tuple[ChatPosition, ...]:
        """`Conversation.append`, without blocking the event loop."""
        large = are_large(messages)
        sealed = Sealed(tuple(messages) if large else messages)  # the list may change while it is encoded
        del messages
        encode = partial(self._ask.records, sealed, self._log.record_bytes_max)
        records = await at_once_or_aside(encode, large=large)
        return await self._append(self._ask.append(records, seconds_max))

    async def resend(self, error: AppendUnknown, seconds_max: float = 5.0) -> tuple[ChatPosition, ...]:
        """`Conversation.resend`, without blocking the event loop."""
        return await self._append(self._ask.again(error, seconds_max))

    async def redact(self, position: ChatPosition, seconds_max: float = 5.0) -> ChatPosition:
        """`Conversation.redact`, without blocking the event loop."""
        began_ms = self._log.now_ms
        record = await self._do(self._ask.marker(position, seconds_max))
        request = self._ask.marking(record, seconds_max, self._log.now_ms - began_ms)
        return (await self._append(request))[0]

    async def clear(self, *, keep_topic: bool = False) -> None:
        """`Conversation.clear`, without blocking the event loop."""
        keep_topic = arguments.switch(keep_topic, "keep_topic")
        outcome = await self._log.aprovision(self._ask.clear(keep_topic=keep_topic))
        provisioned(outcome, session=self.session_id, topic=self.topic)

    async def _append(self, request: AppendRequest) -> tuple[ChatPosition, ...]:
        outcome = await self._log.aappend(request)
        places: tuple[Acknowledged, ...] = acknowledged(outcome, session=self.session_id, topic=self.topic)
        if not places:
            return ()
        large = len(places) > MESSAGES_MAX
        take = partial(at_once_or_aside, large=large)
        plan = self._ask.placed(places, resent_of(outcome, request))
        return await acarry_out(plan, answering(self._log), lambda step, _: take(step))

    async def _do(self, plan: Plan[T]) -> T:
        return await acarry_out(plan, answering(self._log), step_aside)
