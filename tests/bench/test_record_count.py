from types import SimpleNamespace
from typing import Any

from bench.record_count import counting_records

from kchat.io import reads


def message() -> Any:
    return SimpleNamespace(
        partition=lambda: 0,
        offset=lambda: 7,
        timestamp=lambda: (1, 0),
        key=lambda: b"k",
        value=lambda: b"v",
        headers=list,
    )


def test_records_are_counted_while_it_is_open_and_stay_what_they_are() -> None:
    original = reads.record_of
    with counting_records() as counted:
        assert reads.record_of(message()).offset == 7
        reads.record_of(message())
    reads.record_of(message())
    assert counted.count == 2
    assert reads.record_of is original
