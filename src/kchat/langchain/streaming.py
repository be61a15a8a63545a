"""A conversation of any length, message by message: read in batches, so that a batch is what it takes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from langchain_core.messages import BaseMessage

from kchat.conversation.asking import Memory
from kchat.core import Failed, ReadOutcome, ReadRequest, acarry_out, carry_out, continued, settled_batch

Request = ReadRequest[BaseMessage]
Outcome = ReadOutcome[BaseMessage]
Hand = Callable[[Request, Outcome], list[BaseMessage]]

BATCH_MAX_DEFAULT = 1_000


def stream(
    read: Callable[[Any], Outcome], hand: Hand, request: Request, memory: Memory
) -> Iterator[BaseMessage]:
    """Batch after batch. What a batch that fails has handed out comes before its error."""
    todo: Request | None = request
    while todo is not None:
        outcome, memory.known = carry_out(settled_batch(todo, memory.known), read)
        if isinstance(outcome, Failed):
            yield from outcome.progress.messages
        yield from hand(todo, outcome)
        todo = continued(todo, outcome)


async def astream(
    read: Callable[[Any], Awaitable[Outcome]], hand: Hand, request: Request, memory: Memory
) -> AsyncIterator[BaseMessage]:
    """The same, without blocking the event loop."""
    todo: Request | None = request
    while todo is not None:
        outcome, memory.known = await acarry_out(settled_batch(todo, memory.known), read)
        if isinstance(outcome, Failed):
            for message in outcome.progress.messages:
                yield message
        for message in hand(todo, outcome):
            yield message
        todo = continued(todo, outcome)
