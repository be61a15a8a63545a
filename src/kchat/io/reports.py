"""The delivery reports of one call's records, and whose turn it is to fetch them from the shared producer."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

from kchat.core import Report

LOST_SECONDS = 0.1
"""How long after its slice a call is taken to be serving still: Ctrl-C may have kept it from saying `end`."""


class Reports:
    """One report for each record, None for those that have not come. Set by the client's callbacks.

    `handed` is how many records, from the first on, are the client's by now. Whoever waits is woken when all
    of those are reported: a thread that is in `wait`, or a task that `call` wakes, from whatever thread.
    """

    def __init__(self, count: int, call: Callable[[], object] | None = None) -> None:
        self.handed: int = 0
        self._call = call
        self._found: list[Report | None] = [None] * count
        self._reported = 0
        self._counting = Lock()  # callbacks come in whichever thread serves the client
        self._woken = Lock()
        self._woken.acquire()

    @property
    def complete(self) -> bool:
        """Whether every record has its report."""
        return self._reported == len(self._found)

    @property
    def idle(self) -> bool:
        """Whether no record is on its way."""
        return self._reported >= self.handed

    def __len__(self) -> int:
        return len(self._found)

    def __getitem__(self, index: int) -> Report | None:
        return self._found[index]

    def as_tuple(self) -> tuple[Report | None, ...]:
        """What has come so far, in the order of the records."""
        return tuple(self._found)

    def set(self, index: int, report: Report) -> None:
        """Note a report; a later one for the same record is believed."""
        with self._counting:
            self._reported += self._found[index] is None
            self._found[index] = report
        if self.idle:
            self.wake()

    def set_rest(self, index: int, report: Report) -> None:
        """Note the same report for all records from this one on that have none: they are not sent."""
        self.handed = len(self._found)
        for unsent in range(index, len(self._found)):
            if self._found[unsent] is None:
                self.set(unsent, report)

    def wait(self, seconds: float) -> None:
        """Wait for the last report, or for `wake`."""
        self._woken.acquire(timeout=max(0.0, seconds))

    def wake(self) -> None:
        """Let the one who waits go on, now or when it comes to wait."""
        if self._call is not None:
            self._call()
            return
        try:
            self._woken.release()
        except RuntimeError:
            return  # it is awake


class Serving:
    """Whose turn it is to serve a client that many calls share: one serves, for all; the others wait."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._until = 0.0
        self._waiting: deque[Reports] = deque()

    def begin(self, reports: Reports, seconds: float) -> bool:
        """Take the turn for so long, if nobody has it; else queue up for it."""
        with self._lock:
            now = time.monotonic()
            if now < self._until:
                self._waiting.append(reports)
                return False
            self._until = now + seconds + LOST_SECONDS
            return True

    def end(self) -> None:
        """Give the turn to who waits for it."""
        with self._lock:
            self._until = 0.0
            if self._waiting:
                self._waiting.popleft().wake()

    def leave(self, reports: Reports) -> None:
        """Wait no longer. One who was called and needs the turn no more calls the next."""
        with self._lock:
            if reports in self._waiting:
                self._waiting.remove(reports)
            elif reports.complete and self._waiting:
                self._waiting.popleft().wake()
