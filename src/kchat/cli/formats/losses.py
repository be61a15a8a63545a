"""What could not be carried from a conversation to a file or back: counted by kind, with the first places."""

from collections.abc import Iterator
from typing import Any

from attrs import define, field

PLACES_MAX = 20
"""So many places are named for each kind; the count is exact."""


@define
class Loss:
    """One kind of loss; `whole`: whole messages are missing, not only a part of each."""

    what: str
    whole: bool
    count: int = 0
    places: list[str] = field(factory=list)
    newest: str = ""


@define
class Losses:
    """All that was lost on the way. Nothing of it quotes a message."""

    _kinds: dict[tuple[str, bool], Loss] = field(factory=dict)

    def part(self, what: str, where: object) -> None:
        """A part of a message was not carried; several of one kind in one message count once."""
        self._add(what, where, whole=False)

    def whole(self, what: str, where: object) -> None:
        """A whole message or record was not carried."""
        self._add(what, where, whole=True)

    def _add(self, what: str, where: object, *, whole: bool) -> None:
        loss = self._kinds.setdefault((what, whole), Loss(what, whole))
        if not whole and loss.newest == str(where):
            return
        loss.newest = str(where)
        loss.count += 1
        if len(loss.places) < PLACES_MAX:
            loss.places.append(loss.newest)

    @property
    def whole_count(self) -> int:
        """How many whole messages or records were not carried."""
        return sum(loss.count for loss in self._kinds.values() if loss.whole)

    @property
    def as_json(self) -> list[dict[str, Any]]:
        """For programs."""
        return [
            {"what": loss.what, "whole": loss.whole, "count": loss.count, "first": loss.places}
            for loss in self._ordered()
        ]

    def lines(self) -> Iterator[str]:
        """For people: whole messages first."""
        for loss in self._ordered():
            unit = "record" if loss.whole else "message"
            shown = [*loss.places[:3], *(["..."] if loss.count > 3 else [])]
            # A place may be followed by what is wrong there.
            listed = ("; " if any("," in place for place in shown) else ", ").join(shown)
            of = f"{loss.what} of " if not loss.whole else ""
            because = f": {loss.what}" if loss.whole else ""
            yield f"not carried: {of}{loss.count:,} {unit}{'s' * (loss.count != 1)}{because} ({listed})"

    def _ordered(self) -> list[Loss]:
        return sorted(self._kinds.values(), key=lambda loss: not loss.whole)
