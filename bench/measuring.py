"""Measures contenders by turns: in each round every one of them once, so that noise hits all alike."""

import gc
import random
import time
from collections.abc import Callable, Sequence

from attrs import define, field, frozen

from bench.figures import Timing

ROUNDS_MIN = 3
"""Not fewer, however little time there is."""


@frozen(kw_only=True)
class Task:
    """One contender at one case.

    Attributes:
        contender: its name.
        case: what is done.
        prepare: done before each run and not measured; gives what is.
        after: done after each run and not measured: what a run leaves shall not burden the next contender.
        size: as in `Timing`.
        rounds_max: no more than so many, for one that takes seconds.
        check: of what a run returned, whether the work was done; measuring an error would be no use.
        per: what one run does so many of; its time is divided by that.
    """

    contender: str
    case: str
    prepare: Callable[[], Callable[[], object]]
    after: Callable[[], object] | None = None
    size: int | None = None
    rounds_max: int | None = None
    check: Callable[[object], bool] | None = None
    per: int = 1


class NotDoneError(Exception):
    """A contender did not do what it was asked to: its time means nothing."""


@define
class _Taken:
    task: Task
    seconds: list[float] = field(factory=list)

    def once(self) -> None:
        run = self.task.prepare()
        begun = time.perf_counter()
        returned = run()
        seconds = time.perf_counter() - begun
        if self.task.check is not None and not self.task.check(returned):
            raise NotDoneError(f"{self.task.contender}, {self.task.case}: not what was expected")
        del run, returned  # before what is left is given back: they may hold all of it
        if self.task.after is not None:
            self.task.after()
        self.seconds.append(seconds / self.task.per)

    @property
    def wants_more(self) -> bool:
        return self.task.rounds_max is None or len(self.seconds) < self.task.rounds_max


def measure(
    tasks: Sequence[Task], rounds: int, *, seconds_max: float = 60.0, warmups: int = 1
) -> tuple[Timing, ...]:
    """Measure all tasks, round by round.

    The order is another one each time: to come after the one that keeps the disk busy is nobody's fate.

    Args:
        tasks: what to measure.
        rounds: how many, at most.
        seconds_max: no further round begins after so long, if there were `ROUNDS_MIN`; the time of tasks with
            `rounds_max` does not count.
        warmups: rounds that do not count; the tasks with `rounds_max` have none.
    """
    for task in tasks:
        for _ in range(warmups if task.rounds_max is None else 0):
            task.prepare()()
    taken = [_Taken(task) for task in tasks]
    end = time.monotonic() + seconds_max
    # What is there before the first round is nobody's garbage; what a round leaves is its maker's.
    gc.collect()
    gc.freeze()
    try:
        for number in range(rounds):
            if number >= ROUNDS_MIN and time.monotonic() > end:
                break
            for each in _shuffled(taken, number):
                if each.wants_more:
                    begun = time.monotonic()
                    each.once()
                    if each.task.rounds_max is not None:
                        end += (
                            time.monotonic() - begun
                        )  # the slowest one shall not cost the others their rounds
    finally:
        gc.unfreeze()
    return tuple(
        Timing(
            contender=each.task.contender,
            case=each.task.case,
            seconds=tuple(each.seconds),
            size=each.task.size,
        )
        for each in taken
    )


def _shuffled(taken: Sequence[_Taken], number: int) -> Sequence[_Taken]:
    """In another order each round, the same in every run."""
    return random.Random(number).sample(taken, len(taken))  # noqa: S311


def returns(count: int) -> Callable[[object], bool]:
    """Check that a run returned so many messages."""

    def check(returned: object) -> bool:
        return isinstance(returned, list) and len(returned) == count

    return check
