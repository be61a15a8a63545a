"""What `kchat verify` finds, and what it only notes."""

from __future__ import annotations

from collections import Counter

import pytest

from kchat.cli import verify
from kchat.cli.auditing import KEPT_MAX, Audit
from kchat.core import HEADER_ID, HEADER_RESENT, HEADER_VERSION, Corrupt, JsonDecoder, Record, place

VALUE = b'{"type": "human", "data": {"content": "x"}}'
NOW_MS = 1_000_000


def fault(record: Record) -> Corrupt | None:
    decoded = JsonDecoder().decode(record)
    return decoded if isinstance(decoded, Corrupt) else None


def record(
    offset: int,
    *,
    partition: int = 0,
    key: bytes | None = b"s",
    value: bytes | None = VALUE,
    timestamp_ms: int = 0,
    message_id: bytes | None = None,
    version: bytes | None = b"1",
    resent: bool = False,
) -> Record:
    headers = [(HEADER_VERSION, version), (HEADER_ID, message_id), (HEADER_RESENT, b"" if resent else None)]
    told = tuple((name, content) for name, content in headers if content is not None)
    return Record(partition, offset, timestamp_ms, key, value, told)


def audited(*records: Record) -> Audit:
    audit = Audit(b"s", fault, NOW_MS)
    audit.begin(0, 0)
    for one in records:
        audit.add(one)
    audit.end()
    return audit


def kinds(audit: Audit) -> tuple[list[str], list[str]]:
    return [remark.kind for remark in audit.findings.kept], [remark.kind for remark in audit.notes.kept]


@pytest.mark.parametrize(
    ("records", "findings", "notes"),
    [
        ([record(0), record(1)], [], []),
        ([record(0, value=b"\x1b[31m")], ["poison"], []),
        ([record(0, value=None)], ["poison"], []),
        ([record(0, version=b"2")], ["poison"], []),
        ([record(0, key=b"other")], ["key"], []),
        ([record(0, key=None, version=None)], [], []),
        ([record(0, message_id=b"a"), record(1, message_id=b"a")], ["duplicate"], []),
        ([record(0, message_id=b"a"), record(1, message_id=b"a", resent=True)], [], ["duplicate"]),
        ([record(0, message_id=b"a"), record(1, message_id=b"b")], [], []),
        ([record(0), record(0, partition=1)], ["order"], []),
        ([record(0, key=None), record(0, partition=1, key=None)], [], ["order"]),
        ([record(1), record(0)], ["order"], []),
        ([record(0), record(3)], [], ["gaps"]),
        ([record(0, timestamp_ms=9), record(1, timestamp_ms=5)], [], ["clocks"]),
        ([record(0, timestamp_ms=NOW_MS + 60_001)], [], ["clocks"]),
        ([record(0, timestamp_ms=NOW_MS + 60_000)], [], []),
    ],
)
def test_each_fault_is_a_finding_or_a_note(
    records: list[Record], findings: list[str], notes: list[str]
) -> None:
    assert kinds(audited(*records)) == (findings, notes)


def test_a_remark_says_where_and_quotes_no_content() -> None:
    audit = audited(record(0), record(7, value=b"hunter2"))
    (poison,) = audit.findings.kept
    assert (poison.partition, poison.offset) == (0, 7)
    assert poison.text == "the record is no message: not JSON, at character 0"
    assert audit.notes.kept[0].text == "6 offsets without a record: transactions, or compaction"


@pytest.mark.parametrize(
    "value",
    [
        b'{"type": "human", "data": {"content": 5}}',
        b'{"type": "human", "data": {"content": "x", "type": "ai"}}',
        b'{"type": "ai", "data": {"content": "x", "tool_calls": "no"}}',
    ],
)
def test_a_message_that_langchain_cannot_have_is_a_finding_of_its_own(value: bytes) -> None:
    audit = Audit(b"s", verify._fault, NOW_MS, verify._strange)
    audit.add(record(0, value=value))
    audit.add(record(1))
    audit.add(record(2, value=b"hunter2"))
    assert kinds(audit)[0] == ["langchain", "poison"]
    assert audit.messages == 2
    assert "x" not in audit.findings.kept[0].text.split()


def test_formats_records_and_messages_are_counted() -> None:
    audit = audited(
        record(0, version=None), record(1), record(2, version=b"9"), record(3, version=b"\x1b[2J")
    )
    assert audit.messages == 2
    assert audit.records == Counter({0: 4})
    assert audit.formats == {"before kchat": 1, "version 1": 1, "version 9": 1, "unknown version": 1}


def test_what_retention_has_taken_is_a_note() -> None:
    audit = Audit(b"s", fault, NOW_MS)
    audit.begin(0, 12)
    audit.end()
    assert kinds(audit) == ([], ["expired"])
    assert audit.notes.kept[0].text.startswith("the first 12 offsets are gone")


def test_a_topic_full_of_poison_is_counted_and_not_kept(capsys: pytest.CaptureFixture[str]) -> None:
    count = KEPT_MAX + 234
    poison = [record(offset, value=b"no") for offset in range(count)]
    copies = [record(count + n, message_id=b"a", resent=True) for n in range(count + 1)]
    audit = audited(*poison, *copies, record(2 * count + 1, key=b"other"))
    assert kinds(audit) == (["poison"] * KEPT_MAX + ["key"], ["duplicate"] * KEPT_MAX)
    document = verify._document("s", place("s"), audit)
    assert len(document["findings"]) == KEPT_MAX + 1
    assert document["finding_counts"] == {"poison": count, "key": 1}
    assert document["note_counts"] == {"duplicate": count}
    verify._print("s", place("s"), audit)
    shown = capsys.readouterr().out.splitlines()
    assert f"... and {count - verify.SHOWN_MAX:,} more findings of this kind (poison)" in shown
    assert sum(line.startswith("finding: ") for line in shown) == verify.SHOWN_MAX + 1
    assert sum(line.startswith("note: ") for line in shown) == verify.SHOWN_MAX
