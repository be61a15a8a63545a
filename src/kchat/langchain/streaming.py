"""A conversation of any length, message by message: read in batches, so that a batch is what it takes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from langchain_core.messages import BaseMessage

from kchat.conversation.computing import at_once_or_aside, is_large_answer, pausing, step_aside
from kchat.conversation.remembering import Memory
from kchat.core import Failed, ReadOutcome, ReadRequest, acarry_out, carry_out, continued, settled_batch
from kchat.langchain.handing import Judged

Request = ReadRequest[BaseMessage]
Outcome = ReadOutcome[BaseMessage]
Judge = Callable[[Request, Outcome], Judged]
Take = Callable[[Judged], list[BaseMessage]]

BATCH_MAX_DEFAULT = 1_000


def stream(
    read: Callable[[Any], Outcome], judge: Judge, take: Take, request: Request, memory: Memory
) -> Iterator[BaseMessage]:
    """Batch after batch. What a batch that fails has handed out comes before its error."""
    todo: Request | None = request
    while todo is not None:
        before = memory.known
        outcome, known = carry_out(settled_batch(todo, before), read)
        memory.learn(before, known)
        if isinstance(outcome, Failed):
            yield from outcome.progress.messages
        yield from take(judge(todo, outcome))
        todo = continued(todo, outcome)


async def astream(
    read: Callable[[Any], Awaitable[Outcome]], judge: Judge, take: Take, request: Request, memory: Memory
) -> AsyncIterator[BaseMessage]:
    """The same, without blocking the event loop: a large batch is judged on another thread."""
    todo: Request | None = request
    while todo is not None:
        before = memory.known
        outcome, known = await acarry_out(settled_batch(todo, before), read, step_aside)
        memory.learn(before, known)
        if isinstance(outcome, Failed):
            async for message in pausing(outcome.progress.messages):
                yield message
        judged = await at_once_or_aside(partial(judge, todo, outcome), large=is_large_answer(outcome))
        async for message in pausing(take(judged)):
            yield message
        todo = continued(todo, outcome)
