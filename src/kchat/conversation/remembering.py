"""What a log remembers of removals, so that an object per request pays for a look at a conversation once.

It is bounded in both ways that it could grow: by conversations, and by what their markers take.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any

from attrs import define, field

from kchat.core import NOTHING_KNOWN, Decoder, Known, Log, Placement, RemovalsKnown, Subject

SUBJECTS_MAX = 10_000
"""Conversations. One that is forgotten costs the next reader from its middle a look at what is behind."""

BYTES_MAX = 32 << 20
"""What all of it may take, as `_size` counts it: the markers of about 100,000 removals."""

SUBJECT_BYTES = 1_000
"""What one conversation takes without any marker, roughly: positions, names and the like."""


class RemovalsRemembered:
    """The memory of one log, in one process. Safe to use from several threads; what was used last stays."""

    def __init__(self, subjects_max: int = SUBJECTS_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._subjects_max, self._bytes_max = subjects_max, bytes_max
        self._known: OrderedDict[Subject, Known] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<removals of {len(self._known)} conversations>"

    def recall(self, subject: Subject) -> Known | None:
        """What is known, None where nothing is."""
        with self._lock:
            known = self._known.get(subject)
            if known is not None:
                self._known.move_to_end(subject)
            return known

    def learn(self, subject: Subject, before: Known, after: Known) -> Known:
        """Keep what a read knew `after`, given what it knew `before`; what is known by now.

        What another read has told meanwhile is kept, too. What is too large is not, and nothing without a
        topic id: the next topic of the name could not be told from this one.
        """
        if not after.topic_id:
            return after
        with self._lock:
            current = self._known.get(subject)
            if current is not None and current is not before:
                after = current.joined(after)
            if current is not None:
                self._forget(subject)
            if _size(after) <= self._bytes_max:
                self._known[subject] = after
                self._bytes += _size(after)
            while len(self._known) > self._subjects_max or self._bytes > self._bytes_max:
                self._forget(next(iter(self._known)))
            return after

    def _forget(self, subject: Subject) -> None:
        self._bytes -= _size(self._known.pop(subject))


@define
class Memory:
    """What one conversation object knows of its removals: what its log remembers.

    It has the last that it learnt itself, too, for the log may have forgotten it.
    """

    log: Log
    subject: Subject
    own: Known = field(default=NOTHING_KNOWN, init=False)

    @property
    def known(self) -> Known:
        """What a read begins with."""
        found = self._shared.recall(self.subject)
        return self.own if found is None else found

    def learn(self, before: Known, after: Known) -> None:
        """What a read came to know, given what it began with. A whole value: threads and tasks may race.

        Nothing where the broker keeps no topic ids: the next read may be of the next topic of this name.
        """
        if after is not before:
            learnt = self._shared.learn(self.subject, before, after)
            self.own = learnt if learnt.topic_id else NOTHING_KNOWN

    @property
    def _shared(self) -> RemovalsKnown:
        # Asked for each time: in a child process the log has another one, whose lock no thread of the
        # parent's had at the fork.
        return self.log.removals_known


def memory_of(log: Log, placement: Placement, decoder: Decoder[Any]) -> Memory:
    """What is known of the removals of one session, as this decoder reads it."""
    subject = Subject(placement.topic, placement.key_filter, placement.partition, decoder)
    return Memory(log, subject)


def _size(known: Known) -> int:
    return SUBJECT_BYTES + known.removals.size
