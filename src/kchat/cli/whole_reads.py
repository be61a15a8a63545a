"""Whole conversations, page by page: in the memory of a page, whatever their length.

They end where the log ended when the first page was read, so that a writer cannot keep a read from ending.

What is handed out is what every reader of the conversation gets, in its order and without what was removed;
and the records that are no messages, which a reader would skip, with their bytes.
"""

from collections.abc import Iterator

from attrs import evolve, field, frozen

from kchat.cli.formats.entries import Entry, Place, Placed, Poison
from kchat.cli.horizon import Horizon
from kchat.conversation.sync_cursor import answering
from kchat.core import (
    NOTHING_KNOWN,
    Corrupt,
    Delivery,
    Failed,
    FromBeginning,
    FromPositions,
    JsonDecoder,
    Log,
    Message,
    ReadRequest,
    Record,
    Slice,
    carry_out,
    onward,
    read_error,
)

PAGE_MESSAGES = 1_000


@frozen
class Kept:
    """A record's bytes, and the message that it is or why it is none.

    `type` and `id` are the message's: by them the core knows removals and what they remove.
    """

    value: bytes | None = field(repr=False)
    message: Message | None
    reason: str = ""

    @property
    def type(self) -> str:
        """The message's type."""
        return "" if self.message is None else self.message.type

    @property
    def id(self) -> str | None:
        """The message's own id."""
        return None if self.message is None else self.message.id


@frozen
class KeepingDecoder:
    """Hands out every record, so that poison keeps its place among the messages."""

    def decode(self, record: Record) -> Kept:
        """The message or the reason, with the bytes."""
        message = JsonDecoder().decode(record)
        if isinstance(message, Corrupt):
            return Kept(record.value, None, message.reason)
        return Kept(record.value, message)


@frozen(kw_only=True)
class Part:
    """A run of a conversation.

    `records` is how many there are in all parts, gaps counted in: what a progress bar needs. `exists`:
    without a topic there are no entries, and no places.
    """

    entries: tuple[Entry, ...]
    topic_id: str | None
    exists: bool
    records: int


def whole_read(
    log: Log, *, session: str, topic: str, since_ms: int | None = None, until_ms: int | None = None
) -> Iterator[Part]:
    """All of a conversation, at least one part.

    Raises:
        ReadFailed: the broker cannot be reached, denies it, or the topic was replaced in between.
    """
    request = ReadRequest(
        topic=topic, start=FromBeginning(), decoder=KeepingDecoder(), since_ms=since_ms, until_ms=until_ms
    )
    known, horizon, records = NOTHING_KNOWN, None, 0
    messages_max: int | None = PAGE_MESSAGES
    while True:
        found = carry_out(onward(request, messages_max, known), answering(log))
        if isinstance(found, Failed):
            raise read_error(found.failure, session, topic)
        page, known = found
        if horizon is None:
            horizon = Horizon.at(known.end)  # where the removals behind this page were looked for
            records = sum(p.offset for p in known.end) - sum(p.offset for p in page.begin)
        yield _part(page, horizon, records)
        if not page.newer or horizon.reached(page.end):
            return
        messages_max = horizon.page_max(page.deliveries, PAGE_MESSAGES)
        request = evolve(
            request,
            start=FromPositions(page.end, page.topic_id),
            resent_before=request.resent_before | page.resent,
        )


def _part(page: Slice[Kept], horizon: Horizon, records: int) -> Part:
    entries = tuple(map(_entry, filter(horizon.covers, page.deliveries)))
    return Part(entries=entries, topic_id=page.topic_id, exists=page.exists, records=records)


def _entry(delivery: Delivery[Kept]) -> Entry:
    place = Place(partition=delivery.partition, offset=delivery.offset, timestamp_ms=delivery.timestamp_ms)
    kept = delivery.message
    if kept.message is None:
        return Poison(place, kept.reason, kept.value)
    return Placed(place, kept.message, delivery.message_id, kept.value or b"")
