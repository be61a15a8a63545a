"""Garbage at every position of a conversation, and very many mutated records through the decoders."""

import itertools
import random
import time
import uuid
from collections.abc import Callable, Iterator
from threading import Lock, Thread

import pytest
from attrs import frozen
from confluent_kafka import Producer
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import (
    CorruptRecord,
    EnsureTopic,
    Headers,
    NewRecord,
    ReadFailed,
    TopicReady,
    TopicSettings,
    place,
)
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from kchat.langchain.messages import encoder
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.proof.conftest import MINUTES
from tests.proof.figures import Figures
from tests.proof.nursery import Nursery
from tests.proof.poisons import Poison, all_poisons
from tests.proof.raw_produce import produce_raw

Reading = Callable[[], list[BaseMessage]]

ROW = "poison"
GOOD = 3
LIMIT = 30.0
"""Seconds of every read here. What is judged is what it gives: a busy machine shall have the time for it."""

TRIES = 3
"""A replay has no such limit: it fails where records do not come for 5 s, and can be repeated."""

RECORDS_WANTED = 1_000_000
"""Mutated records of the whole campaign, which is MINUTES=5 long; a shorter one has its part of them."""

BATCH = 10_000
BATCH_SECONDS_MAX = 120.0
WORKERS = 2
STRETCH = 8
"""A machine that is slow or busy may take so much longer than the row's share; then the figure says less."""


@frozen
class Conversation:
    """Good messages with one foreign record among them, on a real broker."""

    session: str
    poison: Poison
    position: int

    @property
    def good(self) -> list[str]:
        return [str(number) for number in range(GOOD)]

    @property
    def whole(self) -> list[str]:
        """What a reader sees who skips what is no message."""
        there = self.good
        if self.poison.text is not None:
            there.insert(self.position, self.poison.text)
        return there


class Garbage:
    """Writes conversations and reads them in every way."""

    def __init__(self, servers: str, figures: Figures) -> None:
        self._figures = figures
        self._servers = servers
        self._log = KafkaLog({"bootstrap.servers": servers})
        own = {"bootstrap.servers": servers, "linger.ms": 0, "message.max.bytes": 1_000_000}
        self._producer = Producer(own)

    def close(self) -> None:
        self._log.close()

    def write(self, poison_name: str, position: int) -> Conversation:
        """A new session with a foreign record at this position of it."""
        session = f"poison-{uuid.uuid4().hex[:12]}"
        ids = [uuid.uuid4().hex for _ in range(GOOD)]
        # The id of the good record behind the garbage, or of the last one.
        poisons = {p.name: p for p in all_poisons(ids[min(position, GOOD - 1)].encode())}
        poison = poisons[poison_name]
        settings = TopicSettings(partitions=1)
        made = self._log.provision(EnsureTopic(topic=session, settings=settings, wait_ms_max=20_000))
        assert isinstance(made, TopicReady)
        waiting = iter(ids)
        encode = encoder(place(session).key, lambda: next(waiting))
        for number in range(GOOD + 1):
            if number == position:
                self._write_poison(session, poison)
            if number < GOOD:
                record = encode(HumanMessage(str(number)))
                assert isinstance(record, NewRecord)
                self._produce(session, record.key, record.value, record.headers)
        assert self._producer.flush(20) == 0
        self._figures.add(faults=1)
        return Conversation(session, poison, position)

    def _write_poison(self, topic: str, poison: Poison) -> None:
        if poison.raw_headers:
            assert self._producer.flush(20) == 0  # what is before it must be there before it
            produce_raw(self._servers, topic, poison.value or b"", poison.raw_headers)
        else:
            self._produce(topic, poison.key, poison.value, poison.headers)

    def _produce(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> None:
        def told(error: object, _: object) -> None:
            if error is not None:
                raise AssertionError(f"the broker refused a foreign record: {error}")

        self._producer.produce(topic, value, key, 0, told, headers=list(headers))

    def check(self, written: Conversation) -> None:
        """Read it with both policies, with and without the cursor."""
        if written.poison.text is None:
            self._raises(written)
        self._skips(written, replay=True)
        self._skips(written, replay=False)

    def _history(self, written: Conversation, **more: object) -> KafkaChatMessageHistory:
        return KafkaChatMessageHistory(written.session, self._servers, log=self._log, **more)  # type: ignore[arg-type]

    def _raises(self, written: Conversation) -> None:
        """The error names the record, the cursor stays before it, and what is before it can be read."""
        history = self._history(written)
        self._fails(written, "messages_from_beginning", lambda: history.messages_from_beginning(None, LIMIT))
        self._fails(written, "a replay", lambda: self._history(written, replay=True).messages)
        for _ in range(2):
            self._fails(written, "the cursor", lambda: history.messages_from_last_consumed(None, LIMIT))
        if written.position:
            before = self._read(lambda: history.messages_from_last_consumed(written.position, LIMIT))
            self._expect(written, "before the garbage", before, written.good[: written.position])
        self._fails(
            written,
            "the cursor, behind its neighbours",
            lambda: history.messages_from_last_consumed(1, LIMIT),
        )
        skipping = self._history(written, on_corrupt="skip")
        behind = self._read(lambda: skipping.messages_from_last_consumed(None, LIMIT))
        self._expect(written, "behind the garbage", behind, written.good[written.position :])

    def _skips(self, written: Conversation, *, replay: bool) -> None:
        """Every message comes, in order, once; the garbage is reported."""
        history = self._history(written, replay=replay, on_corrupt="skip")
        if replay:
            found = self._read(lambda: history.messages)
        else:
            found = self._read(lambda: history.messages_from_beginning(None, LIMIT))
        self._expect(written, "skipping", found, written.whole)
        wanted = (
            []
            if written.poison.text is not None
            else [(written.session, written.session, 0, written.position)]
        )
        reported = [(error.session, error.topic, error.partition, error.offset) for error in history.skipped]
        if reported != wanted:
            self._figures.went_wrong(f"{self._where(written)}: reported {reported} as skipped")
        if not replay:
            again = self._read(lambda: history.messages_from_last_consumed(None, LIMIT))
            self._expect(written, "after all is read", again, [])

    def _read(self, call: Reading) -> list[str]:
        for _ in range(TRIES - 1):
            try:
                with self._figures.call(LIMIT):
                    return [str(message.content) for message in call()]
            except ReadFailed as error:
                if isinstance(error, CorruptRecord):
                    raise
        return [str(message.content) for message in call()]

    def _fails(self, written: Conversation, how: str, call: Reading) -> None:
        wanted = (written.session, written.session, 0, written.position)
        try:
            found = self._read(call)
        except CorruptRecord as error:
            named = (error.session, error.topic, error.partition, error.offset)
            if named != wanted or "foreign" in str(error):
                self._figures.went_wrong(f"{self._where(written)}: {how} says {error}")
        else:
            self._figures.went_wrong(f"{self._where(written)}: {how} gave {found}")

    def _expect(self, written: Conversation, how: str, found: list[str], wanted: list[str]) -> None:
        if found == wanted:
            return
        self._figures.add(lost=len(set(wanted) - set(found)), duplicates=len(found) - len(set(found)))
        self._figures.went_wrong(f"{self._where(written)}: {how} gave {found}, not {wanted}")

    def _where(self, written: Conversation) -> str:
        return f"{written.poison.name} at {written.position}"


@pytest.fixture(scope="module")
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution) as kafka:
        yield kafka


@pytest.mark.row(ROW, "foreign records at every position of a conversation", 0.03)
def test_garbage_at_any_position_hides_none_of_its_neighbours(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    garbage, until = Garbage(kafka.bootstrap, figures), time.monotonic() + row_seconds
    names = [poison.name for poison in all_poisons(b"")]
    # Each case once at least, wherever; all positions of all cases as far as the time goes.
    cases = [(name, random.randrange(GOOD + 1)) for name in names]
    others = list(itertools.product(names, range(GOOD + 1)))
    random.shuffle(others)
    try:
        for done, (name, position) in enumerate(itertools.chain(cases, itertools.cycle(others))):
            if done >= len(cases) and time.monotonic() > until:
                break
            garbage.check(garbage.write(name, position))
    finally:
        garbage.close()
    figures.notes.append(f"operations: reads; faults: foreign records of {len(names)} kinds")


@pytest.mark.row(ROW, "mutated records through both decoders", 0.05)
def test_mutated_records_are_messages_or_corrupt_at_once(figures: Figures, row_seconds: float) -> None:
    share = min(1.0, row_seconds / (5 * 60 * 0.05))
    wanted = round(RECORDS_WANTED * share) if MINUTES < 5 else RECORDS_WANTED
    first_seed = random.randrange(1 << 40)
    batches = Batches(figures, first_seed, wanted, time.monotonic() + STRETCH * row_seconds)
    workers = [Thread(target=batches.work) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds_per_kb, size, kind = batches.worst
    figures.longest_seconds = seconds_per_kb * max(1.0, size / 1024)
    figures.notes.append(
        f"operations: {figures.operations:,} records of {wanted:,} wanted, {batches.corrupt:,} of them"
        f" corrupt; seeds {first_seed} and on, {BATCH:,} records each; the slowest record took"
        f" {1000 * seconds_per_kb:.2f} ms per KB ({size} bytes, {kind}; the limit is 10)"
    )


class Batches:
    """Seeds to be decoded, each in a child of its own, and what came of them."""

    def __init__(self, figures: Figures, first_seed: int, wanted: int, until: float) -> None:
        self._figures, self._until = figures, until
        self._seeds = itertools.count(first_seed)
        self._waiting = -(-wanted // BATCH)
        self._lock = Lock()
        self.corrupt = 0
        self.worst = (0.0, 0, "")

    def work(self) -> None:
        """Until all is done, or the time is over."""
        with Nursery("tests.proof.decoding") as nursery:
            while (seed := self._next()) is not None:
                self._decode(nursery, seed)

    def _next(self) -> int | None:
        with self._lock:
            if not self._waiting or time.monotonic() > self._until:
                return None
            self._waiting -= 1
            return next(self._seeds)

    def _decode(self, nursery: Nursery, seed: int) -> None:
        ended = nursery.run("tests.proof.decoding:decode_many", seed, BATCH, seconds_max=BATCH_SECONDS_MAX)
        report = ended.report
        if ended.hung:
            self._figures.add(hangs=1)
        if ended.code != 0 or not isinstance(report, dict):
            self._figures.went_wrong(
                f"decode_many({seed}, {BATCH}) ended with {ended.code}: {ended.err[-800:]}"
            )
            return
        for failure in report["failures"]:
            self._figures.went_wrong(f"seed {seed}: {failure}")
        self._figures.add(operations=report["count"], faults=report["count"])
        with self._lock:
            self.corrupt += report["corrupt"]
            self.worst = max(self.worst, tuple(report["worst"]))
