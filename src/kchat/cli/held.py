"""What a session holds already, by the ids that an import would give; removed messages and poison too."""

from array import array

from attrs import define, evolve, field, frozen

from kchat.cli.horizon import Horizon
from kchat.cli.identity import digest, placed_id
from kchat.core import (
    Corrupt,
    Delivery,
    FromBeginning,
    FromEnd,
    JsonDecoder,
    Log,
    OnCorrupt,
    ReadOutcome,
    ReadRequest,
    Record,
    continued,
    delivered,
)

PAGE_RECORDS = 2_000
SHORT_BYTES = 8
"""So much of a digest tells apart what has one id: 100,000 messages take 0.8 MB."""


@define
class Held:
    """The messages of a session: the place of each id in their order, and what it says."""

    _indexes: dict[str, int] = field(factory=dict)
    _digests: "array[int]" = field(factory=lambda: array("Q"))

    def __len__(self) -> int:
        return len(self._digests)

    def add(self, message_id: str | None, said: bytes) -> None:
        """The next message of the session; a second copy is none."""
        if message_id in self._indexes:
            return
        if message_id is not None:
            self._indexes[message_id] = len(self._digests)
        self._digests.append(short(said))

    def index(self, message_id: str) -> int | None:
        """Where the message of this id is, None where there is none."""
        return self._indexes.get(message_id)

    def says(self, index: int, said: bytes) -> bool:
        """Whether the message there says this."""
        return self._digests[index] == short(said)


def short(said: bytes) -> int:
    """A digest as a number."""
    return int.from_bytes(said[:SHORT_BYTES])


@frozen
class _Said:
    """What is kept of a record: a digest of what it says, None for a record that is no message."""

    digest: bytes | None


@frozen
class _DigestDecoder:
    def decode(self, record: Record) -> _Said:
        message = JsonDecoder().decode(record)
        if isinstance(message, Corrupt):
            return _Said(None)
        try:
            return _Said(digest(message))
        except RecursionError:  # another program's: no import could have written it
            return _Said(None)


def held_by(log: Log, *, session: str, topic: str) -> Held:
    """Read what the session holds now, whoever writes meanwhile. A session that is not there holds nothing.

    Raises:
        ReadFailed: the broker cannot be reached, or denies it.
    """
    held = Held()
    request: ReadRequest[_Said] = ReadRequest(
        topic=topic,
        start=FromBeginning(),
        decoder=_DigestDecoder(),
        on_corrupt=OnCorrupt.SKIP,
        messages_max=PAGE_RECORDS,
        with_topic_id=True,
    )
    at_end = evolve(request, start=FromEnd())
    horizon = Horizon.at(delivered(log.read(at_end), session=session, topic=topic).positions)
    following: ReadRequest[_Said] | None = request
    while following is not None:
        outcome: ReadOutcome[_Said] = log.read(following)
        progress = delivered(outcome, session=session, topic=topic)
        for delivery in progress.deliveries:
            _hold(held, topic, progress.topic_id, delivery)
        if horizon.reached(progress.positions):
            break
        messages_max = horizon.page_max(progress.deliveries, PAGE_RECORDS)
        following = continued(evolve(following, messages_max=messages_max), outcome)
    return held


def _hold(held: Held, topic: str, topic_id: str | None, delivery: Delivery[_Said]) -> None:
    said = delivery.message.digest
    if said is None:
        held.add(None, b"")
        return
    place = topic, topic_id, delivery.partition, delivery.offset
    held.add(delivery.message_id or placed_id(*place, said), said)
