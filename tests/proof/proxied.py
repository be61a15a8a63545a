"""A conversation that is written and read through a proxy, and judged with and without it."""

import json
import random
import time
from collections.abc import Callable, Iterator
from itertools import count

from attrs import define, field, frozen
from confluent_kafka import Consumer, TopicPartition
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import AppendRefused, AppendUnknown, KchatError
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.proxy import Proxy
from tests.io import children
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name, Told
from tests.proof.load import append_one, replay

LIMIT_SECONDS = 1.5
"""Shorter than most faults last, so that appends do end as unknown."""

REST = """
import json, sys
from kchat.langchain import KafkaChatMessageHistory
bootstrap, session = sys.argv[1:]
cursor = []
with KafkaChatMessageHistory(session, bootstrap) as history:
    while texts := [message.content for message in history.messages_from_last_consumed(None, 20.0)]:
        cursor += texts
with KafkaChatMessageHistory(session, bootstrap, replay=True) as history:
    print(json.dumps({"cursor": cursor, "replay": [message.content for message in history.messages]}))
"""
"""Another process, with a network of its own: what is left behind the cursor, and the whole conversation."""


@frozen
class Network:
    """A broker, and the proxy through which the clients under test get to it."""

    direct: str
    proxy: Proxy


@define(eq=False)
class Conversation:
    """One session that is written and read through the proxy."""

    session: str
    network: Network
    figures: Figures
    history: KafkaChatMessageHistory
    ledger: Ledger = field(factory=Ledger)
    seen: list[str] = field(factory=list)
    limit_seconds: float = LIMIT_SECONDS
    make: Callable[[str], BaseMessage] = HumanMessage
    repeats: set[str] = field(factory=set)
    _numbers: Iterator[int] = field(factory=count)

    def names(self, writer: str, turn: int) -> list[Name]:
        number = next(self._numbers)
        return [Name(writer, number, place) for place in range(turn)]

    def append(self, history: KafkaChatMessageHistory, writer: str, turn: int = 2) -> Told:
        names = self.names(writer, turn)
        return append_one(history, self.ledger, names, self.figures, self.limit_seconds, self.make)

    def write(self, writer: str, until: float, history: KafkaChatMessageHistory, turn: int = 2) -> None:
        """Append turn after turn until the moment `until`."""
        while time.monotonic() < until:
            self.append(history, writer, turn)
            time.sleep(0.01)

    def attempt(self, names: list[Name]) -> AppendUnknown | None:
        """Append once. What was refused was not entered: it is tried again with other names."""
        self.ledger.enter(names, Told.UNKNOWN)
        try:
            with self.figures.call(self.limit_seconds):
                self.history.add_messages([self.make(str(name)) for name in names], self.limit_seconds)
        except AppendUnknown as unknown:
            self.figures.add(unknown=1)
            return unknown
        self._acknowledged(names)
        return None

    def resend(self, unknown: AppendUnknown, names: list[Name]) -> None:
        """Append again until it is acknowledged; the faults are over."""
        for _ in range(10):
            try:
                with self.figures.call(self.limit_seconds):
                    self.history.resend(unknown, self.limit_seconds)
            except (AppendUnknown, AppendRefused):
                continue
            self._acknowledged(names)
            return
        self.figures.went_wrong("an append cannot be resent although nothing is in its way")

    def read_on(self, messages_max: int | None = None) -> list[str] | None:
        """What the cursor gives; None where it failed, and said so."""
        try:
            with self.figures.call(self.limit_seconds):
                read = self.history.messages_from_last_consumed(messages_max, self.limit_seconds)
        except KchatError:
            return None
        texts = [str(message.content) for message in read]
        self.seen.extend(text for text in texts if text not in self.repeats)
        outcome = self.history.last_outcome
        if outcome is not None and outcome.progress.unmoved is not None:
            self.repeats.update(texts)  # it says that these may come again
        return texts

    def follow(self, until: float) -> None:
        """Read on until the moment `until`."""
        while time.monotonic() < until:
            if not self.read_on(random.choice([1, 5, None])):
                time.sleep(0.01)

    def drain(self) -> None:
        """Read on until there is nothing new."""
        for _ in range(100):
            if self.read_on() == []:
                return
        self.figures.went_wrong("the cursor does not come to an end although nothing is in its way")

    def judge(self) -> None:
        """When all faults are over: a replay and the cursor, here and in a process beside the proxy."""
        self.network.proxy.heal()
        with KafkaChatMessageHistory(self.session, self.network.proxy.address, replay=True) as whole:
            self.ledger.judge(replay(whole, self.figures), self.figures, "a replay")
        ended = children.run(REST, self.network.direct, self.session)
        if ended.returncode:
            self.figures.went_wrong(f"the process beside the proxy ended with {ended.stderr[-500:]}")
            return
        rest = json.loads(ended.stdout)
        self.ledger.judge(rest["replay"], self.figures, "a replay beside the proxy")
        self.seen += [text for text in rest["cursor"] if text not in self.repeats]
        self.ledger.judge(self.seen, self.figures, "the cursor")

    def stored(self) -> int:
        """How many records the topic has, second copies included."""
        consumer = Consumer({"bootstrap.servers": self.network.direct, "group.id": "control"})
        try:
            partitions = consumer.list_topics(self.session, 10).topics[self.session].partitions
            asked = [TopicPartition(self.session, partition) for partition in partitions]
            return sum(consumer.get_watermark_offsets(each, timeout=10)[1] for each in asked)
        finally:
            consumer.close()

    def wait_stored(self, records: int) -> bool:
        end = time.monotonic() + 5.0
        while self.stored() < records and time.monotonic() < end:
            time.sleep(0.01)
        return self.stored() >= records

    def _acknowledged(self, names: list[Name]) -> None:
        self.ledger.enter(names, Told.ACKNOWLEDGED)
        self.figures.add(acknowledged=len(names))
