"""What a read of a conversation gives: messages, where each is, why the read ended, and where to go on."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, unique
from typing import Any, Generic, TypeVar, overload

from attrs import field, frozen

from kchat.conversation.arguments import EPOCH
from kchat.conversation.markdown import message_in_markdown, page_in_markdown
from kchat.core import ChatPosition, CorruptRecord, Position, Slice
from kchat.core.removals import names_of

M = TypeVar("M")

EARLIEST, LATEST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)


@unique
class Ended(Enum):
    """Why a read ended."""

    END = "end"
    """The end of the log, as it stood when the read began."""
    BEGINNING = "beginning"
    """The beginning of what the log still has, or of the time that was asked for: nothing older is left."""
    COUNT = "count"
    """As many messages as were asked for; there may be more."""
    BUDGET = "budget"
    """One more message would have been beyond the budget of tokens."""
    POSITION = "position"
    """The time that was given, `until`; there may be more behind it."""


@frozen(eq=False, repr=False)
class Entry(Generic[M]):
    """One message of a conversation.

    Attributes:
        message: the message.
        message_id: unique for each append; None where another program wrote the record.
    """

    message: M
    message_id: str | None
    timestamp_ms: int
    _session: str
    _slice: Slice[M]
    _index: int

    def __repr__(self) -> str:
        return f"<Entry of a {type(self.message).__name__} at {self.time.isoformat()}>"

    def _repr_markdown_(self) -> str:
        """What a notebook shows: the message too, unlike a repr, which may end in a log."""
        return message_in_markdown(self.message, self.time)

    @property
    def position(self) -> ChatPosition:
        """Where it is: page before or after it, redact it, or store the position as text."""
        delivery = self._slice.deliveries[self._index]
        return ChatPosition(
            self._session, self._slice.topic_id, self._slice.before(self._index), delivery.partition
        )

    @property
    def names(self) -> tuple[str, ...]:
        """By what a removal may name it: the `id` of the message of type "remove" that a follower gets."""
        delivery = self._slice.deliveries[self._index]
        return names_of(delivery.message, delivery.rank, delivery.message_id)

    @property
    def time(self) -> datetime:
        """The record's timestamp, in UTC: when it was appended, by the writer's clock."""
        try:
            return EPOCH + timedelta(milliseconds=self.timestamp_ms)
        except OverflowError:  # any 64 bits may stand there
            return LATEST if self.timestamp_ms > 0 else EARLIEST


@frozen(kw_only=True, eq=False, repr=False)
class Page(Generic[M], Sequence["Entry[M]"]):
    """A run of messages, oldest first. It is a sequence of entries.

    Attributes:
        entries: the messages and where they are.
        ended: why there are no more.
        begin: page on `before(page.begin, n)`. None where nothing was asked of the broker, or where there is
            no such conversation yet.
        end: page on `after(page.end, n)`. None as `begin` is.
        skipped: records in between that are no messages, where the conversation skips them.
    """

    entries: tuple[Entry[M], ...] = ()
    ended: Ended
    begin: ChatPosition | None = None
    end: ChatPosition | None = None
    skipped: tuple[CorruptRecord, ...] = field(default=())

    def __repr__(self) -> str:
        return f"<Page of {len(self.entries)}, ended by {self.ended.value}>"

    def _repr_markdown_(self) -> str:
        """What a notebook shows: the messages too, unlike a repr, which may end in a log."""
        said = [(entry.message, entry.time) for entry in self.entries]
        return page_in_markdown(said, self.ended.value, len(self.skipped))

    @property
    def messages(self) -> list[M]:
        """The messages alone, in a list of the caller's own."""
        return [entry.message for entry in self.entries]

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[Entry[M]]:
        return iter(self.entries)

    @overload
    def __getitem__(self, index: int) -> Entry[M]: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Entry[M], ...]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self.entries[index]


def entries_of(session: str, found: Slice[M]) -> tuple[Entry[M], ...]:
    """The entries of a slice."""
    return tuple(
        Entry(delivery.message, delivery.message_id, delivery.timestamp_ms, session, found, index)
        for index, delivery in enumerate(found.deliveries)
    )


def page_of(session: str, found: Slice[M], ended: Ended, skipped: tuple[CorruptRecord, ...]) -> Page[M]:
    """The page of a slice."""

    def edge(offsets: tuple[Position, ...]) -> ChatPosition | None:
        return ChatPosition(session, found.topic_id, offsets) if found.exists else None

    return Page(
        entries=entries_of(session, found),
        ended=ended,
        begin=edge(found.begin),
        end=edge(found.end),
        skipped=skipped,
    )
