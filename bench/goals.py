"""The kinds of goals: times of one contender against another's in the same run."""

from collections.abc import Iterable, Sequence

from bench.contenders.names import STORES
from bench.figures import Goal, Timing, ratio


def at_most(
    timings: Sequence[Timing], contender: str, other: str, case: str, bound: float, of: str
) -> tuple[Goal, ...]:
    """So many times the other at most; no goal where one of them did not take part."""
    measured = measured_ratio(timings, contender, other, case)
    if measured is None:
        return ()
    return (Goal.ratio_max(f"{case}: <= {bound:g}x {of}", measured, bound),)


def at_least_faster(
    timings: Sequence[Timing], contender: str, other: str, case: str, bound: float, of: str
) -> tuple[Goal, ...]:
    """So many times faster than the other at least."""
    measured = measured_ratio(timings, other, contender, case)
    if measured is None:
        return ()
    goal = f"{case}: >= {bound:,g}x faster than {of}"
    return (Goal(goal=goal, measured=f"{measured:,.0f}x", met=measured >= bound),)


def faster_than_stores(
    timings: Sequence[Timing], contender: str, case: str, stores: Iterable[str] = STORES
) -> tuple[Goal, ...]:
    """Faster than each of the stores that took part."""
    found = []
    for store in stores:
        measured = measured_ratio(timings, contender, store, case)
        if measured is not None:
            goal = f"{case}: faster than {store}"
            found.append(Goal(goal=goal, measured=f"{measured:.2f}x its time", met=measured < 1.0))
    return tuple(found)


def measured_ratio(timings: Sequence[Timing], contender: str, other: str, case: str) -> float | None:
    """How many times as long as the other; None where one of them did not take part."""
    try:
        return ratio(timings, contender, other, case)
    except KeyError:
        return None
