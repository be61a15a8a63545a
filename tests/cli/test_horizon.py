"""Reads of many pages end where the log ended when they began, while somebody writes without pause."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TypeVar

import pytest

from kchat.cli import held, whole_reads
from kchat.cli.held import held_by
from kchat.cli.whole_reads import whole_read
from kchat.testing import FakeBroker
from tests.cli.running import document, invoke

if TYPE_CHECKING:
    from kchat.core import ReadOutcome, ReadRequest

M = TypeVar("M")

READS_MAX = 60
"""Far more than any read here needs; one that follows the writer would go on for ever."""

PAGE = 3
THERE = [str(number) for number in range(10)]
ROUND = ["later"] * 2 * PAGE
"""What the writer appends after each read. A page is two: its own, and one for removals behind it."""


class WrittenBroker(FakeBroker):
    """A client of a cluster on which somebody appends more than a page after each read of session s."""

    reads = 0

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """Read, and let the writer go on."""
        self.reads += 1
        assert self.reads < READS_MAX, "it follows the writer"
        outcome = super().read(request)
        for text in ROUND if request.topic == "s" else ():
            inject(self, "s", text)
        return outcome


@pytest.fixture
def written(fake: FakeBroker, monkeypatch: pytest.MonkeyPatch) -> WrittenBroker:
    """Session s has ten messages, and a writer."""
    monkeypatch.setattr(whole_reads, "PAGE_MESSAGES", PAGE)
    monkeypatch.setattr(held, "PAGE_RECORDS", PAGE)
    broker = WrittenBroker()
    broker.cluster = fake.cluster
    monkeypatch.setattr(fake, "reopened", lambda: broker)
    fake.cluster.create("s", partitions=2)
    return broker


def inject(broker: FakeBroker, topic: str, text: str, partition: int = 0, ahead_ms: int = 0) -> None:
    value = json.dumps({"type": "human", "data": {"content": text}}).encode()
    broker.cluster.inject(topic, value, partition=partition, timestamp_ms=broker.cluster.now_ms + ahead_ms)


def fill(broker: FakeBroker) -> None:
    for text in THERE:
        inject(broker, "s", text)


def test_an_export_ends_where_the_log_ended(written: WrittenBroker) -> None:
    fill(written)
    result = invoke("export", "s")
    assert result.exit_code == 0
    told = [json.loads(line) for line in result.stdout.splitlines()[1:-1]]
    assert [line["message"]["data"]["content"] for line in told] == [*THERE, *ROUND]


def test_what_a_progress_bar_is_told_stays(written: WrittenBroker) -> None:
    fill(written)
    assert {part.records for part in whole_read(written, session="s", topic="s")} == {len(THERE + ROUND)}


def test_an_import_from_a_topic_ends_where_that_ended(written: WrittenBroker) -> None:
    fill(written)
    report = document(invoke("import", "--from-topic", "s", "--session", "new", "--json"))
    assert report["appended"] == report["read"] == len(THERE + ROUND)


def test_what_a_session_holds_is_what_it_held(written: WrittenBroker) -> None:
    fill(written)
    assert len(THERE) <= len(held_by(written, session="s", topic="s")) < len(THERE) + PAGE


def test_a_partition_whose_clock_is_ahead_keeps_nothing_from_ending(written: WrittenBroker) -> None:
    """Its records stand behind all that the writer appends to the other one."""
    fill(written)
    for text in ("ahead", "far ahead"):
        inject(written, "s", text, partition=1, ahead_ms=10**9)
    result = invoke("export", "s")
    told = [json.loads(line) for line in result.stdout.splitlines()[1:-1]]
    texts = [line["message"]["data"]["content"] for line in told]
    assert [text for text in texts if text != "later"] == [*THERE, "ahead", "far ahead"]
    written.reads = 0
    assert len(held_by(written, session="s", topic="s")) > len(THERE)
