"""The client's errors in the core's words. The one table of what each error name means."""

import re
from collections import deque
from threading import Lock

from confluent_kafka import KafkaError, KafkaException

from kchat.core import PASSING, BrokerError, ErrorKind

_NAMES = {
    ErrorKind.TRANSIENT: """
        NOT_LEADER_FOR_PARTITION LEADER_NOT_AVAILABLE REPLICA_NOT_AVAILABLE BROKER_NOT_AVAILABLE
        OFFSET_NOT_AVAILABLE UNKNOWN_LEADER_EPOCH FENCED_LEADER_EPOCH KAFKA_STORAGE_ERROR NETWORK_EXCEPTION
        COORDINATOR_LOAD_IN_PROGRESS COORDINATOR_NOT_AVAILABLE NOT_COORDINATOR REBALANCE_IN_PROGRESS
        NOT_CONTROLLER NOT_ENOUGH_REPLICAS NOT_ENOUGH_REPLICAS_AFTER_APPEND THROTTLING_QUOTA_EXCEEDED
        _TRANSPORT _ALL_BROKERS_DOWN _DESTROY_BROKER _RESOLVE _WAIT_COORD _WAIT_CACHE _NODE_UPDATE
        _QUEUE_FULL _RETRY _STATE
    """,
    ErrorKind.TIMED_OUT: "_TIMED_OUT _TIMED_OUT_QUEUE _MSG_TIMED_OUT REQUEST_TIMED_OUT",
    # The last one: what the client says of a record whose topic was deleted and created again meanwhile.
    ErrorKind.WITHDRAWN: "_PURGE_QUEUE _PURGE_INFLIGHT _DESTROY",
    ErrorKind.UNKNOWN_TOPIC: """
        UNKNOWN_TOPIC_OR_PART UNKNOWN_TOPIC_ID _UNKNOWN_TOPIC _UNKNOWN_PARTITION _NOENT
    """,
    ErrorKind.TOPIC_EXISTS: "TOPIC_ALREADY_EXISTS",
    ErrorKind.OFFSET_OUT_OF_RANGE: "OFFSET_OUT_OF_RANGE _AUTO_OFFSET_RESET",
    ErrorKind.DENIED: """
        TOPIC_AUTHORIZATION_FAILED GROUP_AUTHORIZATION_FAILED CLUSTER_AUTHORIZATION_FAILED
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED SASL_AUTHENTICATION_FAILED UNSUPPORTED_SASL_MECHANISM
        ILLEGAL_SASL_STATE SECURITY_DISABLED _AUTHENTICATION _SSL
    """,
    ErrorKind.REJECTED: """
        MSG_SIZE_TOO_LARGE RECORD_LIST_TOO_LARGE INVALID_MSG INVALID_MSG_SIZE INVALID_RECORD
        INVALID_TIMESTAMP INVALID_REQUIRED_ACKS UNSUPPORTED_FOR_MESSAGE_FORMAT
        UNSUPPORTED_COMPRESSION_TYPE TOPIC_EXCEPTION INVALID_CONFIG INVALID_PARTITIONS
        INVALID_REPLICATION_FACTOR INVALID_REPLICA_ASSIGNMENT POLICY_VIOLATION INVALID_REQUEST
        TOPIC_DELETION_DISABLED INVALID_GROUP_ID OFFSET_METADATA_TOO_LARGE INVALID_COMMIT_OFFSET_SIZE
        _INVALID_ARG
    """,
    ErrorKind.GROUP_IN_USE: """
        NON_EMPTY_GROUP
        UNKNOWN_MEMBER_ID ILLEGAL_GENERATION STALE_MEMBER_EPOCH FENCED_MEMBER_EPOCH FENCED_INSTANCE_ID
    """,
    ErrorKind.UNSUPPORTED: "UNSUPPORTED_VERSION _UNSUPPORTED_FEATURE _NOT_IMPLEMENTED",
}
KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}
"""What a name means; a name that is missing here means that nothing is known."""

_OAUTH_VALUE = re.compile(r"(sasl\.oauthbearer\.config beginning at:).*", re.DOTALL)
"""The client quotes the rest of a property that it cannot read, and that holds a secret."""

_ALERT = re.compile(r"SSL alert number (4[0-9]|70|71|116)\b")
"""TLS alerts (RFC 8446) by which a broker refuses this client: its certificate, its authority, its TLS."""

NO_ANSWER = "no broker answers this client: down, hanging, or security.protocol is another one there"

REFUSALS = frozenset({"_AUTHENTICATION", "SASL_AUTHENTICATION_FAILED"})
"""Errors that the client tells only by its error callback, while the call itself just times out."""


def broker_error(error: KafkaError, *, timed_out: bool = False) -> BrokerError:
    """A client error as the core's value.

    Args:
        error: what the client gave.
        timed_out: the whole time of the command passed first. Some calls then say `_TRANSPORT`.
    """
    kind = KINDS.get(error.name(), ErrorKind.UNEXPECTED)
    if timed_out and kind is ErrorKind.TRANSIENT:
        kind = ErrorKind.TIMED_OUT
    return BrokerError(kind, error.name(), error.str())


def kafka_error(exception: BaseException) -> KafkaError | None:
    """The client's error in an exception, or None where it is another exception.

    When a delivery callback ran in the same call, a fatal error arrives as SystemError with the
    KafkaException as its cause (confluent-kafka 2.16.1).

    Raises:
        KeyboardInterrupt: the exception is what the client made of one.
    """
    if _was_interrupt(exception):
        raise KeyboardInterrupt from exception
    if isinstance(exception, SystemError) and exception.__cause__ is not None:
        exception = exception.__cause__
    if isinstance(exception, KafkaException) and isinstance(exception.args[0], KafkaError):
        return exception.args[0]
    return None


def _was_interrupt(exception: BaseException) -> bool:
    """Whether Ctrl-C came while the client was in C, which it then turns into one of these (2.16.1).

    The strings that it complains of are strings: what it got instead was its own NULL, and the exception.
    """
    text = str(exception)
    return (
        isinstance(exception.__cause__ or exception.__context__, KeyboardInterrupt)
        or (isinstance(exception, SystemError) and "NULL without setting an exception" in text)
        or (isinstance(exception, TypeError) and text.startswith("expected ") and "unicode string" in text)
    )


class Complaints:
    """What a client says through `error_cb`: the only place where it names the cause of a time-out.

    The client calls it from inside poll, flush and consume, in whichever thread is there.
    """

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._heard: deque[KafkaError] = deque(maxlen=16)
        self._lock = Lock()

    def __call__(self, error: KafkaError) -> None:
        """Hear an error: this is the `error_cb`."""
        with self._lock:
            self._heard.append(error)

    @property
    def any(self) -> bool:
        """Whether it has said anything since."""
        return bool(self._heard)

    def forget(self) -> None:
        """The client has an answer: what was wrong before is not wrong any more."""
        with self._lock:
            self._heard.clear()

    def explain(self, error: BrokerError) -> BrokerError:
        """The error with its cause, if the client has named one, and with the servers."""
        with self._lock:
            heard = list(self._heard)
        refusal = next((e for e in reversed(heard) if _is_refusal(e)), None)
        if refusal is not None:
            return BrokerError(ErrorKind.DENIED, *_told(self._servers, refusal))
        if error.kind not in PASSING or not heard:
            return error
        cause = next((e for e in reversed(heard) if e.name() != "_ALL_BROKERS_DOWN"), heard[-1])
        return BrokerError(error.kind, error.code, f"{self._servers}: {_text(cause)}", error.partition)


def _is_refusal(error: KafkaError) -> bool:
    """Whether asking again cannot help. A handshake that breaks off may only mean a restart."""
    named = error.name() in REFUSALS or (error.name() == "_SSL" and "certificate" in error.str())
    return named or _ALERT.search(error.str()) is not None


def _told(servers: str, refusal: KafkaError) -> tuple[str, str]:
    """The code and the sentence of a refusal. An alert comes under the name of whatever it broke off."""
    if _ALERT.search(refusal.str()) is None:
        return refusal.name(), f"{servers}: {_text(refusal)}"
    return "_SSL", f"{servers}: the broker does not take this client's certificate: {_text(refusal)}"


def _text(error: KafkaError) -> str:
    if error.name() == "_ALL_BROKERS_DOWN":  # it says "0/2 brokers are down", without a cause
        return NO_ANSWER
    return _OAUTH_VALUE.sub(r"\1 (not shown)", error.str())
