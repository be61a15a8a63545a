"""What is known of a conversation's removals: stretches of its log, and every marker that is in them.

All of it is one value that is replaced whole: no thread and no cancelled call can leave half of it.
"""

from typing import Any

from attrs import evolve, frozen

from kchat.core.log import Position
from kchat.core.removals import NO_REMOVALS, Removals

Positions = tuple[Position, ...]

STRETCHES_MAX = 4
"""Readers that began so far from one another that nobody has seen what lies between; the oldest goes."""


@frozen
class Stretch:
    """A run of the log of which all markers are known: from `begin` up to `end`, partition by partition."""

    begin: Positions
    end: Positions

    def spans(self, positions: Positions) -> bool:
        """Whether it goes on from these positions."""
        begin, end = _offsets(self.begin), _offsets(self.end)
        return bool(positions) and all(
            p.partition in begin and begin[p.partition] <= p.offset <= end[p.partition] for p in positions
        )

    def reaches(self, ends: Positions) -> bool:
        """Whether it goes on to these ends."""
        end = _offsets(self.end)
        return all(end.get(p.partition, -1) >= p.offset for p in ends)

    def ends_behind(self, ends: Positions) -> bool:
        """Whether it goes on behind one of these ends."""
        end = _offsets(self.end)
        return any(end.get(p.partition, -1) > p.offset for p in ends)

    def joined(self, other: "Stretch") -> "Stretch | None":
        """Both as one; None where something lies between them, in any partition."""
        begin, end = _offsets(self.begin), _offsets(self.end)
        others_begin, others_end = _offsets(other.begin), _offsets(other.end)
        if begin.keys() != others_begin.keys() or any(
            begin[p] > others_end[p] or others_begin[p] > end[p] for p in begin
        ):
            return None
        return Stretch(
            tuple(Position(p, min(begin[p], others_begin[p])) for p in begin),
            tuple(Position(p, max(end[p], others_end[p])) for p in begin),
        )


@frozen(kw_only=True)
class Known:
    """The removals of some stretches of a log, for reads that need those behind what they show.

    Attributes:
        topic_id: the topic's. Without one nothing can be known for the next read.
        stretches: what was looked at; they do not touch one another.
        removals: at least all that are there.
    """

    topic_id: str | None = None
    stretches: tuple[Stretch, ...] = ()
    removals: Removals = NO_REMOVALS

    @property
    def end(self) -> Positions:
        """Where the stretch ends that was seen last."""
        return self.stretches[-1].end if self.stretches else ()

    def of(self, topic_id: str | None) -> "Known":
        """What of it is of this topic: all, or nothing."""
        return self if self.topic_id == topic_id else NOTHING_KNOWN

    def stretch_from(self, topic_id: str | None, positions: Positions) -> Stretch | None:
        """The stretch of this topic that goes on from these positions the furthest, if there is one."""
        spanning = [s for s in self.of(topic_id).stretches if s.spans(positions)]
        return max(spanning, key=lambda s: sum(_offsets(s.end).values()), default=None)

    def stretch_ahead(self, topic_id: str | None, positions: Positions) -> Stretch | None:
        """The next stretch of this topic that begins behind these positions, if there is one."""
        ahead = [s for s in self.of(topic_id).stretches if distance(positions, s.begin) > 0]
        return min(ahead, key=lambda s: distance(positions, s.begin), default=None)

    def seen(
        self, topic_id: str | None, stretch: Stretch, removals: Removals, *, to_end: bool = False
    ) -> "Known":
        """This, and what a read has seen since; `to_end`: the stretch ends where the log ended.

        A log that ends before what is known was cut, by an election that lost records: others will stand
        at those offsets, so nothing of what was known is kept.
        """
        before = self.of(topic_id) if topic_id else NOTHING_KNOWN
        if to_end and any(known.ends_behind(stretch.end) for known in before.stretches):
            before = NOTHING_KNOWN
        return Known(
            topic_id=topic_id,
            stretches=_with(before.stretches, stretch),
            removals=before.removals | removals,
        )

    def joined(self, other: "Known") -> "Known":
        """Both, as far as they are of the same topic; of two topics the other's."""
        if self.topic_id != other.topic_id:
            return other
        stretches = self.stretches
        for stretch in other.stretches:
            stretches = _with(stretches, stretch)
        return evolve(self, stretches=stretches, removals=self.removals | other.removals)


NOTHING_KNOWN = Known()
"""What a reader knows who has read nothing yet."""


@frozen
class Subject:
    """What removals are known of. Other readers of the same records may take other ones for markers.

    Attributes:
        topic: where the conversation is.
        key: its records' key, None where the topic is its own.
        partition: the one that is read, None for all.
        decoder: what tells a marker.
    """

    topic: str
    key: bytes | None
    partition: int | None
    decoder: Any


def distance(positions: Positions, further: Positions) -> int:
    """How many offsets the partition that is furthest behind lies before these; 0 where one is not before."""
    begin, end = _offsets(positions), _offsets(further)
    if begin.keys() != end.keys() or any(begin[p] > end[p] for p in begin):
        return 0
    return max((end[p] - begin[p] for p in begin), default=0)


def _with(stretches: tuple[Stretch, ...], new: Stretch) -> tuple[Stretch, ...]:
    apart: list[Stretch] = []
    for stretch in stretches:
        joined = new.joined(stretch)
        if joined is None:
            apart.append(stretch)
        else:
            new = joined
    return (*apart[max(0, len(apart) - STRETCHES_MAX + 1) :], new)


def _offsets(positions: Positions) -> dict[int, int]:
    return {position.partition: position.offset for position in positions}
