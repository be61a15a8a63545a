"""What the writers were told, held against what a reader sees."""

from collections import defaultdict
from collections.abc import Sequence
from enum import Enum, unique
from threading import Lock

from attrs import define, field, frozen

from tests.proof.figures import Figures


@unique
class Told(Enum):
    """How the append of a message ended."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@frozen(order=True)
class Name:
    """A message's name, unique in its session; it is the message's content.

    `number` counts the appends of one writer from 0 up, `place` the messages of one append.
    """

    writer: str
    number: int
    place: int

    def __str__(self) -> str:
        return f"{self.writer}:{self.number}:{self.place}"

    @classmethod
    def of(cls, text: str) -> "Name":
        """The name that a message's content is."""
        writer, number, place = text.rsplit(":", 2)
        return cls(writer, int(number), int(place))


@define(eq=False)
class Ledger:
    """One session's appends. Writers enter what they were told; `judge` compares with what was read."""

    told: dict[Name, Told] = field(factory=dict)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def enter(self, names: Sequence[Name], told: Told) -> None:
        """What an append's end says of its messages; a later end overrules an earlier one."""
        with self._lock:
            self.told.update(dict.fromkeys(names, told))

    def judge(self, texts: Sequence[str], figures: Figures, reader: str, *, complete: bool = True) -> None:
        """Count into the figures what is wrong with what a reader saw, in the order it saw it.

        Args:
            texts: the contents of the messages.
            figures: where to count.
            reader: named in what went wrong.
            complete: the reader must have seen every acknowledged message.
        """
        with self._lock:
            told = dict(self.told)
        seen = [Name.of(text) for text in texts]
        for name in set(seen):
            if told.get(name) in {None, Told.REFUSED}:
                how = "refused" if name in told else "never appended"
                figures.went_wrong(f"{reader} sees {name}, which was {how}")
        acknowledged = {name for name, how in told.items() if how is Told.ACKNOWLEDGED}
        if complete and (lost := acknowledged - set(seen)):
            figures.add(lost=len(lost))
            figures.notes.append(f"{reader} misses {', '.join(map(str, sorted(lost)[:5]))}")
        if len(seen) > len(set(seen)):
            figures.add(duplicates=len(seen) - len(set(seen)))
            twice = sorted({name for name in seen if seen.count(name) > 1})[:5] if len(seen) < 50_000 else []
            figures.notes.append(f"{reader} sees twice {', '.join(map(str, twice))}")
        figures.add(out_of_order=_out_of_order([name for name in seen if name in acknowledged]))

    def misses(self, texts: Sequence[str]) -> bool:
        """Whether an acknowledged message is not among these."""
        seen = {Name.of(text) for text in texts}
        with self._lock:
            return any(how is Told.ACKNOWLEDGED and name not in seen for name, how in self.told.items())

    def holes(self, texts: Sequence[str]) -> int:
        """How many acknowledged messages of one writer are missing between the first and last one seen."""
        seen = [Name.of(text) for text in texts]
        with self._lock:
            acknowledged = {name for name, how in self.told.items() if how is Told.ACKNOWLEDGED}
        return sum(min(seen) < name < max(seen) for name in acknowledged - set(seen)) if seen else 0

    def count(self, told: Told) -> int:
        """How many messages ended so."""
        with self._lock:
            return sum(how is told for how in self.told.values())


def _out_of_order(seen: Sequence[Name]) -> int:
    """How many stand after a later one of the same writer; a second copy is a duplicate, not this."""
    last: dict[str, Name] = defaultdict(lambda: Name("", -1, -1))
    wrong, known = 0, set()
    for name in seen:
        if name in known:
            continue
        known.add(name)
        before = last[name.writer]
        if (name.number, name.place) < (before.number, before.place):
            wrong += 1
        last[name.writer] = name
    return wrong
