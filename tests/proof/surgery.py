"""One session under the knife: it is written and read as ever, while an administrator works on its topic."""

import time
from contextlib import closing

from attrs import define, field
from confluent_kafka import Consumer, IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic, OffsetSpec

from kchat.langchain import KafkaChatMessageHistory
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name
from tests.proof.load import LIMIT_SECONDS, Seen, append_one, drain_cursor, replay

ADMIN_SECONDS_MAX = 10.0


@define(eq=False)
class Surgery:
    """One session, and the tools of an administrator and of a foreign program."""

    session: str
    bootstrap: str
    figures: Figures
    history: KafkaChatMessageHistory
    whole: KafkaChatMessageHistory
    admin: AdminClient
    ledger: Ledger = field(factory=Ledger)
    seen: Seen = field(factory=Seen)
    _number: int = 0

    def append(self, writer: str = "w", turn: int = 2) -> list[Name]:
        names = [Name(writer, self._number, place) for place in range(turn)]
        self._number += 1
        append_one(self.history, self.ledger, names, self.figures)
        return names

    def read_on(self, messages_max: int | None = None) -> list[str]:
        with self.figures.call(LIMIT_SECONDS):
            texts = [
                str(m.content) for m in self.history.messages_from_last_consumed(messages_max, LIMIT_SECONDS)
            ]
        self.seen += texts
        return texts

    def drain(self) -> None:
        drain_cursor(self.history, self.seen, self.figures)

    def judge(self, *, complete: bool = True) -> None:
        """`complete=False`: somebody has deleted messages, and only the ledger of what is left counts."""
        self.drain()
        self.ledger.judge(self.seen, self.figures, "the cursor", complete=complete)
        self.ledger.judge(replay(self.whole, self.figures), self.figures, "a replay", complete=complete)

    def settle(self) -> None:
        """Wait until no transaction hides anything: its marker is written after the end's answer."""
        until = time.monotonic() + ADMIN_SECONDS_MAX
        while self._ends(IsolationLevel.READ_COMMITTED) != self._ends(IsolationLevel.READ_UNCOMMITTED):
            assert time.monotonic() < until, "a transaction is still open"
            time.sleep(0.01)

    def _ends(self, isolation: IsolationLevel) -> dict[int, int]:
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
        asked = {TopicPartition(self.session, partition): latest for partition in range(3)}
        answers = self.admin.list_offsets(asked, isolation_level=isolation, request_timeout=ADMIN_SECONDS_MAX)
        return {place.partition: end.result(ADMIN_SECONDS_MAX).offset for place, end in answers.items()}

    def create(self, config: dict[str, str]) -> None:
        """As an administrator would have made the topic."""
        new = NewTopic(self.session, 3, 1, config=config)
        self.admin.create_topics([new])[self.session].result(ADMIN_SECONDS_MAX)

    def delete_topic(self) -> None:
        self.admin.delete_topics([self.session])[self.session].result(ADMIN_SECONDS_MAX)

    def exists(self) -> bool:
        return self.session in self.admin.list_topics(timeout=ADMIN_SECONDS_MAX).topics

    def delete_records(self, before: dict[int, int]) -> None:
        asked = [TopicPartition(self.session, partition, offset) for partition, offset in before.items()]
        for deleted in self.admin.delete_records(asked).values():
            deleted.result(ADMIN_SECONDS_MAX)

    def committed(self) -> list[TopicPartition]:
        """Where the cursor stands, with its metadata."""
        asked = [TopicPartition(self.session, partition) for partition in range(3)]
        with closing(self._member()) as member:
            return [
                place for place in member.committed(asked, timeout=ADMIN_SECONDS_MAX) if place.offset >= 0
            ]

    def commit(self, places: list[TopicPartition]) -> None:
        with closing(self._member()) as member:
            member.commit(offsets=places, asynchronous=False)

    def _member(self) -> Consumer:
        return Consumer({"bootstrap.servers": self.bootstrap, "group.id": self.session})

    def more_partitions(self, count: int) -> None:
        self.admin.create_partitions([NewPartitions(self.session, count)])[self.session].result(
            ADMIN_SECONDS_MAX
        )

    def places(self) -> dict[str, tuple[int, int]]:
        """The partition and offset of each message that a replay sees."""
        # A history that is kept tells only the places of what is new.
        with KafkaChatMessageHistory(self.session, self.bootstrap, replay=True) as fresh:
            replay(fresh, self.figures)
            outcome = fresh.last_outcome
        assert outcome is not None
        return {str(d.message.content): (d.partition, d.offset) for d in outcome.progress.deliveries}
