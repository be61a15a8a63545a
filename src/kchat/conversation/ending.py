"""The end of an object whose followers may be waiting."""

from collections.abc import Callable

from attrs import define, field


@define(eq=False)
class Ending:
    """Whether an object was closed, and whom that wakes. Safe to use from any thread, without a lock.

    Attributes:
        over: it was closed.
    """

    over: bool = False
    _waiting: set[Callable[[], None]] = field(factory=set, init=False)

    def end(self) -> None:
        """Close it, and wake all who wait."""
        self.over = True
        for wake in list(self._waiting):
            wake()

    def expect(self, wake: Callable[[], None]) -> None:
        """Call this at the end, or now if that was before."""
        self._waiting.add(wake)  # first: between a look and this the end would go by
        if self.over:
            wake()

    def forget(self, wake: Callable[[], None]) -> None:
        """Call this no more."""
        self._waiting.discard(wake)
