"""Plans: reads that build on one another, as a generator that asks for each and is sent its outcome.

A plan is pure, as the machines are: whoever carries it out reads and waits, sync or async, and the rule of
what to read next stands in one place (docs/adr/0020-plans.md).
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any, TypeVar

from kchat.core.requests import ReadRequest, WatchRequest

T = TypeVar("T")

Ask = ReadRequest[Any] | WatchRequest
"""What a plan asks for. A read is answered with its outcome, a watch with whether it is worth reading."""

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


async def acarry_out(plan: Plan[T], answer: Callable[[Ask], Awaitable[Any]]) -> T:
    """The same; other tasks run while an answer is awaited. A cancelled one leaves nothing behind."""
    try:
        asked = next(plan)
        while True:
            asked = plan.send(await answer(asked))
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        plan.close()
