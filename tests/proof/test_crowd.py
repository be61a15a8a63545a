"""Eight writers and eight readers on one session; two hundred sessions at once."""

import asyncio
import random
import time
from collections.abc import Iterator
from functools import partial

import pytest
from attrs import define, field
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import AppendRefused, AppendUnknown, KchatError
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name, Told
from tests.proof.load import LIMIT_SECONDS, Seen, append_one, drain_cursor, follow_cursor, replay, running
from tests.proof.onlookers import Replaying, Watching, judge_slice

WRITERS = 8
MESSAGES = 10_000
TURN_MAX = 20
SESSIONS = 200
SHARED_GROUP = "together"


@pytest.fixture(scope="module")
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution, heap="256m") as kafka:
        yield kafka


def write_share(
    history: KafkaChatMessageHistory,
    ledger: Ledger,
    writer: str,
    figures: Figures,
    until: float,
    messages: int,
) -> None:
    """One writer's part of the messages, or what of it fits into the time."""
    number, left = 0, messages
    while left and time.monotonic() < until:
        names = [Name(writer, number, place) for place in range(min(left, random.randint(1, TURN_MAX)))]
        append_one(history, ledger, names, figures)
        number, left = number + 1, left - len(names)


@pytest.mark.row("crowd", "8 writers and 8 readers of four kinds on one session", 0.06)
def test_eight_writers_and_eight_readers_see_one_order(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    ledger, lone = Ledger(), Seen()
    with (
        KafkaChatMessageHistory("crowd", kafka.bootstrap) as history,
        KafkaChatMessageHistory("crowd", kafka.bootstrap, replay=True) as whole,
        KafkaLog({"bootstrap.servers": kafka.bootstrap}) as log,
    ):
        append_one(history, ledger, [Name("first", 0, 0)], figures)
        replaying = [Replaying(whole) for _ in range(3)]
        following = [Watching(log, "crowd") for _ in range(2)]
        sharing = [Watching(log, "crowd") for _ in range(2)]
        until = time.monotonic() + row_seconds
        write = partial(write_share, figures=figures, until=until, messages=MESSAGES // WRITERS)
        with running(
            figures,
            *[partial(write, history, ledger, f"w{n}") for n in range(WRITERS)],
            *[partial(reader.until, until, figures) for reader in replaying],
            *[partial(reader.follow, until, figures) for reader in following],
            *[partial(reader.share, SHARED_GROUP, until, figures) for reader in sharing],
            partial(follow_cursor, history, lone, figures, until, count=50),
        ):
            pass
        drain_cursor(history, lone, figures)
        sharing[0].drain(SHARED_GROUP, figures)
        texts = replay(whole, figures)
    ledger.judge(texts, figures, "a replay")
    ledger.judge(lone, figures, "the cursor's one reader")
    if lone != texts:
        figures.went_wrong("the cursor's one reader saw another order")
    for reader in replaying:
        reader.judge(texts, figures)
    for n, watching in enumerate(following):
        judge_slice(watching.seen, texts, figures, f"follower {n}")
    together = {text for watching in sharing for text in watching.seen}
    figures.add(lost=len(set(texts) - together))
    failures = sum(r.failures for r in replaying) + sum(w.failures for w in (*following, *sharing))
    figures.notes.append(
        f"{len(texts):,} messages, {sum(r.replays for r in replaying):,} replays, "
        f"{sum(len(w.seen) for w in following):,} messages followed, "
        f"{sum(len(w.seen) for w in sharing):,} read by two that share a cursor, "
        f"{failures} reads that failed for lack of time"
    )


@pytest.mark.row("crowd", "8 writers, 8 readers wait for the latest, all of one cursor", 0.02)
def test_readers_that_wait_for_the_latest_each_see_a_piece_of_the_order(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    ledger, pieces = Ledger(), list[list[str]]()
    with (
        KafkaChatMessageHistory("latest", kafka.bootstrap) as history,
        KafkaChatMessageHistory("latest", kafka.bootstrap, replay=True) as whole,
    ):
        until = time.monotonic() + row_seconds

        def wait_for_latest() -> None:
            while time.monotonic() < until:
                with figures.call(1.0):
                    messages = history.messages_from_latest(20, 1.0)
                pieces.append([str(message.content) for message in messages])

        append_one(history, ledger, [Name("first", 0, 0)], figures)
        write = partial(write_share, figures=figures, until=until + 0.5, messages=MESSAGES // WRITERS)
        writers = [partial(write, history, ledger, f"w{n}") for n in range(WRITERS)]
        with running(figures, *writers, *[wait_for_latest] * 8):
            pass
        texts = replay(whole, figures)
    ledger.judge(texts, figures, "a replay")
    for piece in pieces:
        judge_slice(piece, texts, figures, "a reader of the latest")
    figures.notes.append(f"{len(pieces)} reads, {sum(map(len, pieces)):,} messages seen by them")


@define(eq=False)
class Session:
    """One conversation of many: its one participant knows all that is in it."""

    name: str
    history: KafkaChatMessageHistory
    whole: KafkaChatMessageHistory
    ledger: Ledger = field(factory=Ledger)
    number: int = 0

    def next_names(self) -> list[Name]:
        self.number += 1
        return [Name(self.name, self.number, place) for place in range(random.randint(1, 3))]

    def judge(self, texts: list[str], figures: Figures) -> None:
        """Nothing of another session, and everything of this one."""
        foreign = sum(Name.of(text).writer != self.name for text in texts)
        if foreign:
            figures.went_wrong(f"{foreign} messages of another session in {self.name}")
        self.ledger.judge(texts, figures, self.name)

    def talk(self, figures: Figures, until: float) -> None:
        """Append and read in turns, at least once."""
        over: object = False
        while not over:
            append_one(self.history, self.ledger, self.next_names(), figures)
            texts = replay(self.whole, figures)
            self.judge(texts, figures)
            over = time.monotonic() >= until and (self.ledger.count(Told.ACKNOWLEDGED) or self.number > 9)

    async def atalk(self, figures: Figures, until: float) -> None:
        """The same as a coroutine."""
        over: object = False
        while not over:
            await self._append(self.next_names(), figures)
            texts = await self._replay(figures)
            self.judge(texts, figures)
            over = time.monotonic() >= until and (self.ledger.count(Told.ACKNOWLEDGED) or self.number > 9)

    async def _append(self, names: list[Name], figures: Figures) -> None:
        messages: list[BaseMessage] = [HumanMessage(str(name)) for name in names]
        self.ledger.enter(names, Told.UNKNOWN)
        try:
            with figures.call(LIMIT_SECONDS):
                await self.history.aadd_messages(messages, LIMIT_SECONDS)
        except AppendRefused:
            self.ledger.enter(names, Told.REFUSED)
        except AppendUnknown:
            figures.add(unknown=1)
        else:
            self.ledger.enter(names, Told.ACKNOWLEDGED)
            figures.add(acknowledged=len(names))

    async def _replay(self, figures: Figures) -> list[str]:
        for _ in range(20):
            try:
                with figures.call(60.0):
                    return [str(message.content) for message in await self.whole.aget_messages()]
            except KchatError:
                await asyncio.sleep(0.5)
        figures.went_wrong(f"{self.name} cannot be read")
        return []


def sessions(kafka: JarsKafka, kind: str) -> list[Session]:
    """Two hundred, of the same connections."""
    names = [f"{kind} {n}" for n in range(SESSIONS)]
    return [
        Session(
            name,
            KafkaChatMessageHistory(name, kafka.bootstrap, partition=1),
            KafkaChatMessageHistory(name, kafka.bootstrap, partition=1, replay=True),
        )
        for name in names
    ]


def close(opened: list[Session], figures: Figures) -> None:
    refused = sum(session.ledger.count(Told.REFUSED) for session in opened)
    turns = sum(session.number for session in opened)
    figures.notes.append(f"{len(opened)} sessions, {turns:,} turns, {refused:,} messages refused")
    for session in opened:
        session.history.close()
        session.whole.close()


@pytest.mark.row("crowd", "200 sessions at once, a thread each", 0.02)
def test_two_hundred_sessions_in_threads_stay_apart(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    opened = sessions(kafka, "threads")
    until = time.monotonic() + row_seconds
    with running(figures, *[partial(session.talk, figures, until) for session in opened]):
        pass
    close(opened, figures)


@pytest.mark.row("crowd", "200 sessions at once, a coroutine each", 0.02)
def test_two_hundred_sessions_as_coroutines_stay_apart(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    opened = sessions(kafka, "coroutines")
    until = time.monotonic() + row_seconds

    async def talk() -> None:
        await asyncio.gather(*(session.atalk(figures, until) for session in opened))

    asyncio.run(talk())
    close(opened, figures)
