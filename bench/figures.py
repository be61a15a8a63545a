"""What a workload finds: times of contenders, goals met or not, and what to know when reading them."""

import statistics
from collections.abc import Sequence

from attrs import frozen


@frozen(kw_only=True)
class Timing:
    """How long one contender took for one case, run by run.

    Attributes:
        contender: its name, as in `bench.contenders`.
        case: what was done, "1,000 messages" say; "" where the workload has one case only.
        seconds: one figure for each run, in the order of the runs.
        size: the number behind the case, for the plots: messages in the conversation, threads.
    """

    contender: str
    case: str
    seconds: tuple[float, ...]
    size: int | None = None

    @property
    def median(self) -> float:
        """The middle run, in seconds."""
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        """In seconds, the run that 99 of 100 do not exceed: the slowest where there are fewer than 100."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, -(-len(ordered) * 99 // 100) - 1)]


@frozen(kw_only=True)
class Absent:
    """A contender that could not take part, and why."""

    contender: str
    why: str


@frozen(kw_only=True)
class Goal:
    """One goal of the table: what was measured, what was wanted.

    Attributes:
        goal: in words, "<= 1.5x raw".
        measured: in words, "1.2x".
        met: whether it holds.
        structural: it is a count, and a run in which it does not hold fails.
        why: where it is not met, what the profile says.
    """

    goal: str
    measured: str
    met: bool
    structural: bool = False
    why: str = ""

    @staticmethod
    def ratio_max(goal: str, measured: float, bound: float) -> "Goal":
        """At most so many times the other."""
        return Goal(goal=goal, measured=f"{measured:.2f}x", met=measured <= bound)

    @staticmethod
    def count_max(goal: str, measured: float, bound: float) -> "Goal":
        """A structural figure: at most so many."""
        return Goal(goal=goal, measured=f"{measured:,g}", met=measured <= bound, structural=True)


@frozen(kw_only=True)
class Findings:
    """All that one workload found."""

    timings: tuple[Timing, ...] = ()
    goals: tuple[Goal, ...] = ()
    absent: tuple[Absent, ...] = ()
    notes: tuple[str, ...] = ()

    def median(self, contender: str, case: str = "") -> float:
        """The median of one timing, in seconds. Raises KeyError if it was not taken."""
        for timing in self.timings:
            if (timing.contender, timing.case) == (contender, case):
                return timing.median
        raise KeyError((contender, case))


def ratio(timings: Sequence[Timing], contender: str, other: str, case: str = "") -> float:
    """How many times as long one contender took as another, median by median."""
    found = Findings(timings=tuple(timings))
    return found.median(contender, case) / found.median(other, case)
