import pytest
from bench.measuring import NotDoneError
from bench.workloads.w11_machine import FETCHED, RECORDS, append, read, read_events

from kchat.core import Acknowledged, AppendRequest, NewRecord, Produced


def test_all_records_are_handed_out() -> None:
    events = read_events()
    assert len(events) == 2 + RECORDS // FETCHED
    assert read(events) == RECORDS


def test_a_read_that_did_not_end_is_no_figure() -> None:
    with pytest.raises(NotDoneError, match="Fetch"):
        read(read_events()[:-1])


def test_an_append_that_is_not_reported_is_no_figure() -> None:
    request = AppendRequest(topic="t", records=(NewRecord(b"k", b"{}"),), topic_known=True, partition=0)
    append(request, Produced(at_ms=1, reports=(Acknowledged(0, 0),)))
    with pytest.raises(NotDoneError, match="AwaitReports"):
        append(request, Produced(at_ms=1, reports=(None,)))
