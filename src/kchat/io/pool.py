"""A bounded pool of things that one call at a time may use."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakSet

T = TypeVar("T")

WAIT_SECONDS = 0.005
"""How often a full pool is looked at again. Not a Condition: Ctrl-C in its `__enter__`, which is Python code,
leaves it locked for good."""


class Pool(Generic[T]):
    """Leases things of one kind, by key; makes one when none is free, never more than `size` in all.

    Where all are made and the free ones have another key, the one that was free for longest is given up.
    Closing ends the free ones at once and each leased one when it is given back. A leased one that is
    lost, because Ctrl-C came before it could be stored, no longer counts when it is garbage.
    """

    def __init__(self, size: int, make: Callable[[str], T], end: Callable[[T], object]) -> None:
        self._size = size
        self._make = make
        self._end = end
        self._free: list[tuple[str, T]] = []  # the last one was used last: it is the warmest
        self._alive: WeakSet[T] = WeakSet()
        self._making = 0
        self._closed = False
        self._lock = Lock()

    def lease(self, key: str, timeout_seconds: float) -> T | None:
        """One for this key, or None when all are in use for the whole time."""
        end = time.monotonic() + timeout_seconds
        while True:
            with self._lock:
                for index in range(len(self._free) - 1, -1, -1):
                    if self._free[index][0] == key:
                        return self._free.pop(index)[1]
                full = len(self._alive) + self._making >= self._size
                if not full or self._free:
                    given_up = self._free.pop(0)[1] if full else None
                    self._making += 1
                    break
            if time.monotonic() >= end:
                return None
            time.sleep(WAIT_SECONDS)
        try:
            if given_up is not None:
                self.discard(given_up)
                given_up = None
            made = self._make(key)
            with self._lock:
                self._alive.add(made)
            return made
        finally:
            with self._lock:
                self._making -= 1

    def give_back(self, key: str, thing: T) -> None:
        """Return a leased one."""
        with self._lock:
            if not self._closed:
                self._free.append((key, thing))
                return
        self._end(thing)

    def discard(self, thing: T) -> None:
        """End a leased one that is not fit to be used again."""
        with self._lock:
            self._alive.discard(thing)
        self._end(thing)

    def close(self) -> None:
        """End all; the leased ones when they come back."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for _, thing in free:
            self._end(thing)
