"""What `kchat verify` looks for, record by record. Pure.

A finding is what should not be there: it costs a message, or its place. A note is what Kafka does by itself,
or what kchat's reads are made for.
"""

from collections import Counter
from collections.abc import Callable

from attrs import define, field, frozen

from kchat.core import HEADER_ID, HEADER_RESENT, HEADER_VERSION, Corrupt, Record

FUTURE_MS = 60_000
"""A record so far ahead of this clock is told: the writer's clock and this one are not the same."""

BEFORE_KCHAT = "before kchat"


@frozen
class Remark:
    """Something that was seen; where it is one record, also where."""

    kind: str
    text: str
    partition: int | None = None
    offset: int | None = None


KEPT_MAX = 1_000
"""Remarks kept of each kind: a topic full of poison must not fill the memory. All are counted."""


@define
class Remarks:
    """What was seen, in its order: all counted by kind, the first of each kind kept."""

    counts: Counter[str] = field(factory=Counter, init=False)
    kept: list[Remark] = field(factory=list, init=False)

    def add(self, remark: Remark) -> None:
        """Count one more, and keep it if there are not too many of its kind."""
        self.counts[remark.kind] += 1
        if self.counts[remark.kind] <= KEPT_MAX:
            self.kept.append(remark)


def _never(_: Record) -> None:
    """No message is strange."""


@define
class Audit:
    """The sum of what was seen of one session.

    Args:
        key: the session's record key.
        fault: why a record is no message; None where it is one.
        now_ms: the time of day.
        strange: why a message is none to LangChain; None where it is one.
    """

    key: bytes
    fault: Callable[[Record], Corrupt | None]
    now_ms: int
    strange: Callable[[Record], Corrupt | None] = _never
    findings: Remarks = field(factory=Remarks, init=False)
    notes: Remarks = field(factory=Remarks, init=False)
    formats: Counter[str] = field(factory=Counter, init=False)
    records: Counter[int] = field(factory=Counter, init=False)
    messages: int = field(default=0, init=False)
    _keyed: set[int] = field(factory=set, init=False)
    _ids: dict[bytes, tuple[int, int]] = field(factory=dict, init=False)
    _last: dict[int, Record] = field(factory=dict, init=False)
    _gaps: Counter[int] = field(factory=Counter, init=False)
    _backwards: Counter[int] = field(factory=Counter, init=False)
    _future: int = field(default=0, init=False)

    def begin(self, partition: int, low: int) -> None:
        """A partition is read from its low watermark on."""
        if low:
            text = f"the first {low} offsets are gone: retention, or a clear that kept the topic"
            self.notes.add(Remark("expired", text, partition))

    def add(self, record: Record) -> None:
        """See the next record of its partition."""
        self.records[record.partition] += 1
        self._look_at_place(record)
        version = record.header(HEADER_VERSION)
        self.formats[BEFORE_KCHAT if version is None else _version(version)] += 1
        corrupt = self.fault(record)
        if corrupt is not None:
            self._find("poison", f"the record is no message: {corrupt.reason}", record)
            return
        self.messages += 1
        strange = self.strange(record)
        if strange is not None:
            told = f"show and export have this message, a history of LangChain cannot: {strange.reason}"
            self._find("langchain", told, record)
        if record.key == self.key:
            self._keyed.add(record.partition)
        elif record.key is not None:
            self._find("key", "the record has the key of another session", record)
        self._look_at_id(record)

    def end(self) -> None:
        """No record follows: what can be said of all of them."""
        if len(self._keyed) > 1:
            places = ", ".join(map(str, sorted(self._keyed)))
            text = f"messages are in partitions {places}: their order between those is by timestamp alone"
            self.findings.add(Remark("order", text))
        elif len(self.records) > 1:
            self.notes.add(
                Remark("order", "records without a key in several partitions: merged by timestamp")
            )
        for partition, offsets in sorted(self._gaps.items()):
            text = f"{offsets} offsets without a record: transactions, or compaction"
            self.notes.add(Remark("gaps", text, partition))
        for partition, steps in sorted(self._backwards.items()):
            text = f"timestamps go back at {steps} records: writers' clocks differ; the order is by offset"
            self.notes.add(Remark("clocks", text, partition))
        if self._future:
            text = f"{self._future} records are of the future: a writer's clock, or this one, is wrong"
            self.notes.add(Remark("clocks", text))

    def _look_at_place(self, record: Record) -> None:
        last = self._last.get(record.partition)
        self._last[record.partition] = record
        self._future += record.timestamp_ms > self.now_ms + FUTURE_MS
        if last is None:
            return
        if record.offset <= last.offset:
            self._find("order", f"the offset comes after {last.offset}", record)
        elif record.offset > last.offset + 1:
            self._gaps[record.partition] += record.offset - last.offset - 1
        if record.timestamp_ms < last.timestamp_ms:
            self._backwards[record.partition] += 1

    def _look_at_id(self, record: Record) -> None:
        message_id = record.header(HEADER_ID)
        if message_id is None:
            return
        first = self._ids.setdefault(message_id, (record.partition, record.offset))
        if first == (record.partition, record.offset):
            return
        again = f"the message of offset {first[1]} again"
        if record.header(HEADER_RESENT) is None:
            self._find(
                "duplicate",
                f"{again}, and not marked as resent: a read from a position may show both",
                record,
            )
        else:
            text = f"{again}, resent: reads drop it"
            self.notes.add(Remark("duplicate", text, record.partition, record.offset))

    def _find(self, kind: str, text: str, record: Record) -> None:
        self.findings.add(Remark(kind, text, record.partition, record.offset))


def _version(header: bytes) -> str:
    """A version that is a number as it is; any other bytes are somebody else's."""
    return f"version {int(header)}" if header.isdigit() and len(header) < 10 else "unknown version"
