import pytest
from confluent_kafka import KafkaError, KafkaException

from kchat.core import BrokerError, ErrorKind
from kchat.io.translate import KINDS, Complaints, broker_error, kafka_error


def error(name: str, reason: str = "because") -> KafkaError:
    return KafkaError(getattr(KafkaError, name), reason)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_every_name_in_the_table_is_a_name_of_the_client(name: str) -> None:
    assert broker_error(error(name)) == BrokerError(KINDS[name], name, "because")


def test_a_name_outside_the_table_says_nothing_of_what_was_done() -> None:
    assert broker_error(error("_FAIL")).kind is ErrorKind.UNEXPECTED


@pytest.mark.parametrize("name", ["_PURGE_QUEUE", "_PURGE_INFLIGHT", "_MSG_TIMED_OUT"])
def test_no_local_report_proves_that_a_record_is_not_stored(name: str) -> None:
    from kchat.core import CERTAIN

    assert broker_error(error(name)).kind not in CERTAIN


def test_a_transport_error_that_used_all_the_time_is_a_time_out() -> None:
    assert broker_error(error("_TRANSPORT")).kind is ErrorKind.TRANSIENT
    assert broker_error(error("_TRANSPORT"), timed_out=True).kind is ErrorKind.TIMED_OUT
    assert broker_error(error("TOPIC_AUTHORIZATION_FAILED"), timed_out=True).kind is ErrorKind.DENIED


def test_a_fatal_error_is_found_behind_a_system_error() -> None:
    fatal = error("CLUSTER_AUTHORIZATION_FAILED")
    wrapped = SystemError("returned a result with an exception set")
    wrapped.__cause__ = KafkaException(fatal)
    assert kafka_error(wrapped) == fatal
    assert kafka_error(KafkaException(fatal)) == fatal
    assert kafka_error(SystemError("another one")) is None
    assert kafka_error(ValueError()) is None


def chained(exception: Exception) -> Exception:
    exception.__cause__ = KeyboardInterrupt()
    return exception


@pytest.mark.parametrize(
    "swallowed",
    [
        SystemError("<method 'poll' of 'cimpl.Consumer' objects> returned NULL without setting an exception"),
        chained(SystemError("<built-in method describe_topics> returned a result with an exception set")),
        TypeError("expected header key to be unicode string"),
        TypeError("expected configuration property name as type unicode string"),
    ],
)
def test_a_ctrl_c_that_the_client_swallowed_is_one_again(swallowed: Exception) -> None:
    with pytest.raises(KeyboardInterrupt):
        kafka_error(swallowed)


def test_another_type_error_stays_one() -> None:
    assert kafka_error(TypeError("argument must be int")) is None


TIMED_OUT = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "no answer")


def test_without_complaints_an_error_stays_as_it_is() -> None:
    assert Complaints("broker:9092").explain(TIMED_OUT) == TIMED_OUT


@pytest.mark.parametrize("name", ["_AUTHENTICATION", "_SSL"])
def test_a_refused_handshake_explains_a_time_out(name: str) -> None:
    complaints = Complaints("broker:9092")
    complaints(error(name, "certificate verify failed"))
    complaints(error("_ALL_BROKERS_DOWN"))
    explained = complaints.explain(TIMED_OUT)
    assert explained.kind is ErrorKind.DENIED
    assert explained.reason == "broker:9092: certificate verify failed"


@pytest.mark.parametrize("number", [40, 42, 43, 44, 45, 46, 48, 49, 70, 116])
@pytest.mark.parametrize("name", ["_TRANSPORT", "_SSL"])
def test_an_alert_of_the_brokers_is_a_refusal_under_whatever_name(name: str, number: int) -> None:
    complaints = Complaints("broker:9092")
    complaints(error(name, f"Receive failed: ssl/tls alert: SSL alert number {number} (after 1ms)"))
    explained = complaints.explain(TIMED_OUT)
    assert (explained.kind, explained.code) == (ErrorKind.DENIED, "_SSL")
    assert "does not take this client's certificate" in explained.reason


@pytest.mark.parametrize("number", [0, 80, 420])
def test_an_alert_that_says_nothing_of_the_client_may_pass(number: int) -> None:
    complaints = Complaints("broker:9092")
    complaints(error("_TRANSPORT", f"ssl/tls alert internal error: SSL alert number {number} (after 1ms)"))
    assert complaints.explain(TIMED_OUT).kind is ErrorKind.TIMED_OUT


def test_a_handshake_that_breaks_off_is_tried_again() -> None:
    complaints = Complaints("broker:9092")
    complaints(error("_SSL", "SSL handshake failed: Disconnected"))
    assert complaints.explain(TIMED_OUT).kind is ErrorKind.TIMED_OUT
    assert "handshake" in complaints.explain(TIMED_OUT).reason


def test_a_refused_connection_explains_a_time_out_and_stays_one() -> None:
    complaints = Complaints("broker:9092")
    complaints(error("_TRANSPORT", "Connection refused"))
    complaints(error("_ALL_BROKERS_DOWN", "1/1 brokers are down"))
    assert complaints.explain(TIMED_OUT).kind is ErrorKind.TIMED_OUT
    assert complaints.explain(TIMED_OUT).reason == "broker:9092: Connection refused"


def test_brokers_that_are_down_for_no_cause_may_want_another_protocol() -> None:
    """So it looks where a plaintext client speaks to TLS: the client keeps to itself that it was cut off."""
    complaints = Complaints("host:9092")
    complaints(error("_ALL_BROKERS_DOWN", "0/2 brokers are down"))
    told = complaints.explain(BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "slow"))
    assert told.reason.startswith("host:9092: no broker answers this client")
    assert "security.protocol" in told.reason
    assert "0/2" not in told.reason


def test_an_answer_ends_what_was_complained_of() -> None:
    complaints = Complaints("broker:9092")
    complaints(error("_AUTHENTICATION"))
    complaints.forget()
    assert complaints.explain(TIMED_OUT) == TIMED_OUT


def test_complaints_do_not_change_what_the_broker_itself_said() -> None:
    complaints = Complaints("broker:9092")
    complaints(error("_TRANSPORT", "Connection refused"))
    refused = BrokerError(ErrorKind.REJECTED, "MSG_SIZE_TOO_LARGE", "too large")
    assert complaints.explain(refused) == refused
