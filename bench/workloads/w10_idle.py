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
IDLE = {
    "open": "an open history, used before",
    "follow": "a history that is followed",
    "tail": "a history that waits for a message by reads with a cursor",
}
TAILS = {"follow": "a follower", "tail": "a read from the end on, with a cursor"}
CALLED = "a new message reaches {}, from the call of the append"
ACKNOWLEDGED = "a new message reaches {}, from the acknowledged append"


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
        arrivals = {how: _arrivals(around, how) for how in TAILS}
        timings = {how: arrival_timings(how, figures) for how, figures in arrivals.items()}
        goals = (
            *(share_goal(how, share) for how, share in shares.items()),
            _arrival_goal("follow", timings["follow"], "it is woken by one fetch, and reads by another one"),
            _arrival_goal("tail", timings["tail"], _commits(arrivals["tail"]["commits"])),
        )
        every = tuple(timing for found in timings.values() for timing in found)
        return Findings(timings=every, goals=goals, notes=(_note(arrivals, seconds),))


def _share(around: Surroundings, how: str, seconds: int) -> float:
    figures = figures_of(
        "idle_time",
        *(how, around.bootstrap, session_name(f"w10_{how}"), seconds),
        seconds_max=seconds + CHILD_SECONDS_MAX,
    )
    return float(figures["share"])


def _arrivals(around: Surroundings, how: str) -> Figures:
    return figures_of(
        "tail_latency",
        *(how, around.bootstrap, session_name(f"w10_{how}"), around.rounds(15, 100)),
        seconds_max=CHILD_SECONDS_MAX,
    )


def share_goal(how: str, share: float) -> Goal:
    """The time on a processor against the time that went by."""
    return Goal(
        goal=f"{IDLE[how]}: < {SHARE_MAX:.1%} of a core",
        measured=f"{share:.2%}",
        met=share < SHARE_MAX,
    )


def arrival_timings(how: str, arrivals: Figures) -> tuple[Timing, ...]:
    """From the call, and from the acknowledgement: 0 where the tail was faster than that."""
    called, acknowledged = tuple(arrivals["called"]), tuple(max(0.0, s) for s in arrivals["acknowledged"])
    return (
        Timing(contender=KCHAT, case=ACKNOWLEDGED.format(TAILS[how]), seconds=acknowledged),
        Timing(contender=KCHAT, case=CALLED.format(TAILS[how]), seconds=called),
    )


def _arrival_goal(how: str, timings: tuple[Timing, ...], why: str) -> Goal:
    acknowledged, called = timings
    return Goal(
        goal=f"a new message reaches {TAILS[how]} < {ARRIVAL_MS_MAX:g} ms after it was acknowledged (p50)",
        measured=f"{duration(acknowledged.median)}, p99 {duration(acknowledged.p99)}",
        met=1000 * acknowledged.median < ARRIVAL_MS_MAX,
        why=f"from the call of the append it is {duration(called.median)}; {why}",
    )


def _commits(seconds: Sequence[float]) -> str:
    return f"{duration(median(seconds))} go to the commit of the cursor, which a message waits for"


def _note(arrivals: dict[str, Figures], seconds: int) -> str:
    found = [each for figures in arrivals.values() for each in figures["acknowledged"]]
    missed = sum(figures["missed"] for figures in arrivals.values())
    return (
        f"The share of a core is that of a process of its own in {seconds} s, with the Kafka client's"
        " threads. The message was there before the appending thread had its acknowledgement"
        f" {sum(each < 0 for each in found)} times of {len(found)}; {missed} more came while the reader"
        " did not stand yet, and what begins at the end does not return those."
    )


WORKLOAD = Idle()
