"""What one row of the campaign counts, and the goal that all rows share."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from attrs import define, field

from tests.proof.pulse import Pulse

PULSE = Pulse().start()

FAULTLESS = frozenset({"crowd"})
"""Rows that are many at once, and no fault besides."""

OVERRUN_SECONDS_MAX = 1.0
"""The promise: no call lasts longer than its own limit plus this."""


@define(eq=False)
class Figures:
    """The figures of one row. Threads count into it at the same time.

    Attributes:
        row: the row of the campaign.
        fault: what is done to the library, the client or the broker.
        operations: calls of the library, or records, cases, processes where a row says so in `notes`.
        faults: how many faults were injected.
        acknowledged: messages whose append returned.
        lost: acknowledged messages that a reader does not see.
        duplicates: messages that a reader sees again.
        out_of_order: messages that a reader sees before an earlier one of the same writer.
        unknown: appends that ended as `AppendUnknown`.
        hangs: calls, threads or processes that did not end.
        overruns: calls that lasted longer than their limit plus one second.
        longest_seconds: the longest call.
        stood_still_seconds: the most that the machine itself took of a call that ended late.
        wrong: everything else that must not be: one sentence each.
        notes: what a reader of the table should know.
        seconds: how long the row ran.
    """

    row: str
    fault: str
    operations: int = 0
    faults: int = 0
    acknowledged: int = 0
    lost: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    unknown: int = 0
    hangs: int = 0
    overruns: int = 0
    longest_seconds: float = 0.0
    stood_still_seconds: float = 0.0
    wrong: list[str] = field(factory=list)
    notes: list[str] = field(factory=list)
    seconds: float = 0.0
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    @contextmanager
    def call(self, limit_seconds: float) -> Iterator[None]:
        """Time one call that has a limit of its own; it counts however it ends."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.took(limit_seconds, time.monotonic() - begun)

    def took(self, limit_seconds: float, lasted_seconds: float, *, calls: int = 1) -> None:
        """Count calls that ended just now: so many, and how long the longest lasted.

        How long the machine stood still meanwhile is not the call's: it is told apart.
        """
        ended = time.monotonic()
        stood_still = PULSE.kept_seconds(ended - lasted_seconds, ended)
        with self._lock:
            self.operations += calls
            self.longest_seconds = max(self.longest_seconds, lasted_seconds)
            if lasted_seconds > limit_seconds + OVERRUN_SECONDS_MAX:
                self.stood_still_seconds = max(self.stood_still_seconds, stood_still)
            if lasted_seconds - stood_still > limit_seconds + OVERRUN_SECONDS_MAX:
                self.overruns += 1
                self.wrong.append(
                    f"a call with a limit of {limit_seconds} s lasted {lasted_seconds:.1f} s;"
                    f" the machine stood still for {stood_still:.1f} s of it"
                )

    def add(self, **counts: int) -> None:
        """Count: `add(faults=1)`."""
        with self._lock:
            for name, count in counts.items():
                setattr(self, name, getattr(self, name) + count)

    def went_wrong(self, what: str) -> None:
        """Note what must not be."""
        with self._lock:
            self.wrong.append(what)

    @property
    def missed(self) -> tuple[str, ...]:
        """What the goal says and these figures do not keep; nothing, if the row held."""
        zeros = {
            "lost": self.lost,
            "duplicates": self.duplicates,
            "out of order": self.out_of_order,
            "hangs": self.hangs,
        }
        counted = tuple(f"{name} {count}" for name, count in zeros.items() if count)
        idle = () if self.operations else ("nothing was done",)
        calm = () if self.faults or self.row in FAULTLESS else ("no fault was made",)
        return counted + idle + calm + tuple(self.wrong)
