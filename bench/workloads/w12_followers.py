"""Live: a coroutine for each of many sessions, all in one process, and a message that comes to one."""

from concurrent.futures import ThreadPoolExecutor

from attrs import frozen

from bench.children.running import Figures, figures_of
from bench.contenders.names import KCHAT
from bench.conversation import session_name
from bench.figures import Findings, Goal, Timing
from bench.tables import duration
from bench.workload import Surroundings

FEW, MANY = 10, 1_000
QUICK = 100
THREADS_MAX = 70
"""57 were measured with 1,000 followers: of the event loop's calls, and of a bounded number of clients."""

SOCKETS_MAX = 30
SHARE_MAX = 0.05
ARRIVAL_MS_MAX = 20.0
CHILD_SECONDS_MAX = 300.0


@frozen
class Followers:
    """Workload 12."""

    number: int = 12
    title: str = f"live: a coroutine follows each of {MANY:,} sessions, in one process"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        many = around.rounds(QUICK, MANY)
        seconds, arrivals = around.rounds(1, 30), around.rounds(15, 200)
        # A quick run has no time for one after the other; a whole one is not to disturb itself.
        with ThreadPoolExecutor(around.rounds(2, 1), "bench-followers") as pool:
            found = pool.map(lambda count: _followers(around, count, seconds, arrivals), (FEW, many))
            few_figures, figures = found
        timing = Timing(contender=KCHAT, case=_case(many), seconds=tuple(figures["arrivals"]), size=many)
        alone = Timing(contender=KCHAT, case=_case(FEW), seconds=tuple(few_figures["arrivals"]), size=FEW)
        return Findings(
            timings=(alone, timing),
            goals=(
                *structural_goals(few_figures, figures, many),
                share_goal(many, figures["share"]),
                _arrival_goal(timing),
            ),
            notes=(_note(few_figures, figures, many),),
        )


def _followers(around: Surroundings, count: int, seconds: int, arrivals: int) -> Figures:
    return figures_of(
        "followers",
        *(around.bootstrap, session_name(f"w12_{count}"), count, seconds, arrivals),
        seconds_max=CHILD_SECONDS_MAX,
    )


def _case(count: int) -> str:
    return f"a message reaches its follower, of {count:,}, from the call of the append"


def structural_goals(few: Figures, many: Figures, count: int) -> tuple[Goal, ...]:
    """What all followers share: as much for many as for few, but for clients that few had no need of yet."""
    held = many["held"]
    return (
        Goal.count_max(f"threads with {count:,} followers", held["threads"], THREADS_MAX),
        Goal.count_max(f"connections with {count:,} followers", held["sockets"], SOCKETS_MAX),
        Goal.count_max(
            f"files that each of {count - FEW:,} more followers holds open",
            round(max(0, held["files"] - few["held"]["files"]) / count),
            0,
        ),
    )


def share_goal(count: int, share: float) -> Goal:
    """The time on a processor against the time that went by, with nothing to hear."""
    return Goal(
        goal=f"{count:,} followers to whom nothing comes: < {SHARE_MAX:.0%} of a core",
        measured=f"{share:.1%}",
        met=share < SHARE_MAX,
        why="a follower reads every 30 s although nothing came: a client does not tell of a deleted topic",
    )


def _arrival_goal(timing: Timing) -> Goal:
    return Goal(
        goal=f"{timing.case}: < {ARRIVAL_MS_MAX:g} ms (p50)",
        measured=f"{duration(timing.median)}, p99 {duration(timing.p99)}",
        met=1000 * timing.median < ARRIVAL_MS_MAX,
        why="one consumer fetches for all followers, and a woken one waits for its turn among their reads",
    )


def _note(few: Figures, many: Figures, count: int) -> str:
    held, with_few, bare = many["held"], few["held"], many["before"]
    return (
        f"One process, one `AsyncKafkaLog`, a topic of one partition for each session. With {FEW} followers"
        f" it has {with_few['threads']} threads and {with_few['sockets']} connections, with {count:,}"
        f" {held['threads']} and {held['sockets']}; before the log was opened {bare['threads']} and"
        f" {bare['sockets']}. The share of a core is that of the whole process."
    )


WORKLOAD = Followers()
