"""A chain of LangChain with a model that answers at once: what the history costs per turn."""

import time
from collections.abc import Callable
from contextlib import ExitStack, closing

from attrs import frozen
from langchain_core.chat_history import BaseChatMessageHistory, InMemoryChatMessageHistory
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import HumanMessage
from langchain_core.runnables.history import RunnableWithMessageHistory

from bench.contenders.kchat import Kchat
from bench.contenders.names import KCHAT, MEMORY
from bench.conversation import ANSWER, QUESTION, conversation, session_name
from bench.figures import Findings, Goal
from bench.measuring import Task, measure
from bench.round_trips import Counted, RoundTrips
from bench.workload import Surroundings

TURNS = 50
OVERHEAD_MS_MAX = 3.0
ROUND_TRIPS_MAX = 2
READS = 21
QUIET_SECONDS = 0.02
"""What was still asked for the read before is answered by then."""

CASE = f"a turn, of {TURNS}"
KEPT = f"a turn, of {TURNS}, the history kept"

Histories = Callable[[str], BaseChatMessageHistory]


@frozen
class Chain:
    """Workload 5."""

    number: int = 5
    title: str = f"{TURNS} turns through RunnableWithMessageHistory, with a model that answers at once"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        with ExitStack() as stack:
            kchat = stack.enter_context(closing(Kchat(around.bootstrap)))
            tasks = [
                _task(KCHAT, CASE, lambda: _of_kchat(kchat)),
                _task(KCHAT, KEPT, lambda: _kept(kchat)),
                _task(MEMORY, CASE, _in_memory),
            ]
            timings = measure(
                tasks, around.rounds(4, 20), seconds_max=4.0 if around.quick else 40.0, warmups=1
            )
        findings = Findings(timings=timings)
        overheads = tuple(_overhead(findings, case) for case in (CASE, KEPT))
        if around.round_trips is None:
            return Findings(timings=timings, goals=overheads, notes=(_NOT_COUNTED,))
        anew, again = _round_trips(around.round_trips)
        trips = Goal.count_max("sequential round trips per read", anew.round_trips, ROUND_TRIPS_MAX)
        placed = _round_trips_from_the_place(around.round_trips)
        notes = (
            "LangChain reads a history twice in a turn. One that is made for the turn, as the README shows"
            " it, reads the whole conversation once; one that is kept reads what is new.",
            f"Round trips of its read: {anew.in_words}.",
            f"Of a history that is kept, after one more turn: {again.in_words}.",
            f"Of a read from the place, without replay, after one more turn: {placed.in_words}.",
        )
        return Findings(
            timings=timings, goals=(*overheads, trips, placed_goal(placed.round_trips)), notes=notes
        )


def _overhead(findings: Findings, case: str) -> Goal:
    overhead_ms = 1000 * (findings.median(KCHAT, case) - findings.median(MEMORY, CASE))
    return Goal(
        goal=f"{case}: <= {OVERHEAD_MS_MAX:g} ms more than in memory",
        measured=f"{overhead_ms:.2f} ms",
        met=overhead_ms <= OVERHEAD_MS_MAX,
    )


def placed_goal(round_trips: int) -> Goal:
    """Not structural: what follows what is the cursor's own order."""
    return Goal(
        goal=f"sequential round trips per read from the place: <= {ROUND_TRIPS_MAX}",
        measured=f"{round_trips}",
        met=round_trips <= ROUND_TRIPS_MAX,
        why=(
            "where the cursor is must be known before the ends are asked for, or another reader's place could"
            " lie beyond them; then come the records, and the commit"
        ),
    )


_NOT_COUNTED = "Round trips were not counted: the Kafka is somebody else's, and has no second address."


def _task(name: str, case: str, histories: Callable[[], Histories]) -> Task:
    return Task(contender=name, case=case, prepare=lambda: _turns(histories()), per=TURNS)


def _of_kchat(kchat: Kchat) -> Histories:
    session = _begun(kchat)
    return lambda _: kchat.open(session).history


def _kept(kchat: Kchat) -> Histories:
    history = kchat.open(_begun(kchat)).history
    return lambda _: history


def _begun(kchat: Kchat) -> str:
    """A conversation whose topic is made: that is once a conversation, and not what a turn costs."""
    session = session_name("w05")
    with closing(kchat.open(session)) as first:
        first.history.add_messages([HumanMessage(QUESTION)])
    return session


def _in_memory() -> Histories:
    history = InMemoryChatMessageHistory(messages=[HumanMessage(QUESTION)])
    return lambda _: history


def _turns(histories: Histories) -> Callable[[], object]:
    chain = RunnableWithMessageHistory(FakeListChatModel(responses=[ANSWER]), histories)

    def run() -> None:
        for _ in range(TURNS):
            chain.invoke([HumanMessage(QUESTION)], {"configurable": {"session_id": "s"}})

    return run


def _round_trips(counter: RoundTrips) -> tuple[Counted, Counted]:
    """Of a read by a new history, and by one that has read before: the middle one of many each."""
    with closing(Kchat(counter.address)) as kchat:
        session = session_name("w05_trips")
        kept = kchat.open(session)
        kept.append(conversation(10))
        kept.replay()
        found: tuple[list[Counted], list[Counted]] = ([], [])
        for _ in range(READS):
            new = kchat.open(session)
            for opened, counts in ((new, found[0]), (kept, found[1])):
                opened.append(conversation(2))
                time.sleep(QUIET_SECONDS)
                counter.reset()
                opened.replay()
                counts.append(counter.counted())
            new.close()
        kept.close()
    return _middle(found[0]), _middle(found[1])


def _round_trips_from_the_place(counter: RoundTrips) -> Counted:
    """Of a warm history that reads what is new and moves its place."""
    with closing(Kchat(counter.address, cursor=True)) as kchat:
        kept, counts = kchat.open(session_name("w05_place")), list[Counted]()
        for number in range(READS + 1):
            kept.append(conversation(2))
            time.sleep(QUIET_SECONDS)
            counter.reset()
            kept.replay()
            if number:  # the first one makes the clients
                counts.append(counter.counted())
        kept.close()
    return _middle(counts)


def _middle(counts: list[Counted]) -> Counted:
    return sorted(counts, key=lambda each: (each.round_trips, each.in_words))[len(counts) // 2]


WORKLOAD = Chain()
