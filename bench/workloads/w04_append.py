"""Appending: a turn of two messages, and a conversation of a thousand that moves in."""

import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing

from attrs import frozen
from langchain_core.messages import BaseMessage, message_to_dict

from bench.contenders.contender import Contender, Conversation
from bench.contenders.kchat import Kchat
from bench.contenders.names import KCHAT, RAW, RAW_ENCODED, REDIS
from bench.contenders.old import Old
from bench.contenders.raw import Raw, RawConversation
from bench.contenders.stores import absent, open_stores
from bench.contenders.topics import create_topics
from bench.conversation import conversation, session_name
from bench.figures import Findings, Goal, Timing
from bench.goals import at_most, faster_than_stores
from bench.measuring import Task, measure
from bench.workload import Surroundings
from kchat.core import NewRecord

TURN, BULK = "a turn of 2", "a bulk of 1,000"
COUNTS = {TURN: 2, BULK: 1_000}


@frozen
class Append:
    """Workload 4."""

    number: int = 4
    title: str = "append a turn of 2 messages, a bulk of 1,000; it returns when they are safe"

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
        rounds = {TURN: around.rounds(60, 500), BULK: around.rounds(4, 25)}
        timings: list[Timing] = []
        with ExitStack() as stack:
            for case, count in COUNTS.items():
                tasks = _tasks(around, stack, case, conversation(count))
                timings += measure(tasks, rounds[case], seconds_max=4.0 if around.quick else 25.0)
        return Findings(timings=tuple(timings), goals=_goals(timings), absent=absent(around), notes=(_NOTE,))


_NOTE = (
    "The raw client is given bytes, and encodes nothing; 'raw client + encode' makes JSON of the messages"
    " first, in the cheapest way. Redis answers each message by itself; the SQL histories store a call in one"
    " transaction."
)


def _tasks(around: Surroundings, stack: ExitStack, case: str, messages: Sequence[BaseMessage]) -> list[Task]:
    opened: list[tuple[str, Conversation]] = []
    stores = stack.enter_context(open_stores(around))
    contenders: list[Contender] = [Kchat(around.bootstrap), Old(around.bootstrap), *stores]
    for contender in contenders:
        stack.enter_context(closing(contender))
        found = stack.enter_context(closing(contender.open(session_name("w04"))))
        opened.append((contender.name, found))
    tasks = [
        Task(
            contender=name,
            case=case,
            prepare=_appending(each, messages),
            # Message by message to the disk: one bulk takes it seconds.
            rounds_max=around.rounds(1, 5) if (name, case) == (REDIS, BULK) else None,
        )
        for name, each in opened
    ]
    raw = stack.enter_context(closing(Raw(around.bootstrap)))
    session = session_name("w04_raw")
    create_topics(around.bootstrap, [session])
    raw_one = raw.open(session)
    raw_one.warm()
    return [
        *tasks,
        Task(contender=RAW, case=case, prepare=_producing(raw_one, messages)),
        Task(contender=RAW_ENCODED, case=case, prepare=_encoding(raw_one, messages)),
    ]


def _appending(opened: Conversation, messages: Sequence[BaseMessage]) -> Callable[[], Callable[[], object]]:
    return lambda: lambda: opened.append(messages)


def _producing(raw: RawConversation, messages: Sequence[BaseMessage]) -> Callable[[], Callable[[], object]]:
    records = raw.encoded(messages)
    return lambda: lambda: raw.produce(records)


def _encoding(raw: RawConversation, messages: Sequence[BaseMessage]) -> Callable[[], Callable[[], object]]:
    [key] = {record.key for record in raw.encoded(messages)}

    def run() -> None:
        raw.produce(
            [
                NewRecord(key=key, value=json.dumps(message_to_dict(message)).encode(), headers=())
                for message in messages
            ]
        )

    return lambda: run


def _goals(timings: Sequence[Timing]) -> tuple[Goal, ...]:
    goals: list[Goal] = []
    for case in COUNTS:
        goals += at_most(timings, KCHAT, RAW, case, 1.2, "raw produce + flush")
    goals += faster_than_stores(timings, KCHAT, TURN)
    return tuple(goals)


WORKLOAD = Append()
