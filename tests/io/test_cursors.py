"""What one call leaves in a cursor's consumer must not be the next call's answer."""

from typing import Any, cast

import pytest
from confluent_kafka import TopicPartition

from kchat.core import CommitOffsets, CommittedOffset
from kchat.io.clients import Client, Clients
from kchat.io.cursors import Cursors
from kchat.io.failing import FailedError
from kchat.io.pool import Pool
from kchat.io.translate import Complaints


class LateHandle:
    """A consumer whose broker answers a commit when the test says so."""

    def __init__(self) -> None:
        self.client: Client[Any] = Client(self, Complaints("nowhere"))
        self.sent: list[list[TopicPartition]] = []
        self.answers: list[tuple[None, list[TopicPartition]]] = []

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> None:
        assert asynchronous
        self.sent.append(offsets)

    def poll(self, _: float) -> None:
        self.client.commits += self.answers
        self.answers = []


class OneClient:
    def __init__(self, handle: LateHandle) -> None:
        self.cursors = Pool(1, lambda _: handle.client, lambda _: None)


def test_an_answer_that_came_too_late_is_not_the_next_calls() -> None:
    handle = LateHandle()
    clients = cast(Clients, OneClient(handle))
    commit = CommitOffsets(group="g", topic="t", offsets=(CommittedOffset(0, 5),), before=(), timeout_ms=20)
    first, second = Cursors(clients), Cursors(clients)
    with pytest.raises(FailedError):
        first.commit(commit)
    handle.answers.append((None, handle.sent[0]))
    first.close()
    with pytest.raises(FailedError):
        second.commit(commit)
    assert len(handle.sent) == 2
