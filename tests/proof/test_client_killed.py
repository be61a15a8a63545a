"""`kill -9` of a process that writes or reads, at any moment; another one goes on."""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import takewhile

import pytest
from attrs import define, field
from langchain_core.messages import BaseMessage

from kchat.core import Delivery
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.proof.actors import (
    Begun,
    Committing,
    Ended,
    Got,
    read_until_killed,
    stop_before_commit,
    write_until_killed,
)
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name, Told
from tests.proof.load import LIMIT_SECONDS, Seen, append_one, drain_cursor, replay, running, write_turns
from tests.proof.offspring import START_SECONDS_MAX, Offspring

TURN = 3


@pytest.fixture(scope="module")
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution) as kafka:
        yield kafka


def some_life_seconds() -> float:
    """Mostly short: the moments of interest are those in which a process begins."""
    return 10 ** random.uniform(-1.5, 0.2)


def heard(child: Offspring, kind: type, count: int) -> None:
    """Wait until a child has said something so often."""
    end = time.monotonic() + START_SECONDS_MAX
    while sum(isinstance(said, kind) for said in list(child.said)) < count:
        if time.monotonic() > end:
            raise AssertionError(f"a child said only {child.said[-3:]}")
        time.sleep(0.001)


def enter_turns(said: Iterable[Begun | Ended], ledger: Ledger, figures: Figures) -> int:
    """Enter what a writer was told until it was killed; the number of its last turn, or -1."""
    number = -1
    for turn in said:
        match turn:
            case Begun(names):
                ledger.enter(names, Told.UNKNOWN)
                number = names[0].number
            case Ended(names, told, calls, longest_seconds):
                ledger.enter(names, told)
                figures.took(LIMIT_SECONDS, longest_seconds, calls=calls)
                figures.add(acknowledged=len(names) if told is Told.ACKNOWLEDGED else 0)
    return number


def write_in_lives(
    kafka: JarsKafka, session: str, writer: str, ledger: Ledger, figures: Figures, until: float
) -> None:
    """One writer that is a process after the other: each goes on after the last turn of the one before."""
    number = 0
    while time.monotonic() < until:
        child = Offspring(write_until_killed, kafka.bootstrap, session, writer, number, TURN)
        heard(child, Begun, 1)
        time.sleep(some_life_seconds())
        number = enter_turns(child.kill(), ledger, figures) + 1
        figures.add(faults=1)


@pytest.mark.row("client killed", "kill -9 of a writing process, another goes on", 0.05)
def test_a_writer_that_is_killed_leaves_what_it_was_told(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    ledger, until = Ledger(), time.monotonic() + row_seconds
    with KafkaChatMessageHistory("written", kafka.bootstrap, replay=True) as whole:
        writers = [
            partial(write_in_lives, kafka, "written", f"w{n}", ledger, figures, until) for n in range(2)
        ]
        with running(figures, *writers):
            pass
        texts = replay(whole, figures)
        ledger.judge(texts, figures, "a replay")
        stored = Counter((Name.of(text).writer, Name.of(text).number) for text in texts)
        torn = sum(count != TURN for count in stored.values())
        figures.notes.append(f"{torn} of {len(stored):,} turns of {TURN} messages are stored in part")


@define(eq=False)
class Read:
    """A conversation, and what processes read of it from its cursor before each was killed."""

    session: str
    ledger: Ledger
    whole: KafkaChatMessageHistory
    until: float
    seen: Seen = field(factory=Seen)
    moving: list[Committing] = field(factory=list)

    def in_lives(self, kafka: JarsKafka, figures: Figures) -> None:
        """One reader that is a process after the other."""
        repeats = set[str]()
        while time.monotonic() < self.until:
            child = Offspring(
                read_until_killed, kafka.bootstrap, self.session, random.choice([1, 5, 50, None])
            )
            heard(child, Got, 1)
            time.sleep(some_life_seconds())
            said = child.kill()
            figures.add(faults=1)
            self.moving += takewhile(lambda last: isinstance(last, Committing), reversed(said))
            for got in said:
                if isinstance(got, Got):
                    figures.took(LIMIT_SECONDS, got.seconds)
                    self.seen += [text for text in got.texts if text not in repeats]
                    repeats.update(() if got.sure else got.texts)

    def judge(self, figures: Figures) -> None:
        """Nobody misses a message.

        Those of a reader that was killed while it waited for its commit are told apart: the place may have
        moved over them (docs/adr/0010-cursor.md), and a replay has them.
        """
        texts = replay(self.whole, figures)
        assert self.whole.last_outcome is not None
        places = {str(d.message.content): d for d in self.whole.last_outcome.progress.deliveries}
        self.ledger.judge(texts, figures, "a replay")
        with KafkaChatMessageHistory(self.session, self.whole.bootstrap_servers) as history:
            drain_cursor(history, self.seen, figures)
        missed = {text for text in texts if text not in set(self.seen)}
        under_way = {text for text in missed if any(moves(c, places[text]) for c in self.moving)}
        figures.add(lost=len(missed - under_way))
        if under_way:
            figures.notes.append(
                f"{len(under_way)} of {len(texts):,} messages were committed for a reader that was killed "
                "before its call returned: only a replay has them"
            )


def moves(committing: Committing, delivery: Delivery[BaseMessage]) -> bool:
    return committing.partition == delivery.partition and committing.begin <= delivery.offset < committing.end


def conversation(kafka: JarsKafka, session: str, figures: Figures, seconds: float, *, readers: int) -> Read:
    """Two writers that nobody kills, and readers that are; judged."""
    with (
        KafkaChatMessageHistory(session, kafka.bootstrap) as history,
        KafkaChatMessageHistory(session, kafka.bootstrap, replay=True) as whole,
    ):
        read = Read(session, Ledger(), whole, time.monotonic() + seconds)
        append_one(history, read.ledger, [Name("first", 0, 0)], figures)
        writers = [
            partial(write_turns, history, read.ledger, f"w{n}", figures, read.until, pause_seconds=0.005)
            for n in range(2)
        ]
        with running(figures, *writers, *[partial(read.in_lives, kafka, figures)] * readers):
            pass
        read.judge(figures)
        return read


@pytest.mark.row("client killed", "kill -9 of a reading process, another goes on from its cursor", 0.03)
def test_the_reader_after_one_that_was_killed_goes_on_where_it_stood(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    read = conversation(kafka, "read", figures, row_seconds, readers=1)
    read.ledger.judge(read.seen, figures, "the readers, one after the other", complete=False)


@pytest.mark.row("client killed", "kill -9 of one of two readers that share a cursor", 0.02)
def test_of_two_that_share_a_cursor_the_other_one_goes_on(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    conversation(kafka, "shared", figures, row_seconds, readers=2)


@pytest.mark.row("client killed", "kill -9 of a reader that has read and not committed", 0.02)
def test_what_a_reader_died_with_before_its_commit_the_other_one_reads(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    ledger, seen, until = Ledger(), Seen(), time.monotonic() + row_seconds
    with KafkaChatMessageHistory("uncommitted", kafka.bootstrap) as other:
        while time.monotonic() < until:
            names = [Name("w", figures.faults, place) for place in range(random.randint(1, 9))]
            append_one(other, ledger, names, figures)
            child = Offspring(stop_before_commit, kafka.bootstrap, "uncommitted", random.randint(1, 9))
            heard(child, tuple, 1)
            child.kill()
            figures.add(faults=1)
            drain_cursor(other, seen, figures)
        ledger.judge(seen, figures, "the other reader")
