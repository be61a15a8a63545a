"""Where outcomes become exceptions: the one place that words the errors a caller sees."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, assert_never

from kchat.core.errors import (
    AppendRefused,
    AppendUnknown,
    CorruptRecord,
    CursorConflict,
    InvalidMessage,
    PositionGone,
    ReadFailed,
    TopicNotChanged,
)
from kchat.core.events import Acknowledged
from kchat.core.failures import BrokerError, Corrupt, ErrorKind, Failure
from kchat.core.json_values import Unstorable
from kchat.core.log import NewRecord
from kchat.core.outcomes import (
    Appended,
    AppendOutcome,
    Complete,
    CursorGone,
    CursorsListed,
    Failed,
    Partial,
    Progress,
    ProvisionOutcome,
    ReadOutcome,
    Refused,
    TopicFailed,
    TopicGone,
    TopicReady,
    TopicTruncated,
    Unknown,
)

M = TypeVar("M")

NEXT_STEPS = {
    ErrorKind.TRANSIENT: "check that the brokers are up and reachable, then try again",
    ErrorKind.TIMED_OUT: "check that the brokers are up and reachable, or allow more time",
    ErrorKind.WITHDRAWN: "append the same records again",
    ErrorKind.UNKNOWN_TOPIC: "create the topic, or let the append create it (provision=True)",
    ErrorKind.TOPIC_EXISTS: "use the existing topic",
    ErrorKind.OFFSET_OUT_OF_RANGE: "read from the beginning",
    ErrorKind.DENIED: "check the sasl.* and ssl.* settings and the access lists of the cluster",
    ErrorKind.REJECTED: "correct what the broker names",
    ErrorKind.GROUP_IN_USE: "end the consumer that joined the cursor's group, or read without the cursor",
    ErrorKind.UNEXPECTED: "look for the code in Kafka's documentation",
    ErrorKind.UNSUPPORTED: "use a broker that has this operation",
}

GRANT = "have it granted in the access lists of the cluster"

NEXT_STEPS_BY_CODE = {
    "TOPIC_AUTHORIZATION_FAILED": GRANT,
    "GROUP_AUTHORIZATION_FAILED": GRANT + ", or read without the cursor (replay=True)",
    "CLUSTER_AUTHORIZATION_FAILED": GRANT,
    "_AUTHENTICATION": "check the sasl.* settings: mechanism, user and password or token",
    "_SSL": "check the ssl.* settings and the certificates of both sides",
    "MSG_SIZE_TOO_LARGE": "raise max.message.bytes of the topic, or store large content elsewhere",
    "NO_SUCH_SESSION": "wait for it with wait_for_session=True, or append its first message",
}
"""More than the kind says, where the code says more."""


def delivered(outcome: ReadOutcome[M], *, session: str, topic: str) -> Progress[M]:
    """What a read handed out.

    Raises:
        CorruptRecord: it met a record that cannot be decoded, and was not told to skip it.
        ReadFailed: it could not go on.
    """
    match outcome:
        case Complete(progress=progress) | Partial(progress=progress):
            return progress
        case Failed(failure=failure):
            raise read_error(failure, session, topic)
        case _:
            assert_never(outcome)


def acknowledged(outcome: AppendOutcome, *, session: str, topic: str) -> tuple[Acknowledged, ...]:
    """Where the records are stored.

    Raises:
        AppendRefused: nothing is stored, and nothing will be.
        AppendUnknown: some of it may be stored.
    """
    match outcome:
        case Appended(places=places):
            return places
        case Refused(error=error):
            raise AppendRefused("nothing was appended: " + _said(error), **_where(error, session, topic))
        case Unknown(error=error, acknowledged=count, records=records):
            where = _where(error, session, topic)
            if error.code != "MSG_SIZE_TOO_LARGE":  # as large as before, it would be refused again
                where["next_step"] = "append the error's records again (resend): readers drop a second copy"
            raise AppendUnknown(
                f"{count} of {len(records)} records acknowledged, the others may be stored: {_said(error)}",
                records=records,
                acknowledged=count,
                **where,
            )
        case _:
            assert_never(outcome)


def provisioned(
    outcome: ProvisionOutcome, *, session: str, topic: str
) -> TopicReady | TopicGone | TopicTruncated | CursorsListed | CursorGone:
    """The topic or the cursors as they were wanted.

    Raises:
        TopicNotChanged: the topic could not be created, deleted or emptied, or not be seen to be; or its
            cursors could not be listed or removed.
    """
    match outcome:
        case TopicReady() | TopicGone() | TopicTruncated() | CursorsListed() | CursorGone():
            return outcome
        case TopicFailed(error=error, of_cursors=True):
            raise TopicNotChanged(
                "the cursors could not be listed or removed: " + _said(error),
                **_where(error, session, topic),
            )
        case TopicFailed(error=error):
            raise TopicNotChanged(
                "the topic was not changed: " + _said(error), **_where(error, session, topic)
            )
        case _:
            assert_never(outcome)


def encoded(
    messages: Sequence[M],
    encode: Callable[[M], NewRecord | Unstorable],
    *,
    session: str,
    record_bytes_max: int,
) -> tuple[NewRecord, ...]:
    """All messages of a call as records: checked first, so that one bad message sends nothing.

    Raises:
        InvalidMessage: a message would not read back equal, or its record would be too large.
    """
    records = []
    for index, message in enumerate(messages):
        record = encode(message)
        if isinstance(record, Unstorable):
            raise InvalidMessage(
                record.reason,
                index=index,
                path=record.path,
                session=session,
                next_step="nothing of this call was sent; correct the message and append again",
            )
        if record.size_bytes_max > record_bytes_max:
            raise InvalidMessage(
                f"its record would have {record.size_bytes_max} bytes, and the limit is {record_bytes_max}",
                index=index,
                session=session,
                next_step="nothing of this call was sent; store large content elsewhere, or raise"
                " message.max.bytes in config= and max.message.bytes of the topic",
            )
        records.append(record)
    return tuple(records)


def corrupt_record(corrupt: Corrupt, *, session: str, topic: str) -> CorruptRecord:
    """The error for one record that cannot be decoded: to raise, or to report where it was skipped."""
    return CorruptRecord(
        f"a record cannot be decoded: {corrupt.reason}",
        next_step='its neighbours can be read with on_corrupt="skip"',
        session=session,
        topic=topic,
        partition=corrupt.partition,
        offset=corrupt.offset,
    )


def read_error(failure: Failure, session: str, topic: str) -> ReadFailed:
    """The error for why a read could not go on."""
    match failure:
        case Corrupt():
            return corrupt_record(failure, session=session, topic=topic)
        case BrokerError(kind=ErrorKind.GROUP_IN_USE) as error:
            return CursorConflict(
                "the cursor cannot be moved: a consumer is a member of its group: " + _said(error),
                **_where(error, session, topic),
            )
        case BrokerError(kind=ErrorKind.OFFSET_OUT_OF_RANGE) as error:
            return PositionGone("the read failed: " + _said(error), **_where(error, session, topic))
        case BrokerError() as error:
            return ReadFailed("the read failed: " + _said(error), **_where(error, session, topic))
        case _:
            assert_never(failure)


def _said(error: BrokerError) -> str:
    return error.reason or error.kind.value


def _where(error: BrokerError, session: str, topic: str) -> dict[str, Any]:
    return {
        "next_step": NEXT_STEPS_BY_CODE.get(error.code, NEXT_STEPS[error.kind]),
        "session": session,
        "topic": topic,
        "partition": error.partition,
        "code": error.code,
    }
