"""A history object per request: ten thousand of them share a handful of clients."""

from collections.abc import Mapping

from attrs import frozen

from bench.children.running import Figures, figures_of
from bench.contenders.names import KCHAT
from bench.conversation import session_name
from bench.figures import Findings, Goal, Timing
from bench.tables import duration
from bench.workload import Surroundings

HISTORIES = 10_000
FEW = 16
CHILD_SECONDS_MAX = 120.0
CONSTRUCTION_US_MAX = 20.0
BYTES_MAX = 3 * 1024
READERS_MAX = 8
THREADS_MAX = 40
CONSTRUCTION = f"construction, of {HISTORIES:,}"

Counts = Mapping[str, int]


@frozen
class HistoryPerRequest:
    """Workload 7."""

    number: int = 7
    title: str = f"a history object per request: {HISTORIES:,} of them alive, some of them in use"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        used = around.rounds(48, 300)
        rest = figures_of("histories_at_rest", HISTORIES, seconds_max=CHILD_SECONDS_MAX)
        use = figures_of(
            "histories_in_use",
            *(around.bootstrap, session_name("w07"), HISTORIES, FEW, used),
            seconds_max=CHILD_SECONDS_MAX,
        )
        timing = Timing(contender=KCHAT, case=CONSTRUCTION, seconds=tuple(rest["seconds"]), size=HISTORIES)
        return Findings(
            timings=(timing,),
            goals=(_construction_goal(timing), *structural_goals(rest, use, used), _wider_goal(use)),
            notes=(_note(rest, use, used),),
        )


def _construction_goal(timing: Timing) -> Goal:
    return Goal(
        goal=f"construction: < {CONSTRUCTION_US_MAX:g} us",
        measured=f"{duration(timing.median)}, {duration(min(timing.seconds))} at best",
        met=1e6 * timing.median < CONSTRUCTION_US_MAX,
    )


def structural_goals(rest: Figures, use: Figures, used: int) -> tuple[Goal, ...]:
    """What many histories share, and what each of them holds."""
    few, many = use["few"], use["used"]
    return (
        Goal.count_max("bytes of a history at rest", round(rest["bytes_kept"]), BYTES_MAX),
        Goal.count_max("threads, clients and connections of histories at rest", at_rest(use["rest"]), 0),
        Goal.count_max("producers", many["producers"], 1),
        Goal.count_max("admin clients", many["admins"], 1),
        Goal.count_max("readers", many["readers"], READERS_MAX),
        Goal.count_max("threads in all, of which one is the program's own", many["threads"], THREADS_MAX),
        *(
            Goal.count_max(f"{what} with {used} sessions used: as with {FEW}", many[what], few[what])
            for what in ("threads", "connections")
        ),
        Goal.count_max("acknowledged messages that the same request did not read", use["missing"], 0),
    )


def at_rest(counts: Counts) -> int:
    """All that was counted but for the program's one thread, which is counted as Python's, too."""
    return sum(counts.values()) - counts["python_threads"] - 1


def _wider_goal(use: Figures) -> Goal:
    """Not structural: what the figure of 40 is meant for are the clients that all histories need."""
    asynchronous, cursors = use["async"], use["cursors"]
    of_asyncio = asynchronous["threads"] - use["used"]["threads"]
    of_cursors = cursors["threads"] - asynchronous["threads"]
    return Goal(
        goal=f"threads in all where they read by asyncio and from cursors, too: <= {THREADS_MAX}",
        measured=f"{cursors['threads']}",
        met=cursors["threads"] <= THREADS_MAX,
        why=(
            f"asyncio's calls run on {of_asyncio} threads, and the consumers that hold cursors have"
            f" {of_cursors}; both are bounded, too"
        ),
    )


def _note(rest: Figures, use: Figures, used: int) -> str:
    many, cursors = use["used"], use["cursors"]
    return (
        f"{used} of the histories append and read, 16 at a time; the topics of the others do not exist. Then"
        f" the process has {many['threads']} threads and {many['connections']} connections; after the same"
        f" sessions were read from their cursors {cursors['threads']} and {cursors['connections']}, and"
        f" {cursors['cursors']} consumers were made for {used} cursors. A history at rest holds"
        f" {rest['bytes_kept']:,.0f} bytes, its session id included; one that was dropped without being"
        f" closed leaves {rest['bytes_dropped']:,.0f}."
    )


WORKLOAD = HistoryPerRequest()
