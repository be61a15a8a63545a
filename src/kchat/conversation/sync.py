"""`Conversation`: one session of a log, by blocking calls."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Generic, TypeVar

from attrs import frozen

from kchat.conversation import arguments
from kchat.conversation.asking import Asking
from kchat.conversation.cursors import CursorAsking, listing, names_of
from kchat.conversation.following import Follower, follower
from kchat.conversation.page import Entry, Page
from kchat.conversation.placing import resent_of
from kchat.conversation.sync_cursor import Cursor, answering
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
    acknowledged,
    carry_out,
    provisioned,
)

M = TypeVar("M")
T = TypeVar("T")


@frozen(repr=False, eq=False)
class Conversation(Generic[M]):
    """One session: append to it, read it in every way, follow it, edit it, end it.

    It holds no connection; the log that made it does, and outlives it. Safe to use from several threads.
    In a running event loop its calls block the loop: use `AsyncConversation` there.
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

    def read(self) -> Page[M]:
        """All messages, up to the end of the log as it stands now."""
        return self._do(self._ask.whole())

    def last(self, count: int) -> Page[M]:
        """The newest `count` messages. The cost follows the count, not the length of the conversation.

        A second copy is known by its mark, or by a first one in what was fetched: one without a mark, whose
        first copy lies further back, is a message here (docs/adr/0013-second-copies.md).
        """
        return self._do(self._ask.last(count))

    def before(self, position: ChatPosition, count: int) -> Page[M]:
        """The newest `count` messages before a position: an entry's own, or `begin` of a page.

        What removes messages lies behind them: the first such page on a log fetches every record from there
        to the end, about 9 us of computing for each. The log remembers what that found, for all objects:
        later pages fetch what is new, and what lies between them and what is known.

        Raises:
            InvalidPosition: it is no position of this session.
            PositionGone: the topic was deleted since.
            ReadFailed: the log ends before the position, and still did when the time was over: an election
                may have lost its end, or a broker that lags was asked.
        """
        return self._do(self._ask.before(position, count))

    def after(self, position: ChatPosition, count: int) -> Page[M]:
        """The first `count` messages after a position: an entry's own, or `end` of a page.

        Raises:
            InvalidPosition: it is no position of this session.
            PositionGone: the topic was deleted since, or retention has passed the position.
        """
        return self._do(self._ask.after(position, count))

    def since(
        self, since: datetime | None, until: datetime | None = None, count: int | None = None
    ) -> Page[M]:
        """The messages whose record timestamp is `since` or later, and before `until`; at most `count`.

        Timestamps are those of the writers' clocks, and Kafka cuts them to milliseconds: so are the bounds.
        `since` is inclusive, `until` is not; None is no bound. A time in the future is an empty page at once.
        With `until` the page ends before the first message of that time or later: `after` its `end` it comes.

        Raises:
            ValueError: a datetime has no time zone.
        """
        return self._do(self._ask.since(since, until, count))

    def window(self, tokens_max: int, count: Callable[[Sequence[M]], int]) -> Page[M]:
        """The newest messages that fit into `tokens_max`, as `count` counts a list of them.

        It never begins with a tool's result whose call is cut off.
        """
        return self._do(self._ask.window(tokens_max, count))

    def follow(
        self,
        *,
        after: ChatPosition | None = None,
        new_only: bool = False,
        messages_max: int | None = None,
        seconds_max: float | None = None,
        wait_for_session: bool = False,
        silence_seconds_max: float | None = 60.0,
    ) -> Iterator[Entry[M]]:
        """The messages that are there and then those that come, as they come, without gap or double.

        It ends at a limit, when the log is closed, or when the caller leaves the loop; a cluster that is away
        is waited for. A removal of a message that came before is handed out, as a message of the type
        "remove".

        Args:
            after: begin after this position, not at the beginning.
            new_only: begin at the end.
            messages_max: end after so many messages.
            seconds_max: end after so many seconds.
            wait_for_session: wait for a session that does not exist yet.
            silence_seconds_max: give up when the broker gave no answer for so long; None: never.

        Raises:
            ReadFailed: the session does not exist, the read cannot go on, or the time is over and the broker
                had not answered; what came before it is handed out first.
            ValueError: an argument makes no sense.
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

    def _followed(self, following: Follower[M]) -> Iterator[Entry[M]]:
        while not following.over:
            try:
                entries = self._do(following.step())
            except Closed:
                return
            yield from entries
        if following.error is not None:
            raise following.error

    def cursor(self, name: str) -> Cursor[M]:
        """A reader of its own, whose place is kept in Kafka under this name.

        Raises:
            ValueError: the name is empty, or none that Kafka takes.
        """
        name = arguments.cursor_name(name)
        return Cursor(self._log, CursorAsking(self._ask, name, lambda: self._log.now_ms))

    def cursors(self) -> tuple[str, ...]:
        """The names of all cursors of this session that are stored; the whole cluster is asked.

        A broker may tell of cursors for a while after their topic was deleted. They skip nothing in the next
        topic of its name: what is stored names the topic's id.

        Raises:
            TopicNotChanged: the broker does not tell.
        """
        outcome = self._log.provision(listing(self.topic))
        listed = provisioned(outcome, session=self.session_id, topic=self.topic)
        return names_of(self.topic, listed.groups) if isinstance(listed, CursorsListed) else ()

    # Appending, editing, ending

    def append(self, messages: Sequence[M], seconds_max: float = 5.0) -> tuple[ChatPosition, ...]:
        """Append messages; returns where they are, when all in-sync replicas have every one of them.

        All are encoded and checked before the first is sent.

        Raises:
            InvalidMessage: a message would not read back equal; nothing was sent. It is an AppendRefused.
            AppendRefused: nothing is stored, and nothing will be.
            AppendUnknown: some may be stored; `resend` is safe.
        """
        sealed = Sealed(messages)
        del messages
        records = self._ask.records(sealed, self._log.record_bytes_max)
        return self._append(self._ask.append(records, seconds_max))

    def resend(self, error: AppendUnknown, seconds_max: float = 5.0) -> tuple[ChatPosition, ...]:
        """Append the records of an `AppendUnknown` again; a reader drops the second copy of each."""
        return self._append(self._ask.again(error, seconds_max))

    def redact(self, position: ChatPosition, seconds_max: float = 5.0) -> ChatPosition:
        """Append a marker that removes the message at a position from every read that begins from now on.

        Its record stays in Kafka until retention or `clear` takes it, and other programs can read it.

        It names the message's record by an id of its own, in which nothing else can be meant. A record of a
        program that gives it none is named by its place: should the topic be deleted and created again in
        this very moment, the marker removes what is at that place then.

        Raises:
            PositionGone: there is no message at this position, or one that removes another.
            InvalidPosition: it is no position of this session.
            ReadFailed: the message was not seen in time; nothing was appended.
            AppendRefused, AppendUnknown: as `append` raises them.
        """
        began_ms = self._log.now_ms
        record = self._do(self._ask.marker(position, seconds_max))
        return self._append(self._ask.marking(record, seconds_max, self._log.now_ms - began_ms))[0]

    def clear(self, *, keep_topic: bool = False) -> None:
        """Delete the topic and wait until it is gone; with `keep_topic`, only what is in it (DeleteRecords).

        Cursors of a topic that is kept go on at what is appended next.

        Raises:
            TopicNotChanged: the broker does not allow it, or it did not happen within 10 s.
        """
        keep_topic = arguments.switch(keep_topic, "keep_topic")
        outcome = self._log.provision(self._ask.clear(keep_topic=keep_topic))
        provisioned(outcome, session=self.session_id, topic=self.topic)

    def _append(self, request: AppendRequest) -> tuple[ChatPosition, ...]:
        outcome = self._log.append(request)
        places: tuple[Acknowledged, ...] = acknowledged(outcome, session=self.session_id, topic=self.topic)
        return self._do(self._ask.placed(places, resent_of(outcome, request))) if places else ()

    def _do(self, plan: Plan[T]) -> T:
        return carry_out(plan, answering(self._log))
