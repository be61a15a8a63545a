"""A bounded pool of things that one call at a time may use."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Lock
from typing import Generic, TypeVar
from weakref import WeakSet

from attrs import define, field

T = TypeVar("T")

LOOK_SECONDS = 0.05
"""How often one who waits looks by itself: nobody tells of a lost thing that has become garbage."""


def _held() -> Lock:
    lock = Lock()
    lock.acquire()
    return lock


@define(eq=False)
class Waiting(Generic[T]):
    """One who waits. `turn` is released when a thing with its key is `given`, or when there is room for one.

    Plain locks, not a Condition: Ctrl-C in its `__enter__`, which is Python code, leaves it locked for good.
    """

    key: str
    turn: Lock = field(factory=_held)
    given: tuple[str, T] | None = None


@define
class Claim(Generic[T]):
    """What a lease may have: this thing, or a new one in the place of what is `given_up` for it."""

    thing: T | None
    given_up: list[T] = field(factory=list)


class Pool(Generic[T]):
    """Leases things of one kind, by key; makes one when none is free, never more than `size` in all.

    Where all are made and the free ones have another key, the one that was free for longest is given up.
    Where all are in use, who came first is served first. Closing ends the free ones at once and each leased
    one when it is given back. A leased one that is lost, because Ctrl-C came before it could be stored, no
    longer counts when it is garbage.
    """

    def __init__(self, size: int, make: Callable[[str], T], end: Callable[[T], object]) -> None:
        self._size = size
        self._make = make
        self._end = end
        self._free: list[tuple[str, T]] = []  # the last one was used last: it is the warmest
        self._waiting: deque[Waiting[T]] = deque()
        self._alive: WeakSet[T] = WeakSet()
        self._making = 0
        self._closed = False
        self._lock = Lock()

    def lease(self, key: str, timeout_seconds: float) -> T | None:
        """One for this key, or None when all are in use for the whole time."""
        waiting: Waiting[T] = Waiting(key)
        with self._lock:
            claim = self._claim(key)
            if claim is None:
                self._waiting.append(waiting)
        if claim is None:
            claim = self._wait(waiting, time.monotonic() + timeout_seconds)
        if claim is None or claim.thing is not None:
            return None if claim is None else claim.thing
        return self._made(key, claim.given_up)

    def give_back(self, key: str, thing: T) -> None:
        """Return a leased one."""
        with self._lock:
            # Where it was garbage, and its owner's end has brought it back, it is not counted any more, and
            # another may have been made in its place.
            self._alive.add(thing)
            if not self._closed and len(self._alive) + self._making <= self._size:
                self._put(key, thing)
                return
            self._alive.discard(thing)
        self._end(thing)

    def discard(self, thing: T) -> None:
        """End a leased one that is not fit to be used again."""
        with self._lock:
            self._alive.discard(thing)
            self._call_next(None)
        self._end(thing)

    def close(self) -> None:
        """End all; the leased ones when they come back."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
        for _, thing in free:
            self._end(thing)

    def _claim(self, key: str) -> Claim[T] | None:
        """A free one of this key, the warmest; else room for one; else nothing."""
        for index in range(len(self._free) - 1, -1, -1):
            if self._free[index][0] == key:
                return Claim(self._free.pop(index)[1])
        full = len(self._alive) + self._making >= self._size
        if full and not self._free:
            return None
        return self._room([self._free.pop(0)[1]] if full else [])

    def _wait(self, waiting: Waiting[T], end: float) -> Claim[T] | None:
        """Wait to be called; look, now and then, without leaving the queue."""
        try:
            while True:
                waiting.turn.acquire(timeout=max(0.0, min(end - time.monotonic(), LOOK_SECONDS)))
                with self._lock:
                    claim = self._given(waiting) or self._claim(waiting.key)
                    if claim is not None or time.monotonic() >= end:
                        self._leave(waiting)
                        return claim
                    if waiting not in self._waiting:
                        self._waiting.appendleft(waiting)  # called, and a newcomer took the room
        except BaseException:
            with self._lock:
                self._leave(waiting)
                if waiting.given is not None:
                    self._put(*waiting.given)
            raise

    def _given(self, waiting: Waiting[T]) -> Claim[T] | None:
        given, waiting.given = waiting.given, None
        if given is None:
            return None
        if given[0] == waiting.key:
            return Claim(given[1])
        return self._room([given[1]])

    def _room(self, given_up: list[T]) -> Claim[T]:
        """A new one may be made. What is given up for it counts no more: both would be one too many."""
        for thing in given_up:
            self._alive.discard(thing)
        self._making += 1
        return Claim(None, given_up)

    def _leave(self, waiting: Waiting[T]) -> None:
        with suppress(ValueError):  # it was called
            self._waiting.remove(waiting)

    def _put(self, key: str, thing: T) -> None:
        if not self._call_next((key, thing)):
            self._free.append((key, thing))

    def _call_next(self, given: tuple[str, T] | None) -> bool:
        """Give a thing, or word that there is room, to who has waited longest."""
        if not self._waiting:
            return False
        first = self._waiting.popleft()
        first.given = given
        first.turn.release()
        return True

    def _made(self, key: str, given_up: list[T]) -> T:
        """A new one, in the place of one that is given up, if there is one."""
        try:
            while given_up:
                self._end(given_up.pop())
            made = self._make(key)
            with self._lock:
                self._alive.add(made)
            return made
        finally:
            with self._lock:
                self._making -= 1
