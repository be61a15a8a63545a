"""Counts the records that kchat takes from its consumers."""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import define
from confluent_kafka import Message

from kchat.core import Record
from kchat.io import reads


@define
class RecordCount:
    """How many there were so far."""

    count: int = 0


@contextmanager
def counting_records() -> Iterator[RecordCount]:
    """Count as long as this is open."""
    counted, original = RecordCount(), reads.record_of

    def record_of(message: Message) -> Record:
        counted.count += 1
        return original(message)

    reads.record_of = record_of
    try:
        yield counted
    finally:
        reads.record_of = original
