"""Asking for what is new where nothing is: what a chat does most often."""

from collections.abc import Callable
from contextlib import ExitStack, closing

from attrs import frozen

from bench.contenders.contender import Contender, Conversation
from bench.contenders.kchat import Kchat, KchatConversation
from bench.contenders.names import KCHAT, KCHAT_CURSOR, OLD, RAW, RAW_BATCHED, REDIS
from bench.contenders.old import Old
from bench.contenders.raw import Raw
from bench.contenders.stores import absent, open_stores
from bench.contenders.topics import create_topics
from bench.conversation import conversation, session_name
from bench.figures import Findings, Goal, Timing
from bench.goals import at_least_faster, at_most, faster_than_stores
from bench.measuring import NotDoneError, Task, measure, returns
from bench.workload import Surroundings

MESSAGES = 50
NEXT_CAUGHT_UP = f"messages from the cursor, all {MESSAGES} read before"
NEXT_EMPTY = "messages from the cursor, empty"
REPLAY_CAUGHT_UP = f"replay of {MESSAGES}, all replayed before"
REPLAY_EMPTY = "replay, empty"
NEXT, REPLAY = (NEXT_CAUGHT_UP, NEXT_EMPTY), (REPLAY_CAUGHT_UP, REPLAY_EMPTY)


@frozen
class NothingNew:
    """Workload 1."""

    number: int = 1
    title: str = "nothing new: the next messages, or a replay, when there is nothing that was not read before"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        with ExitStack() as stack:
            timings = measure(
                [
                    *_kchat_tasks(around, stack),
                    *_raw_tasks(around, stack),
                    *_store_tasks(around, stack),
                    *_old_tasks(around, stack),
                ],
                around.rounds(60, 400),
            )
        return Findings(timings=timings, goals=_goals(timings), absent=absent(around), notes=(_NOTE,))


_NOTE = (
    "A store has no cursor: it reads the conversation again. The raw client asks for the watermarks of the"
    f" topic's partitions and for nothing else: one partition a time, or, as {RAW_BATCHED!r}, all at once."
)


def _kchat_tasks(around: Surroundings, stack: ExitStack) -> list[Task]:
    cursor = stack.enter_context(closing(Kchat(around.bootstrap, cursor=True)))
    replaying = stack.enter_context(closing(Kchat(around.bootstrap)))
    tasks = []
    for contender, caught_up, empty in (
        (cursor, NEXT_CAUGHT_UP, NEXT_EMPTY),
        (replaying, REPLAY_CAUGHT_UP, REPLAY_EMPTY),
    ):
        full, nothing = session_name("w01_full"), session_name("w01_empty")
        create_topics(around.bootstrap, [nothing])
        opened = contender.open(full)
        opened.fill(conversation(MESSAGES))
        if contender is cursor:
            opened.history.messages_from_beginning(None, None)
        left = MESSAGES if contender is replaying else 0
        tasks += [
            _task(contender.name, caught_up, stack.enter_context(closing(opened)), left),
            _task(contender.name, empty, stack.enter_context(closing(contender.open(nothing))), 0),
        ]
    return tasks


def _task(name: str, case: str, opened: KchatConversation, count: int) -> Task:
    return Task(contender=name, case=case, prepare=lambda: opened.replay, check=returns(count))


def _raw_tasks(around: Surroundings, stack: ExitStack) -> list[Task]:
    tasks = []
    for batched in (False, True):
        raw = stack.enter_context(closing(Raw(around.bootstrap, batched=batched)))
        full, nothing = session_name("w01_raw_full"), session_name("w01_raw_empty")
        create_topics(around.bootstrap, [full, nothing])
        raw.open(full).fill(conversation(MESSAGES))
        for session, cases in (
            (full, (NEXT_CAUGHT_UP, REPLAY_CAUGHT_UP)),
            (nothing, (NEXT_EMPTY, REPLAY_EMPTY)),
        ):
            run = raw.open(session).watermarks
            tasks += [Task(contender=raw.name, case=case, prepare=_always(run)) for case in cases]
    return tasks


def _store_tasks(around: Surroundings, stack: ExitStack) -> list[Task]:
    tasks = []
    for store in stack.enter_context(open_stores(around)):
        full, nothing = _opened(store, stack), _opened(store, stack)
        full.fill(conversation(MESSAGES))
        for opened, cases, count in (
            (full, (NEXT_CAUGHT_UP, REPLAY_CAUGHT_UP), MESSAGES),
            (nothing, (NEXT_EMPTY, REPLAY_EMPTY), 0),
        ):
            tasks += [
                Task(contender=store.name, case=case, prepare=_always(opened.replay), check=returns(count))
                for case in cases
            ]
    return tasks


def _old_tasks(around: Surroundings, stack: ExitStack) -> list[Task]:
    old = stack.enter_context(closing(Old(around.bootstrap)))
    full, nothing = (old.open(session_name("w01_old")) for _ in range(2))
    full.fill(conversation(4))
    if len(full.read(4)) != 4:
        raise NotDoneError(f"{OLD} did not come to the end of four messages")
    rounds = around.rounds(1, 2)
    return [
        Task(contender=OLD, case=case, prepare=_always(opened.next_ones), rounds_max=rounds, check=returns(0))
        for opened, case in ((full, NEXT_CAUGHT_UP), (nothing, NEXT_EMPTY))
    ]


def _opened(contender: Contender, stack: ExitStack) -> Conversation:
    return stack.enter_context(closing(contender.open(session_name("w01"))))


def _always(run: Callable[[], object]) -> Callable[[], Callable[[], object]]:
    return lambda: run


def _goals(timings: tuple[Timing, ...]) -> tuple[Goal, ...]:
    goals: list[Goal] = []
    for case in NEXT:
        goals += at_least_faster(timings, KCHAT_CURSOR, OLD, case, 2_000, "the old class")
    for contender, cases in ((KCHAT_CURSOR, NEXT), (KCHAT, REPLAY)):
        for case in cases:
            goals += at_most(timings, contender, RAW, case, 1.5, "raw")
            goals += faster_than_stores(timings, contender, case, (REDIS,))
    return tuple(goals)


WORKLOAD = NothingNew()
