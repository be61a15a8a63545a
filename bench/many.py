"""Appends of many sessions at once, by threads and by coroutines."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial
from threading import Event, Thread

from confluent_kafka import KafkaError, KafkaException, Message

from bench.contenders.kchat import Kchat
from bench.contenders.names import KCHAT, RAW, SQLITE
from bench.contenders.raw import Raw, RawConversation
from bench.contenders.stores import open_stores
from bench.contenders.topics import create_topics
from bench.conversation import conversation, session_name
from bench.measuring import Task
from bench.workload import Surroundings
from kchat.core import NewRecord
from kchat.langchain import KafkaChatMessageHistory

THREADS_COUNT = 8
COROUTINES_COUNT = 1_000
COROUTINE_SESSIONS = 20
"""The coroutines share these: a topic for each of a thousand would measure the making of topics."""

THREADS = f"{THREADS_COUNT} threads"
COROUTINES = f"{COROUTINES_COUNT:,} coroutines"
TURN = conversation(2)
SECONDS_MAX = 30.0


def thread_tasks(around: Surroundings, stack: ExitStack) -> list[Task]:
    """Each thread appends to a session of its own, again and again."""
    repeats = around.rounds(15, 50)
    pool = stack.enter_context(ThreadPoolExecutor(THREADS_COUNT, "bench"))
    stores = stack.enter_context(open_stores(around))
    sessions = [session_name("w08") for _ in range(THREADS_COUNT)]
    tasks = []
    for contender in (stack.enter_context(closing(Kchat(around.bootstrap))), *stores):
        if contender.name == SQLITE:
            continue  # one writer a time, and the others fail after a while: it is not made for this
        opened = [stack.enter_context(closing(contender.open(session))) for session in sessions]
        appends = [partial(each.append, TURN) for each in opened]
        tasks.append(_thread_task(contender.name, pool, appends, repeats))
    raw = stack.enter_context(closing(Raw(around.bootstrap)))
    flushing = Flushing(raw)
    stack.callback(flushing.close)
    appends = [partial(flushing.append, each, each.encoded(TURN)) for each in _raw_sessions(around, raw)]
    return [*tasks, _thread_task(RAW, pool, appends, repeats)]


def coroutine_tasks(around: Surroundings, stack: ExitStack) -> list[Task]:
    """Each coroutine appends once."""
    kchat = stack.enter_context(closing(Kchat(around.bootstrap)))
    sessions = [session_name("w08") for _ in range(COROUTINE_SESSIONS)]
    histories = []
    for number in range(COROUTINES_COUNT):
        opened = stack.enter_context(closing(kchat.open(sessions[number % COROUTINE_SESSIONS])))
        histories.append(opened.history)
    for history in histories[:COROUTINE_SESSIONS]:
        history.add_messages(TURN)
    raw = stack.enter_context(closing(Raw(around.bootstrap)))
    polling = Polling(raw)
    stack.callback(polling.close)
    raws = _raw_sessions(around, raw, COROUTINE_SESSIONS)
    return [
        _coroutine_task(KCHAT, lambda: asyncio.run(_all_append(histories))),
        _coroutine_task(RAW, lambda: asyncio.run(_all_produce(raws))),
    ]


class Flushing:
    """Flushes a producer on a thread of its own, for the appends of many threads; each waits for its reports.

    Each thread flushing for itself is slower: all of them wait for the records of all.
    """

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._closed = False
        self._wanted = Event()
        self._thread = Thread(target=self._run, name="bench-flush", daemon=True)
        self._thread.start()

    def append(self, session: RawConversation, records: Sequence[NewRecord]) -> None:
        """Produce the records, and wait until every one of them is reported."""
        reported: list[KafkaError | None] = []
        done = Event()

        def report(error: KafkaError | None, _record: Message) -> None:
            reported.append(error)
            if len(reported) == len(records):
                done.set()

        for record in records:
            session.produce_one(record, report)
        self._wanted.set()
        if not done.wait(SECONDS_MAX):
            raise TimeoutError("no report came")
        for error in reported:
            if error is not None:
                raise KafkaException(error)

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._wanted.set()
        self._thread.join(SECONDS_MAX)

    def _run(self) -> None:
        while not self._closed:
            self._wanted.wait()
            self._wanted.clear()
            self._raw.clients.producer.flush(SECONDS_MAX)


class Polling:
    """Serves a producer's reports on a thread of its own, as its asynchronous users do."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw
        self._closed = False
        self._thread = Thread(target=self._run, name="bench-poll", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._thread.join(SECONDS_MAX)

    def _run(self) -> None:
        while not self._closed:
            self._raw.clients.producer.poll(0.1)


def _raw_sessions(around: Surroundings, raw: Raw, count: int = THREADS_COUNT) -> list[RawConversation]:
    sessions = [session_name("w08_raw") for _ in range(count)]
    create_topics(around.bootstrap, sessions)
    found = [raw.open(session) for session in sessions]
    for each in found:
        each.warm()
    return found


def _thread_task(
    name: str, pool: ThreadPoolExecutor, appends: Sequence[Callable[[], object]], repeats: int
) -> Task:
    def repeated(append: Callable[[], object]) -> None:
        for _ in range(repeats):
            append()

    def run() -> None:
        for _ in pool.map(repeated, appends):  # raises what a thread raised
            pass

    return Task(
        contender=name, case=THREADS, prepare=lambda: run, size=THREADS_COUNT, per=repeats * len(appends)
    )


def _coroutine_task(name: str, run: Callable[[], object]) -> Task:
    return Task(
        contender=name, case=COROUTINES, prepare=lambda: run, size=COROUTINES_COUNT, per=COROUTINES_COUNT
    )


async def _all_append(histories: Sequence[KafkaChatMessageHistory]) -> None:
    await asyncio.gather(*(history.aadd_messages(TURN) for history in histories))


async def _all_produce(sessions: Sequence[RawConversation]) -> None:
    records = [session.encoded(TURN) for session in sessions]
    await asyncio.gather(
        *(
            _produced(sessions[number % len(sessions)], records[number % len(sessions)])
            for number in range(COROUTINES_COUNT)
        )
    )


async def _produced(session: RawConversation, records: Sequence[NewRecord]) -> None:
    loop = asyncio.get_running_loop()
    futures = []
    for record in records:
        future: asyncio.Future[None] = loop.create_future()
        session.produce_one(record, partial(_reported, loop, future))
        futures.append(future)
    await asyncio.gather(*futures)


def _reported(
    loop: asyncio.AbstractEventLoop,
    future: "asyncio.Future[None]",
    error: KafkaError | None,
    _record: Message,
) -> None:
    if error is None:
        loop.call_soon_threadsafe(future.set_result, None)
    else:
        loop.call_soon_threadsafe(future.set_exception, KafkaException(error))
