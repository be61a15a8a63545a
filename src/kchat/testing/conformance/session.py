"""One session under test, in the fewest words: the tests then say what the rule is."""

import uuid
from typing import Any, Protocol, TypeVar

from attrs import evolve, field, frozen

from kchat.core import (
    Acknowledged,
    Appended,
    AppendOutcome,
    AppendRequest,
    Complete,
    Decoder,
    FromBeginning,
    FromCommitted,
    Headers,
    JsonDecoder,
    Message,
    NewRecord,
    Partial,
    Placement,
    Progress,
    ReadOutcome,
    ReadRequest,
    Record,
    RemoveTopic,
    Start,
    TopicGone,
    TopicSettings,
    Unstorable,
    encode,
)
from kchat.testing.conformance.faces import Face

M = TypeVar("M")

WAIT_MS_MAX = 20_000
"""Limit of the calls that should end by themselves: wide, since a shared machine may be slow."""


class ForeignWrite(Protocol):
    """Writes one record as another program would, past the log: without a value it is a tombstone."""

    def __call__(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: bytes | None = None,
        headers: Headers = (),
        partition: int | None = None,
    ) -> object:
        """Return when the record is stored."""


@frozen
class RawDecoder:
    """Hands out the records themselves: what the log did to them is to be seen."""

    def decode(self, record: Record) -> Record:
        """The record."""
        return record


def unique(prefix: str) -> str:
    """A name that nobody else uses."""
    return f"{prefix}-{uuid.uuid4().hex}"


def record(text: str, key: bytes | None) -> NewRecord:
    """A good record. Each has an id of its own, even where the text is the same."""
    message = Message("human", {"content": text})
    encoded = encode(message, key=key or b"", message_id=uuid.uuid4().hex)
    if isinstance(encoded, Unstorable):
        raise AssertionError(encoded)
    return evolve(encoded, key=key)


def texts(count: int, start: int = 0) -> list[str]:
    """So many different texts."""
    return [f"message {number}" for number in range(start, start + count)]


def heard(outcome: ReadOutcome[Message]) -> list[str]:
    """The texts that a read handed out."""
    return [message.text for message in outcome.progress.messages]


@frozen(kw_only=True)
class Session:
    """One session: where it is, and the face of the log that reaches it."""

    face: Face
    placement: Placement
    settings: TopicSettings = field(factory=lambda: TopicSettings(partitions=3))

    @property
    def topic(self) -> str:
        """Where it is."""
        return self.placement.topic

    @property
    def group(self) -> str:
        """The consumer group of its cursor."""
        return self.placement.group

    def records(self, *said: str) -> list[NewRecord]:
        """Good records of this session."""
        return [record(text, self.placement.key) for text in said]

    def poison(self, value: bytes = b"not a message", headers: Headers = ()) -> NewRecord:
        """A record of this session that is no message, unless told otherwise."""
        return NewRecord(key=self.placement.key, value=value, headers=headers)

    def request(self, *records: NewRecord, **more: Any) -> AppendRequest:
        """An append of these records, which creates the topic."""
        more = {"settings": self.settings, "wait_ms_max": WAIT_MS_MAX, **more}
        return AppendRequest(topic=self.topic, records=records, **more)

    def append(self, *records: NewRecord, **more: Any) -> AppendOutcome:
        """Append records in one call."""
        return self.face.append(self.request(*records, **more))

    def say(self, *said: str, **more: Any) -> tuple[Acknowledged, ...]:
        """Append messages in one call, which must succeed."""
        outcome = self.append(*self.records(*said), **more)
        assert isinstance(outcome, Appended), outcome
        return outcome.places

    def reading(self, start: Start | None = None, **more: Any) -> ReadRequest[Message]:
        """A read of this session, from the beginning unless told otherwise."""
        more = {"decoder": JsonDecoder(), "wait_ms_max": WAIT_MS_MAX, **more}
        key = self.placement.key_filter
        return ReadRequest(topic=self.topic, start=start or FromBeginning(), key=key, **more)

    def read(self, start: Start | None = None, **more: Any) -> ReadOutcome[Message]:
        """Read; the test looks at the outcome."""
        return self.face.read(self.reading(start, **more))

    def read_as(self, decoder: Decoder[M], **more: Any) -> Progress[M]:
        """Read to the end with another decoder."""
        outcome = self.face.read(
            ReadRequest(topic=self.topic, start=FromBeginning(), decoder=decoder, **more)
        )
        assert isinstance(outcome, Complete), outcome
        return outcome.progress

    def hear(self, start: Start | None = None, **more: Any) -> list[str]:
        """The texts of a read that must end well."""
        outcome = self.read(start, **more)
        assert isinstance(outcome, Complete | Partial), outcome
        return heard(outcome)

    def go_on(self, **more: Any) -> list[str]:
        """The texts after the cursor, which moves."""
        return self.hear(FromCommitted(self.group), commit_to=self.group, **more)

    def remove(self) -> None:
        """Remove the topic, which must succeed."""
        outcome = self.face.provision(RemoveTopic(topic=self.topic, wait_ms_max=WAIT_MS_MAX))
        assert outcome == TopicGone(deleted=True), outcome
