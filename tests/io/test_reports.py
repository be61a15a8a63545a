"""The reports of a call, and the turn of serving a client that many calls share."""

import time
from threading import Thread

import pytest

from kchat.core import Acknowledged, BrokerError, ErrorKind
from kchat.io.reports import LOST_SECONDS, Reports, Serving

DONE = Acknowledged(0, 0)


def test_who_waits_is_woken_by_the_last_report() -> None:
    reports = Reports(2)
    seen: list[bool] = []

    def wait() -> None:
        reports.wait(10)
        seen.append(reports.complete)

    waiting = Thread(target=wait)
    waiting.start()
    reports.set(1, DONE)
    assert not reports.complete
    assert waiting.is_alive()
    reports.set(0, DONE)
    waiting.join(5)
    assert seen == [True]


def test_a_second_report_of_a_record_is_not_another_records() -> None:
    reports = Reports(2)
    reports.set(0, DONE)
    reports.set(0, Acknowledged(0, 7))
    assert not reports.complete
    assert reports.as_tuple() == (Acknowledged(0, 7), None)


def test_one_serves_and_the_next_is_called_when_it_ends() -> None:
    serving, first, second = Serving(), Reports(1), Reports(1)
    assert serving.begin(first, 10)
    assert not serving.begin(second, 10)
    serving.end()
    begun = time.monotonic()
    second.wait(5)  # it was called
    assert time.monotonic() - begun < 4
    assert serving.begin(second, 10)


def test_one_who_is_called_and_is_done_calls_the_next() -> None:
    serving, first, done, last = Serving(), Reports(1), Reports(1), Reports(1)
    assert serving.begin(first, 10)
    assert not serving.begin(done, 10)
    assert not serving.begin(last, 10)
    serving.end()
    done.set(0, DONE)
    serving.leave(done)
    assert last._woken.acquire(timeout=0)


def test_one_who_leaves_by_itself_calls_nobody_and_is_not_called() -> None:
    serving, first, leaves, last = Serving(), Reports(1), Reports(1), Reports(1)
    assert serving.begin(first, 10)
    assert not serving.begin(leaves, 10)
    assert not serving.begin(last, 10)
    serving.leave(leaves)
    assert not last._woken.acquire(timeout=0)
    serving.end()
    assert last._woken.acquire(timeout=0)


def test_a_turn_that_was_never_ended_is_over_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("kchat.io.reports.time.monotonic", lambda: clock[0])
    serving = Serving()
    assert serving.begin(Reports(1), 0.02)
    clock[0] += 0.02 + LOST_SECONDS / 2
    assert not serving.begin(Reports(1), 0.02)
    clock[0] += LOST_SECONDS
    assert serving.begin(Reports(1), 0.02)


def test_who_waits_is_woken_when_all_that_was_handed_over_is_reported() -> None:
    reports = Reports(3)
    reports.handed = 1
    assert (reports.idle, reports.complete) == (False, False)
    reports.set(0, DONE)
    assert (reports.idle, reports.complete) == (True, False)
    assert reports._woken.acquire(timeout=0)


def test_what_is_not_sent_is_reported_as_what_came_before_it() -> None:
    reports = Reports(3)
    reports.handed = 1
    failed = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT")
    reports.set_rest(1, failed)
    assert reports.as_tuple() == (None, failed, failed)
    reports.set(0, DONE)
    assert reports.complete
    assert reports.as_tuple() == (DONE, failed, failed)


def test_callbacks_of_several_threads_are_all_counted() -> None:
    reports = Reports(4_000)
    reports.handed = 4_000

    def call_back(first: int) -> None:
        for index in range(first, 4_000, 4):
            reports.set(index, DONE)

    threads = [Thread(target=call_back, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reports.complete
