"""The appending machine, arrow by arrow: what is sent, what is awaited, and how it ends."""

from typing import Any

import pytest

from kchat.core import (
    Acknowledged,
    Appended,
    AppendRequest,
    AwaitReports,
    Command,
    CreateTopic,
    DescribeTopic,
    ErrorKind,
    Event,
    NewRecord,
    Produce,
    Refused,
    TopicCreated,
    TopicSettings,
    Unknown,
    Withdraw,
    appending,
)
from kchat.core.appending import (
    ATTEMPTS_MAX,
    NOT_ACKNOWLEDGED,
    WITHDRAW_MS_MAX,
    AwaitingReports,
    Ensuring,
    Finished,
    Producing,
    Withdrawing,
)
from kchat.core.failures import CERTAIN
from tests.core.scripts import ack, described, error, failed, produced
from tests.core.strategies import TOPIC
from tests.core.tracing import feed

TRANSIENT, TIMED_OUT, DENIED = ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT, ErrorKind.DENIED
UNKNOWN_TOPIC, WITHDRAWN = ErrorKind.UNKNOWN_TOPIC, ErrorKind.WITHDRAWN
A, B, C = (NewRecord(b"s", name) for name in (b"a", b"b", b"c"))
SETTINGS = TopicSettings(partitions=1)
CREATED = TopicCreated(at_ms=1)


def appends(*events: Event, **changes: Any) -> Any:
    """The state of an append of two records to a known topic, after these events."""
    given: dict[str, Any] = {"records": (A, B), "topic_known": True, "wait_ms_max": 1_000}
    request = AppendRequest(topic=TOPIC, **given | changes)
    return feed(appending, appending.start(request, 0), *events)


SENT_AGAIN = (A.resent(), B.resent())


def asked(state: Any) -> Any:
    command = appending.pending(state)
    assert isinstance(command, Command)
    return command


def ended(state: Any) -> Any:
    assert isinstance(state, Finished)
    return appending.pending(state)


def sends(state: Any) -> tuple[NewRecord, ...]:
    command = asked(state)
    assert isinstance(command, Produce)
    return command.records


def test_no_records_are_appended_at_once() -> None:
    assert ended(appends(records=())) == Appended(())


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"topic_known": True, "settings": SETTINGS}, Produce),
        ({"topic_known": False, "settings": None}, Produce),
        ({"topic_known": False, "settings": SETTINGS}, DescribeTopic),
    ],
)
def test_the_topic_is_looked_for_only_when_it_may_have_to_be_created(
    changes: dict[str, Any], first: type
) -> None:
    assert isinstance(asked(appends(**changes)), first)


def test_acknowledged_in_one_answer() -> None:
    state = appends(partition=3)
    assert sends(state) == (A, B)
    assert asked(state).partition == 3
    outcome = ended(feed(appending, state, produced(ack(4), ack(5))))
    assert outcome == Appended((Acknowledged(0, 4), Acknowledged(0, 5)))


def test_a_missing_topic_is_created_and_then_written() -> None:
    state = appends(failed(UNKNOWN_TOPIC), settings=SETTINGS, topic_known=False)
    assert isinstance(state, Ensuring)
    assert isinstance(asked(state), CreateTopic)
    state = feed(appending, state, CREATED)
    assert isinstance(state, Ensuring)
    state = feed(appending, state, described())
    assert isinstance(state, Producing)
    assert sends(state) == (A, B)


def test_a_topic_that_cannot_be_created_refuses_the_append() -> None:
    outcome = ended(appends(failed(DENIED, "no"), settings=SETTINGS, topic_known=False))
    assert outcome == Refused(error(DENIED, "no"))


def test_the_search_for_the_topic_uses_the_calls_time() -> None:
    late = (failed(TIMED_OUT, at=400), failed(TIMED_OUT, "silent", at=1_000))
    assert ended(appends(*late, settings=SETTINGS, topic_known=False)) == Refused(error(TIMED_OUT, "silent"))


def test_reports_are_awaited_without_sending_again() -> None:
    state = appends(produced(ack(4), None))
    assert isinstance(state, AwaitingReports)
    assert isinstance(asked(state), AwaitReports)
    state = feed(appending, state, produced(ack(4), None, at=300))
    assert isinstance(state, AwaitingReports)
    assert ended(feed(appending, state, produced(ack(4), ack(5)))) == Appended(
        (Acknowledged(0, 4), Acknowledged(0, 5))
    )


@pytest.mark.parametrize("waiting", [(), (produced(None, None),)], ids=["at once", "after waiting"])
def test_what_has_no_report_when_the_time_is_over_is_withdrawn(waiting: tuple[Event, ...]) -> None:
    state = appends(*waiting, produced(ack(4), None, at=1_000))
    assert isinstance(state, Withdrawing)
    assert asked(state) == Withdraw(timeout_ms=WITHDRAW_MS_MAX)


@pytest.mark.parametrize(
    ("last", "outcome"),
    [
        (produced(ack(4), ack(5)), Appended((Acknowledged(0, 4), Acknowledged(0, 5)))),
        (
            produced(ack(4), error(WITHDRAWN)),
            Unknown(error=NOT_ACKNOWLEDGED, acknowledged=1, records=SENT_AGAIN),
        ),
        (produced(None, None), Unknown(error=NOT_ACKNOWLEDGED, acknowledged=0, records=SENT_AGAIN)),
        (produced(error(DENIED), error(DENIED)), Refused(error(DENIED))),
        (
            produced(error(DENIED), error(WITHDRAWN)),
            Unknown(error=NOT_ACKNOWLEDGED, acknowledged=0, records=SENT_AGAIN),
        ),
        (
            produced(ack(4), error(DENIED)),
            Unknown(error=NOT_ACKNOWLEDGED, acknowledged=1, records=SENT_AGAIN),
        ),
        (failed(TRANSIENT), Unknown(error=NOT_ACKNOWLEDGED, acknowledged=0, records=SENT_AGAIN)),
    ],
    ids=["in time after all", "one", "none", "refused", "mixed", "one refused", "no answer"],
)
def test_the_last_word_after_a_withdrawal(last: Event, outcome: object) -> None:
    assert ended(appends(produced(None, None, at=1_000), last)) == outcome


def test_a_client_that_cannot_send_for_a_moment_is_asked_again() -> None:
    state = appends(failed(TRANSIENT))
    assert isinstance(state, Producing)
    assert (sends(state), asked(state).backoff_ms) == ((A, B), 5)


def test_a_client_that_cannot_send_until_the_time_is_over_has_stored_nothing() -> None:
    state = appends(failed(TRANSIENT, "broke"), failed(TIMED_OUT, at=1_000))
    assert ended(state) == Refused(error(TRANSIENT, "broke"))


@pytest.mark.parametrize("kind", [ErrorKind.UNEXPECTED, *sorted(CERTAIN, key=str)])
def test_a_client_that_does_not_take_the_records_has_stored_nothing(kind: ErrorKind) -> None:
    assert ended(appends(failed(kind))) == Refused(error(kind))


@pytest.mark.parametrize(
    ("kind", "certain"), [(kind, kind in CERTAIN) for kind in ErrorKind if kind is not WITHDRAWN]
)
def test_an_error_for_every_record_is_refused_only_where_it_is_certain(
    kind: ErrorKind, certain: bool
) -> None:
    outcome = ended(appends(produced(error(kind), error(kind))))
    unknown = Unknown(error=error(kind), acknowledged=0, records=SENT_AGAIN)
    assert outcome == (Refused(error(kind)) if certain else unknown)


def test_certain_and_uncertain_errors_together_are_unknown() -> None:
    outcome = ended(appends(produced(error(DENIED), error(TRANSIENT))))
    assert outcome == Unknown(error=error(DENIED), acknowledged=0, records=SENT_AGAIN)


def test_a_refusal_after_a_stored_record_is_unknown() -> None:
    outcome = ended(appends(produced(ack(4), error(DENIED))))
    assert outcome == Unknown(error=error(DENIED), acknowledged=1, records=SENT_AGAIN)


@pytest.mark.parametrize("kind", [DENIED, WITHDRAWN, UNKNOWN_TOPIC])
def test_a_later_record_that_is_stored_forbids_sending_the_earlier_one(kind: ErrorKind) -> None:
    outcome = ended(appends(produced(error(kind), ack(4)), settings=SETTINGS))
    assert outcome == Unknown(error=error(kind), acknowledged=1, records=SENT_AGAIN)


@pytest.mark.parametrize("waiting", [(), (produced(None, None),)], ids=["at once", "after waiting"])
def test_records_taken_along_by_a_neighbour_are_sent_again(waiting: tuple[Event, ...]) -> None:
    state = appends(*waiting, produced(error(WITHDRAWN), error(WITHDRAWN)))
    assert isinstance(state, Producing)
    assert sends(state) == SENT_AGAIN
    assert isinstance(ended(feed(appending, state, produced(ack(6), ack(7)))), Appended)


def test_after_records_were_taken_along_nothing_is_certain_any_more() -> None:
    taken = produced(error(WITHDRAWN), error(WITHDRAWN))
    unknown = Unknown(error=error(DENIED), acknowledged=0, records=SENT_AGAIN)
    assert ended(appends(taken, produced(error(DENIED), error(DENIED)))) == unknown
    assert ended(appends(taken, failed(DENIED))) == unknown


def test_only_what_was_not_acknowledged_is_sent_again() -> None:
    state = appends(produced(ack(4), error(WITHDRAWN), error(WITHDRAWN)), records=(A, B, C))
    assert sends(state) == (B.resent(), C.resent())
    outcome = ended(feed(appending, state, produced(ack(5), ack(6))))
    assert [place.offset for place in outcome.places] == [4, 5, 6]
    withdrawn = feed(appending, state, produced(ack(5), None, at=1_000), produced(ack(5), error(WITHDRAWN)))
    assert ended(withdrawn).acknowledged == 2


@pytest.mark.parametrize(
    "events", [(failed(DENIED),), (produced(error(DENIED), error(DENIED)),)], ids=["not sent", "refused"]
)
def test_an_append_of_resent_records_is_never_certain_to_have_stored_nothing(
    events: tuple[Event, ...],
) -> None:
    """Its first attempt, an earlier call, may have stored them."""
    outcome = ended(appends(*events, records=SENT_AGAIN))
    assert outcome == Unknown(error=error(DENIED), acknowledged=0, records=SENT_AGAIN)
    too_large = ended(appends(records=SENT_AGAIN, record_bytes_max=10))
    assert (type(too_large), too_large.records) == (Unknown, SENT_AGAIN)


def test_a_record_that_would_be_too_large_to_resend_is_refused_at_first() -> None:
    limit = A.resent().size_bytes
    assert A.size_bytes < limit
    assert isinstance(appends(records=(A,), record_bytes_max=limit), Producing)
    assert isinstance(ended(appends(records=(A,), record_bytes_max=limit - 1)), Refused)


def test_records_taken_along_when_the_time_is_over_are_unknown() -> None:
    outcome = ended(appends(produced(error(WITHDRAWN), error(WITHDRAWN), at=1_000)))
    assert outcome == Unknown(error=error(WITHDRAWN), acknowledged=0, records=SENT_AGAIN)


@pytest.mark.parametrize(
    "answers",
    [
        (failed(UNKNOWN_TOPIC),),
        (produced(error(UNKNOWN_TOPIC), error(UNKNOWN_TOPIC)),),
        (produced(None, None), produced(error(UNKNOWN_TOPIC), error(UNKNOWN_TOPIC))),
    ],
    ids=["not taken", "refused", "refused later"],
)
def test_a_topic_that_another_program_deleted_is_created_again(answers: tuple[Event, ...]) -> None:
    state = appends(*answers, settings=SETTINGS)
    assert isinstance(state, Ensuring)
    assert isinstance(asked(state), DescribeTopic)
    state = feed(appending, state, failed(UNKNOWN_TOPIC), CREATED, described())
    assert sends(state) == (A, B)
    assert isinstance(ended(appends(*answers)), Refused), "without settings there is nothing to create"


def test_a_topic_that_keeps_vanishing_is_given_up() -> None:
    gone = produced(error(UNKNOWN_TOPIC), error(UNKNOWN_TOPIC))
    state = appends(settings=SETTINGS)
    for _ in range(ATTEMPTS_MAX - 1):
        state = feed(appending, state, gone, described())
        assert isinstance(state, Producing)
    assert ended(feed(appending, state, gone)) == Refused(error(UNKNOWN_TOPIC))


def test_a_topic_that_vanishes_when_the_time_is_over_is_not_created() -> None:
    gone = produced(error(UNKNOWN_TOPIC), error(UNKNOWN_TOPIC), at=1_000)
    assert ended(appends(gone, settings=SETTINGS)) == Refused(error(UNKNOWN_TOPIC))


def test_waiting_survives_a_passing_failure_and_nothing_worse() -> None:
    state = appends(produced(None, None), failed(TRANSIENT, "broke"))
    assert isinstance(state, AwaitingReports)
    over = feed(appending, state, failed(TIMED_OUT, at=1_000))
    assert isinstance(over, Withdrawing)
    assert over.cause == error(TRANSIENT, "broke")
    fatal = feed(appending, state, failed(ErrorKind.REJECTED, "fenced"))
    assert isinstance(fatal, Withdrawing)


@pytest.mark.parametrize("kind", ErrorKind)
def test_a_record_without_a_last_word_is_unknown_whatever_the_cause(kind: ErrorKind) -> None:
    fatal = (produced(None, None), failed(kind, at=1_000))
    assert isinstance(ended(appends(*fatal, produced(None, None))), Unknown)
    assert isinstance(ended(appends(*fatal, produced(error(DENIED), None))), Unknown)


def test_the_trouble_on_the_way_is_the_cause_of_a_withdrawal() -> None:
    state = appends(produced(None, None), failed(TRANSIENT, "broke"), produced(None, None, at=1_000))
    assert isinstance(state, Withdrawing)
    assert state.cause == error(TRANSIENT, "broke")


def test_an_event_that_cannot_follow_is_a_defect_of_the_shell() -> None:
    with pytest.raises(AssertionError, match="TopicCreated cannot follow Producing"):
        appending.advance(appends(), CREATED)
