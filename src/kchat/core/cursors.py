"""What a cursor remembers: the metadata of a committed offset (docs/adr/0010-cursor.md).

An offset alone is not enough. It names no topic generation, so the offset of a deleted topic would skip the
beginning of the next one of its name. And it separates a record from its second copy, which a repeated append
may have stored behind it: so ids before the offset are kept, as many as fit, and those of resent records for
longest: their first copy may still be on its way, and comes unmarked (docs/adr/0013-second-copies.md).
"""

from attrs import field, frozen

from kchat.core.wire import MESSAGE_ID

METADATA_BYTES_MAX = 4_095
"""Kafka's limit with default settings (`offset.metadata.max.bytes`; 4,095 passed and 4,096 did not)."""

IDS_MAX = 100
"""How many message ids before the cursor are remembered, a partition."""

RESENT_IDS_MAX = 80
"""How many of them may be those of resent records."""

_MARK = "kchat"
_RESENT = "*"


@frozen
class CursorMemory:
    """What is known at a committed offset.

    Args:
        topic_id: the topic it belongs to; None where the broker keeps no ids.
        ids: ids of the last messages before the offset, the latest last.
        resent: ids of the last messages before the offset that were marked as resent, the latest last.
    """

    topic_id: str | None = None
    ids: tuple[str, ...] = field(default=(), repr=lambda ids: f"<{len(ids)} ids>")
    resent: tuple[str, ...] = field(default=(), repr=lambda ids: f"<{len(ids)} ids>")

    @property
    def known(self) -> frozenset[str]:
        """The ids of messages that are not to be handed out again."""
        return frozenset(self.ids + self.resent)

    def followed_by(self, ids: tuple[str, ...], resent: frozenset[str] = frozenset()) -> "CursorMemory":
        """After handing out messages with these ids, some of them `resent`: the windows move on."""
        return CursorMemory(
            self.topic_id,
            (self.ids + tuple(known for known in ids if known not in resent))[-IDS_MAX:],
            (self.resent + tuple(known for known in ids if known in resent))[-RESENT_IDS_MAX:],
        )

    def to_metadata(self) -> str:
        """The string to commit, within Kafka's limit: the oldest ids give way, resent ones last."""
        head = f"{_MARK} {self.topic_id or '-'} "
        resent = [_RESENT + known for known in self.resent[-RESENT_IDS_MAX:] if _is_id(known)]
        names = resent + [known for known in self.ids if _is_id(known)][-(IDS_MAX - len(resent)) :]
        while len(names) > len(resent) and len(head) + len(",".join(names)) > METADATA_BYTES_MAX:
            del names[len(resent)]
        while len(head) + len(",".join(names)) > METADATA_BYTES_MAX:
            del names[0]
        return head + ",".join(names)

    @classmethod
    def from_metadata(cls, metadata: str) -> "CursorMemory":
        """What a committed string says; another program's says nothing."""
        mark, _, rest = metadata.partition(" ")
        topic_id, _, names = rest.partition(" ")
        if mark != _MARK:
            return cls()
        known = tuple(filter(None, names.split(",")))
        return cls(
            None if topic_id in {"", "-"} else topic_id,
            tuple(name for name in known if not name.startswith(_RESENT)),
            tuple(name[1:] for name in known if name.startswith(_RESENT)),
        )


NOTHING = CursorMemory()
"""What is known where no cursor is."""


def _is_id(known: str) -> bool:
    return MESSAGE_ID.fullmatch(known.encode()) is not None
