"""Telling: which removals a reader hears of that has got messages before those of this read.

It may have got a message that is removed by now. A marker is handed out where it stands in the order, so a
reader that goes on from a place hears of all that stand behind that place, however often it begins again.
"""

from collections.abc import Iterable
from typing import TypeVar

from attrs import evolve, frozen

from kchat.core.outcomes import Delivery
from kchat.core.removals import NO_REMOVALS, Removals

M = TypeVar("M")


@frozen(kw_only=True)
class Heard:
    """What one reader has got.

    Attributes:
        begun: whether messages were handed out before this read; None: if there are any before its start.
        at_first: the markers that its first read knew, all of which that read and those after it obey. A
            marker that a later read knows before it comes to it is none of these: an earlier message may be
            with the reader.
    """

    begun: bool | None = None
    at_first: Removals = NO_REMOVALS

    def news(self, markers: Iterable[Delivery[M]], *, older: bool) -> tuple[Delivery[M], ...]:
        """Those of the markers of a read that are to be told; `older`: there may be more before its start."""
        if not self._has_got(older=older):
            return ()
        return tuple(marker for marker in markers if not self.at_first.keeps(marker))

    def after(self, removals: Removals, *, older: bool) -> "Heard":
        """What it has got behind a read that knew these removals in the end."""
        at_first = self.at_first if self._has_got(older=older) else removals
        return evolve(self, begun=True, at_first=at_first)

    def _has_got(self, *, older: bool) -> bool:
        return older if self.begun is None else self.begun


NOTHING_TOLD = Heard(begun=False)
"""Of a reader that is told of no marker."""
