"""How long this machine kept a thread waiting that had nothing to do but to wake up.

A call that ends late on a machine that has stood still is not late: what the machine took is not counted
against it. Without that the campaign would judge the machine.
"""

import threading
import time
from collections import deque
from typing import Self

PERIOD_SECONDS = 0.02
LATE_SECONDS = 0.05
"""A thread that wakes up so late is an everyday matter; beyond that it was kept."""

KEPT_MAX = 100_000


class Pulse:
    """A thread that sleeps and notes how late it woke up. Runs until the process ends."""

    def __init__(self) -> None:
        self._kept: deque[tuple[float, float]] = deque(maxlen=KEPT_MAX)  # when it woke up, and how late

    def start(self) -> Self:
        """Begin."""
        threading.Thread(target=self._beat, name="pulse", daemon=True).start()
        return self

    def kept_seconds(self, begun: float, ended: float) -> float:
        """How much of the time between two moments of the monotonic clock the machine stood still."""
        return sum(
            max(0.0, min(woke, ended) - max(woke - late, begun))
            for woke, late in list(self._kept)
            if woke > begun
        )

    def note(self, woke: float, late: float) -> None:
        """It woke up at that moment, so late."""
        if late > LATE_SECONDS:
            self._kept.append((woke, late))

    def _beat(self) -> None:
        while True:
            due = time.monotonic() + PERIOD_SECONDS
            time.sleep(PERIOD_SECONDS)
            woke = time.monotonic()
            self.note(woke, woke - due)
