"""Plans: reads that build on one another, as a generator that asks for each and is sent its outcome.

A plan is pure, as the machines are: whoever carries it out reads and waits, sync or async, and the rule of
what to read next stands in one place (docs/adr/0020-plans.md).
"""

from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

from attrs import frozen

from kchat.core.counting import FitRequest
from kchat.core.requests import ReadRequest, WatchRequest

T = TypeVar("T")

Ask = ReadRequest[Any] | WatchRequest | FitRequest[Any]
"""What a plan asks for. A read is answered with its outcome, a watch with whether it is worth reading, a fit
with what the caller's own function says: that is foreign code, which may take any time."""

Plan = Generator[Ask, Any, T]
"""A read that is built of several: it yields what to ask, is sent the answer, returns a `T`."""


def carry_out(plan: Plan[T], answer: Callable[[Ask], Any]) -> T:
    """Answer what the plan asks for, one after the other; what it returns in the end."""
    try:
        asked = next(plan)
        while True:
            asked = plan.send(answer(asked))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        plan.close()


@frozen
class Returned(Generic[T]):
    """The plan is carried out."""

    value: T


Step = Callable[[Callable[[], Ask | Returned[Any]], Any], Awaitable[Ask | Returned[Any]]]
"""Takes a step of a plan, here or elsewhere; it is told the answer that the plan goes on with."""


async def _here(step: Callable[[], Ask | Returned[Any]], _: Any) -> Ask | Returned[Any]:
    return step()


async def acarry_out(plan: Plan[T], answer: Callable[[Ask], Awaitable[Any]], take: Step = _here) -> T:
    """The same; other tasks run while an answer or a step is awaited. A cancelled one leaves nothing behind.

    So a plan must keep what it does to itself: whatever it changes elsewhere is changed for nobody, if it is
    cancelled during its last step.
    """
    told: Any = None
    try:
        while True:
            asked = await take(partial(_step, plan, told), told)
            if isinstance(asked, Returned):
                result: T = asked.value
                return result
            told = await answer(asked)
    finally:
        with suppress(ValueError):  # a step of it that was cancelled may go on elsewhere, to its end
            plan.close()


def _step(plan: Plan[T], told: Any) -> Ask | Returned[T]:
    try:
        return plan.send(told)
    except StopIteration as end:
        return Returned(end.value)
