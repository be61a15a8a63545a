"""What can go wrong, as values: inside the core an error is returned, never raised."""

from enum import Enum, unique

from attrs import frozen


@unique
class ErrorKind(Enum):
    """What an error means for the machine that asked; the client's own name for it is `BrokerError.code`."""

    TRANSIENT = "transient"
    """Asking again soon may help: a leader moves, a connection breaks, a coordinator loads."""
    TIMED_OUT = "timed out"
    """No answer within the time of the one command; what was asked for may still have happened."""
    WITHDRAWN = "withdrawn"
    """A record was taken back before its acknowledgement; it may be stored."""
    UNKNOWN_TOPIC = "unknown topic"
    """The broker knows no such topic or partition; nothing was done."""
    TOPIC_EXISTS = "topic exists"
    """The topic to create is there already."""
    OFFSET_OUT_OF_RANGE = "offset out of range"
    """The position is below the low watermark or beyond the high one."""
    DENIED = "denied"
    """Password, certificate or access list: asking again does not help; nothing was done."""
    REJECTED = "rejected"
    """The broker or the client refused the request itself: asking again does not help; nothing was done."""
    GROUP_IN_USE = "group in use"
    """A consumer is a member of the group: only members may move its cursor then; nothing was done."""
    UNEXPECTED = "unexpected"
    """An error that says nothing of what was done: not asked again, and not certain."""
    UNSUPPORTED = "unsupported"
    """This broker has no such operation (librdkafka's mock cluster has no DeleteTopics, say)."""


CERTAIN = frozenset(
    {ErrorKind.UNKNOWN_TOPIC, ErrorKind.DENIED, ErrorKind.REJECTED, ErrorKind.UNSUPPORTED},
)
"""The kinds after which it is certain that nothing was stored."""

PASSING = frozenset({ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT})
"""The kinds after which the same command is asked again while there is time."""


@frozen
class BrokerError:
    """A command that failed.

    `code` is Kafka's or librdkafka's name ("NOT_LEADER_FOR_PARTITION", "_TRANSPORT"); `reason` is a
    sentence for people and holds no message content and no secret.
    """

    kind: ErrorKind
    code: str
    reason: str = ""
    partition: int | None = None


@frozen
class Corrupt:
    """A record that is there and cannot be decoded; `reason` names the rule it breaks, never its content."""

    partition: int
    offset: int
    reason: str


Failure = BrokerError | Corrupt
"""Why a read failed."""
