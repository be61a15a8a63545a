"""A bounded pool of things that one call at a time may use."""

from collections.abc import Callable
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """Leases things of one kind, by key; makes one when none is free, never more than `size` in all.

    Where all are made and the free ones have another key, the one that was free for longest is given up.
    Closing ends the free ones at once and each leased one when it is given back.
    """

    def __init__(self, size: int, make: Callable[[str], T], end: Callable[[T], object]) -> None:
        self._size = size
        self._make = make
        self._end = end
        self._free: list[tuple[str, T]] = []  # the last one was used last: it is the warmest
        self._made = 0
        self._closed = False
        self._changed = Condition()

    def lease(self, key: str, timeout_seconds: float) -> T | None:
        """One for this key, or None when all are in use for the whole time."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._free or self._made < self._size, timeout_seconds):
                return None
            for index in range(len(self._free) - 1, -1, -1):
                if self._free[index][0] == key:
                    return self._free.pop(index)[1]
            if self._made < self._size:
                self._made += 1
                given_up = None
            else:
                given_up = self._free.pop(0)[1]
        try:
            if given_up is not None:
                self._end(given_up)
            return self._make(key)
        except BaseException:
            self._forget_one()
            raise

    def give_back(self, key: str, thing: T) -> None:
        """Return a leased one."""
        with self._changed:
            if not self._closed:
                self._free.append((key, thing))
                self._changed.notify()
                return
        self._end(thing)

    def discard(self, thing: T) -> None:
        """End a leased one that is not fit to be used again."""
        self._forget_one()
        self._end(thing)

    def close(self) -> None:
        """End all; the leased ones when they come back."""
        with self._changed:
            self._closed = True
            free, self._free = self._free, []
        for _, thing in free:
            self._end(thing)

    def _forget_one(self) -> None:
        with self._changed:
            self._made -= 1
            self._changed.notify()
