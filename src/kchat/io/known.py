"""Which topics a log has seen: an append need not ask first, and a read may expect its own topic."""

from collections import OrderedDict
from threading import Lock
from typing import Any

from attrs import frozen

from kchat.core import (
    Appended,
    AppendOutcome,
    Complete,
    CursorGone,
    CursorsListed,
    ErrorKind,
    Failed,
    ListCursors,
    ProvisionOutcome,
    ProvisionRequest,
    ReadOutcome,
    RemoveCursor,
    TopicFailed,
    TopicGone,
    TopicReady,
    TopicTruncated,
)

KNOWN_TOPICS_MAX = 10_000
"""One that is forgotten costs a metadata request, 0.3 ms; one that is kept costs about 250 bytes."""


@frozen
class Known:
    """What is known of a topic. `ours`: this log has written to it or created it."""

    ours: bool = False
    partitions: tuple[int, ...] = ()


class KnownTopics:
    """A bounded memory of topics that were there. It may be wrong: another process may delete one."""

    def __init__(self, size: int = KNOWN_TOPICS_MAX) -> None:
        self._size = size
        self._topics: OrderedDict[str, Known] = OrderedDict()
        self._lock = Lock()

    def __contains__(self, topic: str) -> bool:
        """Whether this log made it what it is: then a broker that does not know it is behind."""
        return self._get(topic).ours

    def partitions(self, topic: str) -> tuple[int, ...]:
        """Its partitions, as far as they are known."""
        return self._get(topic).partitions

    def learn_append(self, topic: str, outcome: AppendOutcome) -> None:
        """An acknowledged record proves its topic."""
        if isinstance(outcome, Appended):
            if outcome.places:  # an append of nothing asked nobody
                self._set(topic, there=True)
        elif outcome.error.kind is ErrorKind.UNKNOWN_TOPIC:
            self._set(topic, there=False)

    def learn_read(self, topic: str, outcome: ReadOutcome[Any], partition: int | None = None) -> None:
        """A read that found no partitions found no topic; one that is of all of them tells what they are."""
        if (isinstance(outcome, Complete) and not outcome.progress.positions) or (
            isinstance(outcome, Failed)
            and getattr(outcome.failure, "kind", None) is ErrorKind.UNKNOWN_TOPIC
            and getattr(outcome.failure, "code", None) != "_UNKNOWN_PARTITION"
        ):
            self._set(topic, there=False)
        elif outcome.progress.positions and partition is None:
            partitions = tuple(p.partition for p in outcome.progress.positions)
            self._set(topic, there=True, ours=False, partitions=partitions)

    def learn_provision(self, request: ProvisionRequest, outcome: ProvisionOutcome) -> None:
        """The topic is there, or it is gone; cursors say nothing of it."""
        if isinstance(request, ListCursors | RemoveCursor):
            return
        topic = request.topic
        match outcome:
            case TopicReady(partitions=partitions):
                self._set(topic, there=True, partitions=partitions)
            case TopicGone():
                self._set(topic, there=False)
            case TopicTruncated() | TopicFailed() | CursorsListed() | CursorGone():
                pass  # nothing was learned

    def _get(self, topic: str) -> Known:
        with self._lock:
            return self._topics.get(topic, Known())

    def _set(self, topic: str, *, there: bool, ours: bool = True, partitions: tuple[int, ...] = ()) -> None:
        with self._lock:
            known = self._topics.pop(topic, Known())
            if there:
                self._topics[topic] = Known(known.ours or ours, partitions or known.partitions)
                if len(self._topics) > self._size:
                    self._topics.popitem(last=False)
