"""Counting: which of the newest messages fit a budget, by the caller's own function.

It is the caller's code: it may ask a server, take seconds, or read conversations itself. So a plan asks for
it, as for a read, and whoever carries the plan out chooses where it runs.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from attrs import field, frozen

M = TypeVar("M")

Count = Callable[[Sequence[M]], int]
"""How many tokens messages take together; more of them never take less."""


@frozen
class Fitted:
    """The answer to a `FitRequest`.

    Attributes:
        first: the index of the first message of the longest run at the end that fits.
        looked_at: how many messages there are.
    """

    first: int
    looked_at: int


@frozen
class FitRequest(Generic[M]):
    """Ask how many of the newest of these messages fit: `answer` calls the caller's `count` several times."""

    messages: Sequence[M] = field(repr=lambda messages: f"<{len(messages)}>")
    tokens_max: int
    count: Count[M] = field(repr=False)

    def answer(self) -> Fitted:
        """Raises what `count` raises."""
        try:
            return Fitted(first_fitting(self.messages, self.tokens_max, self.count), len(self.messages))
        except StopIteration as error:
            # It would end the plan that waits for this, as if that had returned; a future does not take it.
            raise RuntimeError("count raised StopIteration") from error


def first_fitting(messages: Sequence[M], tokens_max: int, count: Callable[[Any], int]) -> int:
    """The index of the first message of the longest run at the end that fits."""
    low, high = 0, len(messages)
    while low < high:
        middle = (low + high) // 2
        if count(messages[middle:]) <= tokens_max:
            high = middle
        else:
            low = middle + 1
    return low
