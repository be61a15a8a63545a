"""Performs the commands that concern a consumer group's committed offsets, without ever joining the group."""

import time
from contextlib import suppress

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from kchat.core import BrokerError, CommitOffsets, CommittedOffset, DescribeTopic, ErrorKind, FetchCommitted
from kchat.io.clients import Client, Clients, Places, serve
from kchat.io.failing import FailedError

POLL_SECONDS = 0.0005
"""A commit takes 0.5 ms, and poll() without a message returns only when its time is over."""

Question = tuple[str, str, frozenset[int]]
"""A group, a topic and its partitions."""


class Cursors:
    """One call's cursor consumers, one for each group: leased when first needed."""

    def __init__(self, clients: Clients) -> None:
        self._pool = clients.cursors
        self._leased: dict[str, Client[Consumer]] = {}
        self._ahead: tuple[Question, tuple[CommittedOffset, ...]] | None = None

    def close(self) -> None:
        """Give the consumers back."""
        while self._leased:
            group, client = self._leased.popitem()
            denied = serve(client) is not None  # which it tells once: the next call needs to hear it
            for _, stored in client.commits:
                _answered(client, stored)
            client.commits.clear()  # the next call must not take them for the answers to its own commits
            if denied or client.unanswered:
                # A commit that was given up must not be made later: others may have read on by then.
                self._pool.discard(client)
            else:
                self._pool.give_back(group, client)

    def client(self, group: str) -> Client[Consumer] | None:
        """The group's consumer, if it is leased by now: to ask it what is wrong."""
        return self._leased.get(group)

    def fetch_ahead(self, command: DescribeTopic) -> bool:
        """Ask for what the machine will ask for next. What fails is asked for then: tell which it was."""
        self._ahead, group = None, command.committed_next
        if group is None:
            return False
        asked = FetchCommitted(
            group=group,
            topic=command.topic,
            partitions=command.listed_next,
            timeout_ms=command.timeout_ms,
        )
        with suppress(FailedError, KafkaException):
            committed = self.fetch_committed(asked)
            self._ahead = (_question(asked), committed)
        return self._ahead is not None

    def fetch_committed(self, command: FetchCommitted) -> tuple[CommittedOffset, ...]:
        """What the group has committed."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None and ahead[0] == _question(command):
            return ahead[1]
        end = time.monotonic() + command.timeout_ms / 1000
        client = self._consumer(command.group, command.timeout_ms / 1000)
        asked = [TopicPartition(command.topic, partition) for partition in command.partitions]
        try:
            answered = client.handle.committed(asked, timeout=max(0.001, end - time.monotonic()))
        except KafkaException:
            self._raise_denial(command.group, client, 0)
            raise
        for stored in answered:
            if stored.error is not None:
                raise KafkaException(stored.error)
        return tuple(
            CommittedOffset(stored.partition, stored.offset, stored.metadata or "")
            for stored in answered
            if stored.offset >= 0  # the client's mark for "none" is -1001
        )

    def commit(self, command: CommitOffsets) -> None:
        """Commit positions.

        Not with asynchronous=False, which blocks for 45 s when the group is denied, and not through the
        admin client, which aborts the process when the broker restarts (librdkafka PR 5397).
        """
        end = time.monotonic() + command.timeout_ms / 1000
        client = self._consumer(command.group, command.timeout_ms / 1000)
        offsets = [
            TopicPartition(command.topic, stored.partition, stored.offset, metadata=stored.metadata)
            for stored in command.offsets
        ]
        if _places(offsets) not in client.unanswered:  # else it is on its way since the last slice
            client.unanswered.append(_places(offsets))
            client.handle.commit(offsets=offsets, asynchronous=True)
        while time.monotonic() < end:
            self._raise_denial(command.group, client, POLL_SECONDS)
            while client.commits:
                error, stored = client.commits.pop(0)
                _answered(client, stored)
                if _places(stored) == _places(offsets):
                    _raise_first(error, stored)
                    return
        raise FailedError(BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "the commit was not answered"))

    def settle(self, group: str, timeout_seconds: float) -> None:
        """Wait until the commits that were given up are answered.

        A client that still looks for the group's coordinator may send two commits in another order.
        """
        end = time.monotonic() + timeout_seconds
        client = self._leased.get(group)
        while client is not None and client.unanswered and time.monotonic() < end:
            self._raise_denial(group, client, POLL_SECONDS)
            while client.commits:
                _, stored = client.commits.pop(0)
                _answered(client, stored)

    def _consumer(self, group: str, timeout_seconds: float) -> Client[Consumer]:
        if group not in self._leased:
            leased = self._pool.lease(group, timeout_seconds)
            if leased is None:
                raise FailedError(
                    BrokerError(ErrorKind.TRANSIENT, "POOL_EXHAUSTED", "all cursors are in use")
                )
            self._leased[group] = leased
        return self._leased[group]

    def _raise_denial(self, group: str, client: Client[Consumer], timeout_seconds: float) -> None:
        """A denied group answers no call: it is told once, by an event that only poll() brings."""
        event = client.handle.poll(timeout_seconds)
        error = None if event is None else event.error()
        if error is not None and error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            client.unanswered.clear()  # denied: none of them will be made
            self._pool.discard(self._leased.pop(group))  # the next call needs one that tells it again
            raise KafkaException(error)


def _question(command: FetchCommitted) -> Question:
    return command.group, command.topic, frozenset(command.partitions)


def _places(offsets: list[TopicPartition]) -> Places:
    return frozenset((place.topic, place.partition, place.offset) for place in offsets)


def _answered(client: Client[Consumer], stored: list[TopicPartition]) -> None:
    if _places(stored) in client.unanswered:
        client.unanswered.remove(_places(stored))


def _raise_first(error: KafkaError | None, stored: list[TopicPartition]) -> None:
    """The commit's own error, or that of one partition."""
    for found in (error, *(place.error for place in stored)):
        if found is not None:
            raise KafkaException(found)
