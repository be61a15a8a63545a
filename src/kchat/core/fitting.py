"""Fitting: the newest messages that a budget of tokens takes, counted by the caller."""

from collections.abc import Sequence
from typing import Any, TypeVar

from kchat.core.counting import Count, FitRequest, Fitted
from kchat.core.known import Known
from kchat.core.outcomes import Failed
from kchat.core.paging import Paging, newest
from kchat.core.plans import Plan
from kchat.core.requests import ReadRequest
from kchat.core.slices import Slice

M = TypeVar("M")

FIRST_MAX = 32
"""How many messages are looked at first; four times as many each time that they fit."""

GROWTH = 4

ORPHANS = frozenset({"tool", "ToolMessageChunk", "function", "FunctionMessageChunk"})
"""A model refuses the result of a call that it does not see; "function" is what tools were called before."""


def newest_fitting(
    request: ReadRequest[M], tokens_max: int, count: Count[M], known: Known
) -> Plan[tuple[Slice[M], Known] | Failed[M]]:
    """The longest run of newest messages within the budget that begins with no tool's result.

    As LangChain's `trim_messages(strategy="last")` chooses, without partial messages.
    """
    messages_max = FIRST_MAX
    while True:
        found = yield from newest(request, Paging(messages_max=messages_max), known)
        if isinstance(found, Failed):
            return found
        page, known = found
        messages = [delivery.message for delivery in page.deliveries]
        fitted: Fitted = yield FitRequest(messages, tokens_max, count)
        if fitted.first > 0 or not page.older:
            return _from(page, fitted.first), known
        messages_max *= GROWTH


def without_orphans(messages: Sequence[Any], first: int) -> int:
    """The same, without the tool results at the beginning: their call is before it."""
    while first < len(messages) and getattr(messages[first], "type", None) in ORPHANS:
        first += 1
    return first


def _from(page: Slice[M], first: int) -> Slice[M]:
    """The page from this message on."""
    messages = [delivery.message for delivery in page.deliveries]
    kept = without_orphans(messages, first)
    return page.without_first(kept, older=page.older or first > 0)
