"""A read of the history under way: its plan, carried out one read at a time.

The last read of a plan may have moved the cursor. What it comes to is made while the log still holds that
read, so that Ctrl-C before the caller has the messages moves the cursor back.
"""

from collections.abc import Callable
from typing import Any

from attrs import define, evolve, field, frozen
from langchain_core.messages import BaseMessage

from kchat.conversation.remembering import Memory
from kchat.core import Known, Log, Plan, ReadOutcome, ReadRequest, settled_read
from kchat.core.log import Rank
from kchat.core.plans import Ask
from kchat.io import KafkaLog
from kchat.langchain.handing import Judged

Request = ReadRequest[BaseMessage]
Outcome = ReadOutcome[BaseMessage]


@frozen
class Last:
    """What the last read of a plan came to."""

    judged: Judged
    known: Known
    heeded: frozenset[Rank]


@define
class Heeding:
    """Which markers kept a message back from this history's reader: it need not be told of them."""

    ranks: frozenset[Rank] = frozenset()


@define
class Stepping:
    """What is asked next, and what its outcome means."""

    request: Request
    memory: Memory
    heeding: Heeding
    now_ms: Callable[[], int]
    judge: Callable[[Request, Outcome], Judged]
    take: Callable[[Judged], list[BaseMessage]]
    plan: Plan[tuple[Outcome, Known]] = field(init=False)
    before: Known = field(init=False)
    asked: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        moves = self.request.commit_to is not None and not self.request.follow
        known = self.before = self.memory.known
        if moves:
            heeding = evolve(self.request, heeded=self.heeding.ranks)
            self.plan = settled_read(heeding, known, self.now_ms)
        else:
            self.plan = _once(self.request, known)
        self.asked = next(self.plan)

    def go_on(self, outcome: Outcome) -> list[BaseMessage] | None:
        """The messages, or None: another read is asked."""
        return self.took(self.judged(outcome))

    def judged(self, outcome: Outcome) -> Last | Ask:
        """What follows. Only the plan goes on here: the caller may be gone before it is done."""
        try:
            return self.plan.send(outcome)
        except StopIteration as end:
            last, known = end.value
        return Last(self.judge(self.request, last), known, last.progress.heeded)

    def took(self, found: Last | Ask) -> list[BaseMessage] | None:
        """The caller has it."""
        if not isinstance(found, Last):
            self.asked = found
            return None
        self.memory.learn(self.before, found.known)
        self.heeding.ranks |= found.heeded
        return self.take(found.judged)


def _once(request: Request, known: Known) -> Plan[tuple[Outcome, Known]]:
    outcome: Outcome = yield request
    return outcome, known


# Between the return of the last read and the caller's own code Python looks for no signal.


def read_in_steps(log: Log, step: Stepping) -> list[BaseMessage]:
    """Read after read, until there are the messages."""
    while True:
        if isinstance(log, KafkaLog):
            found = log.read_for(step.asked, step.go_on)
        else:
            found = step.go_on(log.read(step.asked))
        if found is not None:
            return found


async def aread_in_steps(log: Log, step: Stepping) -> list[BaseMessage]:
    """The same, without blocking the event loop."""
    while True:
        if isinstance(log, KafkaLog):
            found = await log.aread_for(step.asked, step.judged, step.took)
        else:
            found = step.go_on(await log.aread(step.asked))
        if found is not None:
            return found
