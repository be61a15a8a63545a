"""A position in a conversation: an opaque value to page from, which can be stored and sent as text.

It stands at a message, or at the edge of a page. It names its session and its topic, so that a position of
another conversation, or of one that was deleted since, is an error and not another place.
"""

import base64
import binascii
import json

from attrs import field, frozen

from kchat.core.checks import shown
from kchat.core.errors import InvalidPosition
from kchat.core.log import Position

_VERSION = 1
_PREFIX = "kchat1."
_TEXT_MAX = 100_000
_OFFSET_MAX = (1 << 63) - 1
_PARTITION_MAX = (1 << 31) - 1


@frozen(repr=False)
class ChatPosition:
    """Where something is in a conversation.

    Everything that belongs before it has smaller offsets than `offsets` say, partition by partition. Where it
    stands at a message, `partition` is that message's. Treat all of it as opaque, and store `str(position)`.
    """

    session: str
    topic_id: str | None
    offsets: tuple[Position, ...]
    partition: int | None = field(default=None)

    def __str__(self) -> str:
        body = {
            "v": _VERSION,
            "s": self.session,
            "i": self.topic_id,
            "o": [[position.partition, position.offset] for position in self.offsets],
            "p": self.partition,
        }
        text = json.dumps(body, separators=(",", ":")).encode()
        return _PREFIX + base64.urlsafe_b64encode(text).decode().rstrip("=")

    def __repr__(self) -> str:
        return f"ChatPosition.parse({str(self)!r})"

    @classmethod
    def parse(cls, text: str) -> "ChatPosition":
        """The position that `str` gave as this text, in any process.

        Raises:
            InvalidPosition: it is none. It is a ValueError.
        """
        try:
            return cls._parsed(text)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, binascii.Error):
            raise InvalidPosition(
                f"this is no position of a conversation: {shown(text)}",
                next_step="give what str() made of a position, whole",
            ) from None

    @classmethod
    def _parsed(cls, text: str) -> "ChatPosition":
        if type(text) is not str or not text.startswith(_PREFIX) or len(text) > _TEXT_MAX:
            raise ValueError
        encoded = text.removeprefix(_PREFIX)
        body = json.loads(
            base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        )
        offsets = tuple(Position(partition, offset) for partition, offset in body["o"])
        position = cls(body["s"], body["i"], offsets, body["p"])
        if body["v"] != _VERSION or not position.is_sound:
            raise ValueError
        return position

    @property
    def is_sound(self) -> bool:
        """Whether it can be one that was handed out: a position may be built by hand, too."""
        placed = type(self.offsets) is tuple and all(_is_place(position) for position in self.offsets)
        if not placed or not _is_text(self.session) or not (self.topic_id is None or _is_text(self.topic_id)):
            return False
        named = {position.partition for position in self.offsets}
        known = self.partition is None or (type(self.partition) is int and self.partition in named)
        return known and len(named) == len(self.offsets)

    @property
    def before(self) -> tuple[Position, ...]:
        """Where a read ends that gives what lies before it."""
        return self.offsets

    @property
    def after(self) -> tuple[Position, ...]:
        """Where a read begins that gives what lies after it: behind the message, if it stands at one."""
        return tuple(Position(p.partition, p.offset + (p.partition == self.partition)) for p in self.offsets)

    @property
    def record(self) -> Position | None:
        """The record of the message that it stands at."""
        return next((p for p in self.offsets if p.partition == self.partition), None)


def _is_place(value: object) -> bool:
    if type(value) is not Position:
        return False
    numbers = ((value.partition, _PARTITION_MAX), (value.offset, _OFFSET_MAX))
    return all(type(number) is int and 0 <= number <= maximum for number, maximum in numbers)


def _is_text(value: object) -> bool:
    return type(value) is str and value != ""
