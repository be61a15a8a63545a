"""Who a message is: the `kchat-id` that an import gives it, the same in every run.

A message that has an id keeps it. One from a topic without ids is known by its place; any other by all that
came before it in its source (a chain of digests), so that a source may grow, and the same text twice is two.
"""

import hashlib
import json

from attrs import define, field

from kchat.core import Message
from kchat.core.wire import MESSAGE_ID

DIGEST_CHARACTERS = 40
PREFIX = "import-"


def digest(message: Message) -> bytes:
    """A digest of what a message says, whatever the order of its fields."""
    content = json.dumps({"type": message.type, "data": message.data}, sort_keys=True)
    return hashlib.sha256(content.encode()).digest()


def kept_id(message_id: object) -> str | None:
    """The id that a record or a file gives, where it is one that a reader knows second copies by."""
    if isinstance(message_id, str) and MESSAGE_ID.fullmatch(message_id.encode(errors="replace")):
        return message_id
    return None


def placed_id(topic: str, topic_id: str | None, partition: int, offset: int, said: bytes) -> str:
    """The id of a message without one, by its place in a topic and the digest of what it says."""
    place = json.dumps(["place", topic, topic_id, partition, offset])
    return _id(hashlib.sha256(place.encode() + said))


@define
class Chain:
    """Ids for the messages of a source that has none, in their order."""

    _last: bytes = field(repr=False)

    @classmethod
    def of(cls, source: str) -> "Chain":
        """The chain of a source of this name; two names never give the same id."""
        return cls(hashlib.sha256(json.dumps(["source", source]).encode()).digest())

    def next(self, said: bytes) -> str:
        """The id of the next message, which says this."""
        link = hashlib.sha256(self._last + said)
        self._last = link.digest()
        return _id(link)


def _id(found: "hashlib._Hash") -> str:
    return PREFIX + found.hexdigest()[:DIGEST_CHARACTERS]
