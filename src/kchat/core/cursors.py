"""What a cursor remembers: the metadata of a committed offset (docs/adr/0010-cursor.md).

An offset alone is not enough. It names no topic generation, so the offset of a deleted topic would skip the
beginning of the next one of its name. And it separates a record from its second copy, which a repeated append
may have stored behind it: so the ids before the offset are kept, as many as fit.
"""

from attrs import field, frozen

from kchat.core.wire import MESSAGE_ID

METADATA_BYTES_MAX = 4_095
"""Kafka's limit with default settings (`offset.metadata.max.bytes`; 4,095 passed and 4,096 did not)."""

IDS_MAX = 100
"""How many message ids before the cursor are remembered, a partition."""

_MARK = "kchat"


@frozen
class CursorMemory:
    """What is known at a committed offset.

    Args:
        topic_id: the topic it belongs to; None where the broker keeps no ids.
        ids: ids of the last messages before the offset, the latest last.
    """

    topic_id: str | None = None
    ids: tuple[str, ...] = field(default=(), repr=lambda ids: f"<{len(ids)} ids>")

    def followed_by(self, ids: tuple[str, ...]) -> "CursorMemory":
        """After handing out messages with these ids: the window moves on."""
        return CursorMemory(self.topic_id, (self.ids + ids)[-IDS_MAX:])

    def to_metadata(self) -> str:
        """The string to commit, within Kafka's limit: the oldest ids give way."""
        head = f"{_MARK} {self.topic_id or '-'} "
        ids = [known for known in self.ids[-IDS_MAX:] if MESSAGE_ID.fullmatch(known.encode())]
        while len(head) + len(",".join(ids)) > METADATA_BYTES_MAX:
            ids.pop(0)
        return head + ",".join(ids)

    @classmethod
    def from_metadata(cls, metadata: str) -> "CursorMemory":
        """What a committed string says; another program's says nothing."""
        mark, _, rest = metadata.partition(" ")
        topic_id, _, ids = rest.partition(" ")
        if mark != _MARK:
            return cls()
        return cls(None if topic_id in {"", "-"} else topic_id, tuple(filter(None, ids.split(","))))
