"""Many sessions at once: threads, coroutines, and whether a slow one holds up the others."""

from contextlib import ExitStack

from attrs import frozen

from bench.contenders.names import KCHAT, RAW
from bench.contenders.stores import absent
from bench.figures import Findings, Goal, Timing
from bench.goals import measured_ratio
from bench.many import COROUTINES, THREADS, coroutine_tasks, thread_tasks
from bench.measuring import measure
from bench.slow_neighbour import ALONE, BESIDE, neighbour_timings
from bench.workload import Surroundings

SHARE_MIN = 0.8
HELD_UP_MAX = 2.0


@frozen
class ManySessions:
    """Workload 8."""

    number: int = 8
    title: str = "many sessions at once: time per append of 2 messages, over all sessions"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        seconds_max = 4.0 if around.quick else 40.0
        with ExitStack() as stack:
            tasks = [*thread_tasks(around, stack), *coroutine_tasks(around, stack)]
            together = measure(tasks, around.rounds(4, 20), seconds_max=seconds_max)
        beside = neighbour_timings(around)
        goals = (*_throughput_goals(together), *_neighbour_goals(beside))
        return Findings(timings=(*together, *beside), goals=goals, absent=absent(around), notes=(_NOTE,))


_NOTE = (
    "The raw client has one producer for all, and each session waits for its own reports. Of coroutines only"
    " Kafka's clients are compared: the asynchronous methods of the others need a connection or thread each."
)


def _throughput_goals(timings: tuple[Timing, ...]) -> tuple[Goal, ...]:
    goals = []
    for case in (THREADS, COROUTINES):
        share = measured_ratio(timings, RAW, KCHAT, case)
        if share is not None:
            goal = f"{case}: >= {SHARE_MIN:g}x the appends/s of raw"
            goals.append(Goal(goal=goal, measured=f"{share:.2f}x", met=share >= SHARE_MIN))
    return tuple(goals)


def _neighbour_goals(timings: tuple[Timing, ...]) -> tuple[Goal, ...]:
    medians = {timing.case: timing.median for timing in timings}
    return tuple(
        Goal.ratio_max(f"{case}: <= {HELD_UP_MAX:g}x alone", medians[case] / medians[ALONE], HELD_UP_MAX)
        for case in BESIDE
    )


WORKLOAD = ManySessions()
