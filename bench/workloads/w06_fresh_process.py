"""A fresh process: what the import costs, and the first things that are done."""

import os
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory

from attrs import frozen

from bench.children.fresh_start import APPEND, NEEDED, STEPS, UNNEEDED
from bench.children.running import Figures, figures_of
from bench.contenders.kchat import Kchat
from bench.contenders.names import KCHAT, RAW
from bench.conversation import conversation, session_name
from bench.figures import Findings, Goal, Timing
from bench.import_times import Own, own_times
from bench.tables import duration
from bench.workload import Surroundings

MESSAGES = 10
CHILD_SECONDS_MAX = 30.0
STEPS_MS_MAX = 80.0
IMPORT_MS_MAX = 30.0
WAIT_MS = 400.0
"""The wait for a producer's id takes 505 ms where nobody wakes it; an append without it takes a tenth."""

PACKAGES = ("attr", "attrs", "kchat")
"""Of third parties, beyond those that the needed packages import; `attr` is attrs by its other name."""

ALL = "all three"
IMPORT = "import"
NEEDED_PACKAGES = "langchain_core and confluent_kafka"


@frozen
class FreshProcess:
    """Workload 6."""

    number: int = 6
    title: str = "a fresh process: the import, the first append and the first read of a topic that is there"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        session = session_name("w06")
        with closing(Kchat(around.bootstrap)) as kchat:
            kchat.open(session).fill(conversation(MESSAGES))
        started: dict[str, list[Figures]] = {KCHAT: [], RAW: []}
        with _compiled() as environment:
            for number in range(around.rounds(5, 20)):
                for contender in (KCHAT,) if number % 2 else (KCHAT, RAW):
                    name = "kchat" if contender == KCHAT else "raw"
                    started[contender].append(
                        figures_of(
                            "fresh_start",
                            *(name, around.bootstrap, session, MESSAGES),
                            seconds_max=CHILD_SECONDS_MAX,
                            environment=environment,
                        )
                    )
            costs = own_times(NEEDED, "kchat.langchain", environment)
        timings = (*_import_timings(started[KCHAT]), *_step_timings(started))
        goals = (
            _steps_goal(timings),
            _import_goal(started[KCHAT], costs),
            *structural_goals(started[KCHAT]),
        )
        return Findings(timings=timings, goals=goals, notes=(_NOTE,))


_NOTE = (
    "Each run is a process of its own, which measures itself; the import is counted beyond that of"
    f" {NEEDED_PACKAGES} ({', '.join(NEEDED)}), which stands beside it. The raw client is warmed, or its"
    " append would wait 505 ms for its producer's id."
)


@contextmanager
def _compiled() -> Iterator[Mapping[str, str]]:
    """An environment in which Python keeps what it compiled, as an installation does; it is filled here."""
    with TemporaryDirectory(prefix="bench-compiled-") as directory:
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment = {**kept, "PYTHONPYCACHEPREFIX": directory}
        own_times(NEEDED, "kchat.langchain, bench.contenders.raw", environment)
        yield environment


def _import_timings(started: Sequence[Figures]) -> tuple[Timing, Timing]:
    return (
        Timing(contender=KCHAT, case=IMPORT, seconds=tuple(each["kchat"] for each in started)),
        Timing(contender=NEEDED_PACKAGES, case=IMPORT, seconds=tuple(each["needed"] for each in started)),
    )


def _step_timings(started: Mapping[str, Sequence[Figures]]) -> tuple[Timing, ...]:
    timings = []
    for contender, children in started.items():
        for step in STEPS:
            seconds = tuple(each["steps"][step] for each in children)
            timings.append(Timing(contender=contender, case=step, seconds=seconds))
        together = tuple(sum(each["steps"].values()) for each in children)
        timings.append(Timing(contender=contender, case=ALL, seconds=together))
    return tuple(timings)


def _steps_goal(timings: tuple[Timing, ...]) -> Goal:
    found = Findings(timings=timings)
    kchat, raw = found.median(KCHAT, ALL), found.median(RAW, ALL)
    steps = ", ".join(f"{step} {duration(found.median(KCHAT, step))}" for step in STEPS)
    return Goal(
        goal=f"construct, first append and first read: <= {STEPS_MS_MAX:g} ms",
        measured=duration(kchat),
        met=1000 * kchat <= STEPS_MS_MAX,
        why=f"{steps}; the raw client takes {duration(raw)} for the same",
    )


def _import_goal(started: Sequence[Figures], costs: Sequence[Own]) -> Goal:
    # The least: whatever else the machine does only adds to an import.
    best = min(started, key=lambda each: float(each["kchat"]))
    median = statistics.median(each["kchat"] for each in started)
    return Goal(
        goal=f"import: <= {IMPORT_MS_MAX:g} ms beyond {NEEDED_PACKAGES}",
        measured=f"{duration(best['kchat'])} at least, median {duration(median)}",
        met=1000 * best["kchat"] <= IMPORT_MS_MAX,
        why=f"{duration(best['collecting'])} of it is Python's garbage collector; {_costs(costs)}",
    )


def structural_goals(started: Sequence[Figures]) -> tuple[Goal, ...]:
    """What does not depend on the machine: what is imported, and for what the first append does not wait."""
    append = min(each["steps"][APPEND] for each in started)
    packages = sorted({package for each in started for package in each["packages"]})
    unneeded = sorted({name for each in started for name in each["unneeded"]})
    return (
        Goal(
            goal=f"the quickest first append takes < {WAIT_MS:g} ms: it does not wait for a producer's id",
            measured=duration(append),
            met=1000 * append < WAIT_MS,
            structural=True,
        ),
        Goal(
            goal=f"imported of third parties beyond {NEEDED_PACKAGES}: {', '.join(PACKAGES)}",
            measured=", ".join(packages),
            met=tuple(packages) == PACKAGES,
            structural=True,
        ),
        Goal(
            goal=f"none of {', '.join(UNNEEDED)} is imported for kchat",
            measured=", ".join(unneeded) or "none",
            met=not unneeded,
            structural=True,
        ),
    )


def _costs(costs: Sequence[Own]) -> str:
    shares = ", ".join(
        f"{each.package} {duration(each.microseconds / 1e6)} in {each.modules} modules" for each in costs[:4]
    )
    return f"by -X importtime, which is slower: {shares}"


WORKLOAD = FreshProcess()
