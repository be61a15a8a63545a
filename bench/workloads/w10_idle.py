"""Nothing to do: what an open history and a waiting one cost, and how fast a new message is there."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from attrs import frozen

from bench.children.running import Figures, figures_of
from bench.contenders.names import KCHAT
from bench.conversation import session_name
from bench.figures import Findings, Goal, Timing
from bench.tables import duration
from bench.workload import Surroundings

SHARE_MAX = 0.005
ARRIVAL_MS_MAX = 5.0
CHILD_SECONDS_MAX = 120.0
IDLE = {"open": "an open history, used before", "tail": "a history that waits for a message"}
CALLED = "a new message reaches the tail, from the call of the append"
ACKNOWLEDGED = "a new message reaches the tail, from the acknowledged append"


@frozen
class Idle:
    """Workload 10."""

    number: int = 10
    title: str = "idle: an open history, a live tail, and a message that comes after all"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        seconds = around.rounds(3, 35)  # more than one wait of a tail, which is 30 s
        with ThreadPoolExecutor(len(IDLE), "bench-idle") as pool:
            shares = dict(zip(IDLE, pool.map(lambda how: _share(around, how, seconds), IDLE), strict=True))
        arrivals = figures_of(
            "tail_latency",
            *(around.bootstrap, session_name("w10"), around.rounds(15, 100)),
            seconds_max=CHILD_SECONDS_MAX,
        )
        timings = arrival_timings(arrivals)
        goals = (
            *(share_goal(how, share) for how, share in shares.items()),
            _arrival_goal(timings, arrivals["commits"]),
        )
        return Findings(timings=timings, goals=goals, notes=(_note(arrivals, seconds),))


def _share(around: Surroundings, how: str, seconds: int) -> float:
    figures = figures_of(
        "idle_time",
        *(how, around.bootstrap, session_name(f"w10_{how}"), seconds),
        seconds_max=seconds + CHILD_SECONDS_MAX,
    )
    return float(figures["share"])


def share_goal(how: str, share: float) -> Goal:
    """The time on a processor against the time that went by."""
    return Goal(
        goal=f"{IDLE[how]}: < {SHARE_MAX:.1%} of a core",
        measured=f"{share:.2%}",
        met=share < SHARE_MAX,
    )


def arrival_timings(arrivals: Figures) -> tuple[Timing, ...]:
    """From the call, and from the acknowledgement: 0 where the tail was faster than that."""
    called, acknowledged = tuple(arrivals["called"]), tuple(max(0.0, s) for s in arrivals["acknowledged"])
    return (
        Timing(contender=KCHAT, case=ACKNOWLEDGED, seconds=acknowledged),
        Timing(contender=KCHAT, case=CALLED, seconds=called),
    )


def _arrival_goal(timings: tuple[Timing, ...], commits: Sequence[float]) -> Goal:
    acknowledged, called = timings
    return Goal(
        goal=f"a new message reaches the tail < {ARRIVAL_MS_MAX:g} ms after it was acknowledged (p50)",
        measured=f"{duration(acknowledged.median)}, p99 {duration(acknowledged.p99)}",
        met=1000 * acknowledged.median < ARRIVAL_MS_MAX,
        why=(
            f"from the call of the append it is {duration(called.median)}; {duration(median(commits))} go"
            " to the commit of the cursor, which a message waits for"
        ),
    )


def _note(arrivals: Figures, seconds: int) -> str:
    first = sum(each < 0 for each in arrivals["acknowledged"])
    return (
        f"The share of a core is that of a process of its own in {seconds} s, with the Kafka client's"
        f" threads. The tail had the message before the appending thread had its acknowledgement {first}"
        f" times of {len(arrivals['acknowledged'])}; {arrivals['missed']} more came while the tail did not"
        " stand yet, and a read that begins at the end does not return those."
    )


WORKLOAD = Idle()
