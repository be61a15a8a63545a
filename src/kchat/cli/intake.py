"""An import: each message of a source once, behind what the session holds.

What is there already is known by its id, so an import can be repeated, and one that was stopped goes on. If
something of it is there, its first batch is marked as resent (docs/adr/0013-second-copies.md): of an import
that was killed, the last records may still arrive while this one runs, and readers drop the second copies.
One that was killed before any of it was there looks like none, and nothing is marked: reads of the whole drop
second copies of that, too.
"""

import re

from attrs import define, evolve, field, frozen

from kchat.cli.formats.entries import Source, Sourced, Unusable
from kchat.cli.formats.losses import Losses
from kchat.cli.held import Held, short
from kchat.cli.identity import Chain, digest
from kchat.core import (
    AppendRequest,
    Log,
    Message,
    NewRecord,
    TopicSettings,
    Unknown,
    Unstorable,
    acknowledged,
    encode,
    find_unstorable,
    place,
)
from kchat.core.wire import is_removal

BATCH_RECORDS = 1_000
BATCH_BYTES = 4_000_000
BATCH_MS_MAX = 30_000
"""How long one batch may take; a leader's death costs 12 s with default brokers (measured)."""

BY_PLACE = re.compile(r"kchat:\d+:\d+")
"""How a removal names a record by its place, as `Conversation.redact` does."""

ATTEMPTS_MAX = 3
"""How often a batch is sent that may be stored: readers drop second copies."""


@define
class Counts:
    """What an import did.

    Attributes:
        read: the messages of the source.
        there: those that the session has already.
        copies: those that the source has a second time, under one id.
        lacking: those that it did not have.
        appended: those of them that are acknowledged now.
        between: messages of other origin between the first and the last of the source's that were there.
        late: messages that now stand behind later ones of the source, which were there before them.
    """

    read: int = 0
    there: int = 0
    copies: int = 0
    lacking: int = 0
    appended: int = 0
    between: int = 0
    late: int = 0
    _first: int | None = None
    _last: int = 0

    def found(self, index: int) -> None:
        """The session has this one, at this place of its order."""
        self.there += 1
        self._first = index if self._first is None else min(self._first, index)
        self._last = max(self._last, index)
        self.between = self._last - self._first + 1 - self.there
        self.late = self.lacking


@frozen(kw_only=True)
class Destination:
    """Where to append, and as what."""

    log: Log
    session: str
    settings: TopicSettings = field(factory=TopicSettings)
    dry_run: bool = False


@define
class Intake:
    """Takes one message after the other."""

    _to: Destination
    _held: Held
    _chain: Chain
    losses: Losses = field(factory=Losses)
    counts: Counts = field(factory=Counts)
    _taken: dict[str, int] = field(factory=dict)
    _batch: list[NewRecord] = field(factory=list)
    _bytes: int = 0

    def take(self, source: Source) -> None:
        """Append it, now or with its batch, unless it is there.

        Raises:
            AppendRefused, AppendUnknown: the batch is not known to be stored.
        """
        if isinstance(source, Unusable):
            self.losses.whole(source.reason, source.where)
            return
        self.counts.read += 1
        message = source.message
        if is_removal(message) and BY_PLACE.fullmatch(message.id or ""):
            self.losses.whole("a removal by place: it would remove another message here", source.where)
            return
        fault = find_unstorable(message.data)
        if fault is not None:
            self.losses.whole(fault.reason, source.where + fault.path)
            return
        said = digest(message)
        message_id = source.source_id or self._chain.next(said)
        if message_id in self._taken:
            self._taken_before(message_id, said, source)
            return
        self._taken[message_id] = short(said)
        index = self._held.index(message_id)
        if index is None:
            self._add(message_id, message, source)
        elif self._held.says(index, said):
            self.counts.found(index)
        else:
            self.losses.whole("another message of the session has its id", source.where)

    def end(self) -> None:
        """Append what is left. Raises as `take` does."""
        if self._batch:
            self._append()

    def _taken_before(self, message_id: str, said: bytes, source: Sourced) -> None:
        if self._taken[message_id] == short(said):
            self.counts.copies += 1
        else:
            self.losses.whole("another message of the source has its id", source.where)

    def _add(self, message_id: str, message: Message, source: Sourced) -> None:
        record = encode(message, key=place(self._to.session).key, message_id=message_id)
        if isinstance(record, Unstorable):
            self.losses.whole(record.reason, source.where + record.path)
            return
        if record.size_bytes_max > self._to.log.record_bytes_max:
            self.losses.whole("its record would be larger than the client takes", source.where)
            return
        self.counts.lacking += 1
        if source.timed:
            self.losses.part("record time", source.where)
        if self._to.dry_run:
            return
        full = len(self._batch) >= BATCH_RECORDS or self._bytes + record.size_bytes > BATCH_BYTES
        if self._batch and full:
            self._append()
        self._batch.append(record)
        self._bytes += record.size_bytes

    def _append(self) -> None:
        goes_on = self.counts.there and not self.counts.appended
        records = tuple([record.resent() for record in self._batch] if goes_on else self._batch)
        placement = place(self._to.session)
        request = AppendRequest(
            topic=placement.topic,
            records=records,
            settings=self._to.settings,
            partition=placement.append_partition,
            wait_ms_max=BATCH_MS_MAX,
        )
        outcome = self._to.log.append(request)
        for _ in range(ATTEMPTS_MAX - 1):
            if isinstance(outcome, Unknown):
                outcome = self._to.log.append(evolve(request, records=outcome.records))
        acknowledged(outcome, session=self._to.session, topic=placement.topic)
        self.counts.appended += len(records)
        self._batch.clear()
        self._bytes = 0
