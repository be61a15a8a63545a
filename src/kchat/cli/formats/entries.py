"""What a format writes and reads: messages with their places, and the records that are none."""

from collections.abc import Callable, Iterable
from typing import IO

from attrs import field, frozen

from kchat.cli.formats.losses import Losses
from kchat.core import Message


@frozen(kw_only=True)
class Place:
    """Where a record was: `timestamp_ms` is the record's, in milliseconds since 1970-01-01 UTC."""

    partition: int
    offset: int
    timestamp_ms: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


@frozen
class Placed:
    """A message, and the bytes of its record.

    `message_id` is the record's `kchat-id`, None where another program wrote it.
    """

    place: Place
    message: Message
    message_id: str | None = None
    value: bytes = field(default=b"", repr=False)


@frozen
class Poison:
    """A record that is no message: why, and its bytes (None: it had none)."""

    place: Place
    reason: str
    value: bytes | None = field(repr=False)


Entry = Placed | Poison


@frozen(kw_only=True)
class About:
    """The conversation that a file is of. `topic_id` is None where the broker keeps none."""

    session: str
    topic: str
    topic_id: str | None
    exported_ms: int


Write = Callable[[About, Iterable[Entry], IO[str], Losses], None]
"""Writes a whole file to a stream, entry by entry, and reports what it could not carry."""


@frozen
class Sourced:
    """A message that is to be imported, and where in the source it is, in words.

    `source_id` is what the source itself says of its identity, None where it says nothing; `timed`: it says
    when it was appended, which a record that is appended now cannot have.
    """

    where: str
    message: Message
    source_id: str | None = None
    timed: bool = False


@frozen
class Unusable:
    """Something in the source that cannot be imported, in words that quote no content."""

    where: str
    reason: str


Source = Sourced | Unusable


class NoConversation(ValueError):
    """A file is not of this format; the text says why and quotes nothing."""
