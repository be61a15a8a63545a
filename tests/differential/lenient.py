"""Fake clusters that are more lenient than Kafka, each in one place: the comparison must notice every one."""

from kchat.core import (
    CommitOffsets,
    DeleteTopic,
    Event,
    Fetch,
    Fetched,
    OffsetsCommitted,
    RequestFailed,
    TopicDeleted,
)
from kchat.testing import FakeCluster


class CommitsAnywhere(FakeCluster):
    """Takes a commit for a topic or partition that is not there."""

    def _commit(self, command: CommitOffsets) -> Event:
        event = super()._commit(command)
        return OffsetsCommitted(at_ms=self.now_ms) if isinstance(event, RequestFailed) else event


class ReadsBeyondTheEnd(FakeCluster):
    """Finds nothing at a position that the log does not have, where Kafka says so."""

    def _fetch(self, command: Fetch) -> Event:
        event = super()._fetch(command)
        if isinstance(event, RequestFailed):
            return Fetched(at_ms=self.now_ms, records=(), positions=command.positions)
        return event


class DeletesTwice(FakeCluster):
    """Deletes a topic that is not there."""

    def _delete(self, command: DeleteTopic) -> Event:
        return (
            TopicDeleted(at_ms=self.now_ms) if command.topic not in self.topics else super()._delete(command)
        )


LENIENT = (CommitsAnywhere, ReadsBeyondTheEnd, DeletesTwice)
