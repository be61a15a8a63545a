"""Children tell what they saw until they are killed; a child that does not end is noticed."""

import os
import time

import pytest

from tests.proof.offspring import Offspring, Tell


def count(tell: Tell, number: int) -> None:
    for said in range(number):
        tell.send(said)


def count_for_ever(tell: Tell) -> None:
    tell.send(os.getpid())
    while True:
        tell.send(None)
        time.sleep(0.001)


def sleep(_: Tell) -> None:
    time.sleep(60)


def test_a_child_that_ends_has_told_everything() -> None:
    assert Offspring(count, 1_000).wait(60.0) == list(range(1_000))


def test_a_killed_child_is_gone_and_what_it_told_is_kept() -> None:
    child = Offspring(count_for_ever)
    while len(child.said) < 10:
        time.sleep(0.001)
    pid, *rest = child.kill()
    assert set(rest) == {None}
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_does_not_end_is_killed_and_fails() -> None:
    with pytest.raises(AssertionError, match=r"did not end within 0\.2 s"):
        Offspring(sleep).wait(0.2)
