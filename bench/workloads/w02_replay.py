"""Reading whole conversations with warm clients, nothing of them decoded before."""

from contextlib import ExitStack, closing

from attrs import frozen

from bench.contenders.contender import Contender
from bench.contenders.fresh import Fresh
from bench.contenders.kchat import Kchat
from bench.contenders.names import KCHAT, RAW_DECODED
from bench.contenders.old import Old
from bench.contenders.raw import Raw
from bench.contenders.stores import absent, open_stores
from bench.conversation import conversation, session_name
from bench.figures import Findings, Goal, Timing
from bench.goals import at_most, faster_than_stores
from bench.measuring import Task, measure, returns
from bench.workload import Surroundings

SIZES = (4, 50, 1_000, 10_000)
FASTER_FROM = 1_000
OLD_SIZES = (4, 50)
OLD_SIZES_QUICK = (50,)
SECONDS_MAX = {4: 15.0, 50: 15.0, 1_000: 20.0, 10_000: 40.0}


@frozen
class Replay:
    """Workload 2."""

    number: int = 2
    title: str = "full replay of a conversation by a history that is new each time, clients warm"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        timings: list[Timing] = []
        with ExitStack() as stack:
            kchat = stack.enter_context(closing(Kchat(around.bootstrap)))
            raws = [
                stack.enter_context(closing(Raw(around.bootstrap))),
                stack.enter_context(closing(Raw(around.bootstrap, batched=True))),
                stack.enter_context(closing(Raw(around.bootstrap, decode=True))),
            ]
            stores = stack.enter_context(open_stores(around))
            for size in SIZES:
                timings += _measured(around, size, kchat, raws, stores)
        return Findings(timings=tuple(timings), goals=_goals(timings), absent=absent(around), notes=(_NOTE,))


_NOTE = (
    "The raw clients read what kchat wrote. The old class cannot see the end of a conversation: it takes the"
    " whole time it is given, 5 s by default."
)


def case_of(size: int) -> str:
    """The case, in words."""
    return f"{size:,} messages"


def _measured(
    around: Surroundings, size: int, kchat: Kchat, raws: list[Raw], stores: list[Contender]
) -> tuple[Timing, ...]:
    messages, session = conversation(size), session_name(f"w02_{size}")
    with ExitStack() as stack:
        for contender in (kchat, *stores):
            stack.enter_context(closing(contender.open(session))).fill(messages)
        tasks: list[Task] = []
        contenders: list[Contender] = [kchat, *raws, *stores]
        for contender in contenders:
            fresh = stack.enter_context(closing(Fresh(contender, session)))
            tasks.append(_task(contender.name, size, fresh))
        if size in (OLD_SIZES_QUICK if around.quick else OLD_SIZES):
            fresh = stack.enter_context(closing(Fresh(Old(around.bootstrap), session)))
            tasks.append(_task(Old.name, size, fresh, rounds_max=around.rounds(1, 2)))
        rounds = around.rounds(40, 200) if size <= FASTER_FROM else around.rounds(4, 20)
        seconds_max = 3.0 if around.quick else SECONDS_MAX[size]
        return measure(tasks, rounds, seconds_max=seconds_max)


def _task(name: str, size: int, fresh: Fresh, rounds_max: int | None = None) -> Task:
    return Task(
        contender=name,
        case=case_of(size),
        prepare=fresh.replaying,
        after=fresh.close,
        size=size,
        rounds_max=rounds_max,
        check=returns(size),
    )


def _goals(timings: list[Timing]) -> tuple[Goal, ...]:
    goals: list[Goal] = []
    for size in SIZES:
        goals += at_most(timings, KCHAT, RAW_DECODED, case_of(size), 1.3, "(raw + decode)")
        if size >= FASTER_FROM:
            goals += faster_than_stores(timings, KCHAT, case_of(size))
    return tuple(goals)


WORKLOAD = Replay()
