"""The exceptions that callers see. Inside the core the same things are values (`failures`).

KchatError
├── AppendRefused        nothing is stored, and nothing will be
│   └── InvalidMessage   ... because a message cannot be stored as it is (also a ValueError)
├── AppendUnknown        may be stored; appending the same records again is safe
├── ReadFailed           the read could not go on; the cursor is where it was
│   ├── CorruptRecord    ... because a record cannot be decoded
│   ├── PositionGone     ... because the log does not have this position, or is another one by now
│   └── CursorConflict   ... because another program's consumer holds the cursor
├── TopicNotChanged      a topic could not be created or deleted
├── InvalidSessionId     (also a ValueError)
├── InvalidPosition      (also a ValueError)
├── InvalidConfig        (also a ValueError)
└── Closed               used after close()
"""

from collections.abc import Mapping
from typing import Any, Self

from kchat.core.log import NewRecord


class KchatError(Exception):
    """The root: what happened, where, and what to do.

    Attributes:
        what: what happened, one clause.
        next_step: what the caller can do about it.
        session: where, by the session's name; None where it does not apply.
        topic: where, by the topic; None where it does not apply.
        partition: where in the topic; None where it does not apply.
        offset: where in the partition; None where it does not apply.
        code: Kafka's or librdkafka's name of the error ("_TRANSPORT"), where there is one.

    No text holds message content or a secret, nor does a pickle of an error. Every error can be pickled.
    """

    def __init__(
        self,
        what: str,
        *,
        next_step: str = "",
        session: str | None = None,
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.session = session
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.code = code

    @property
    def where(self) -> Mapping[str, str | int]:
        """The coordinates that are known."""
        names = ("session", "topic", "partition", "offset", "code")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    def __str__(self) -> str:
        where = ", ".join(f"{name} {value!a}" for name, value in self.where.items())
        return (
            self.what + (f" [{where}]" if where else "") + (f"; {self.next_step}" if self.next_step else "")
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions pickle by their positional arguments; these have keywords.
        return _rebuilt, (type(self), self.what, self._travelling())

    def __copy__(self) -> Self:
        return self._bare(self.what, vars(self))

    def __deepcopy__(self, _: object) -> Self:
        return self._bare(self.what, vars(self))  # all that an error holds is immutable

    def _travelling(self) -> Mapping[str, Any]:
        """The attributes that go into a pickle, and so to other processes."""
        return vars(self)

    @classmethod
    def _bare(cls, what: str, attributes: Mapping[str, Any]) -> Self:
        error = cls.__new__(cls, what)
        vars(error).update(attributes)
        return error


def _rebuilt(kind: type[KchatError], what: str, attributes: Mapping[str, Any]) -> KchatError:
    return kind._bare(what, attributes)


class InvalidSessionId(KchatError, ValueError):
    """The session id cannot be mapped to a topic."""


class InvalidPosition(KchatError, ValueError):
    """This is no position, or one of another conversation. Nothing was asked."""


class InvalidConfig(KchatError, ValueError):
    """A setting that kchat or Kafka's client cannot work with."""


class Closed(KchatError):
    """The history or the log was closed before this call."""


class AppendRefused(KchatError):
    """Nothing of this call is stored, and nothing will be."""


class InvalidMessage(AppendRefused, ValueError):
    """A message that would not read back equal. Nothing of the call was sent.

    Attributes:
        index: which message of the call, from 0.
        path: where in the message, ".additional_kwargs.score" say.
    """

    def __init__(self, what: str, *, index: int, path: str = "", **where: Any) -> None:
        super().__init__(what, **where)
        self.index = index
        self.path = path

    def __str__(self) -> str:
        # A path repeats keys of the message: whatever they hold, the text stays one line that any log takes.
        return f"message {self.index}{ascii(self.path)[1:-1]}: {super().__str__()}"


class AppendUnknown(KchatError):
    """Some records of this call may be stored.

    Appending `records` again is safe: they carry the same ids, and a reader drops the second copy.

    Attributes:
        records: all records of the call, in order. They hold what was said: a pickle of this error is
            without them, and what comes out of it has none.
        acknowledged: how many of them are known to be stored.
    """

    def __init__(
        self, what: str, *, records: tuple[NewRecord, ...], acknowledged: int = 0, **where: Any
    ) -> None:
        super().__init__(what, **where)
        self.records = records
        self.acknowledged = acknowledged

    def _travelling(self) -> Mapping[str, Any]:
        return {**vars(self), "records": ()}


class ReadFailed(KchatError):
    """The read could not go on. No cursor was moved by it; reading again is safe."""


class CorruptRecord(ReadFailed):
    """A record that is there and cannot be decoded. Its neighbours can be read with on_corrupt="skip"."""


class PositionGone(ReadFailed):
    """The log does not have the position that was given; nothing is read in its place.

    Retention or a truncation has passed it, or the topic was deleted and created again.
    """


class CursorConflict(ReadFailed):
    """A consumer that joined the group holds the session's cursor: a reader of the old class, say.

    Kafka lets only members of a group commit while it has one. The cursor is where it was.
    """


class TopicNotChanged(KchatError):
    """A topic could not be created or deleted, or not be seen to be, within the limit."""
