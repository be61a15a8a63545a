"""Outcomes become answers or exceptions: the only place where that happens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import (
    Acknowledged,
    Appended,
    AppendOutcome,
    AppendRefused,
    AppendUnknown,
    BrokerError,
    Complete,
    Corrupt,
    CorruptRecord,
    Delivery,
    ErrorKind,
    Failed,
    Failure,
    InvalidMessage,
    Limit,
    Message,
    NewRecord,
    Partial,
    Progress,
    ReadFailed,
    ReadOutcome,
    Refused,
    TopicFailed,
    TopicGone,
    TopicNotChanged,
    TopicReady,
    Unknown,
    Unstorable,
    acknowledged,
    delivered,
    encoded,
    provisioned,
)
from kchat.core.edge import NEXT_STEPS, NEXT_STEPS_BY_CODE

ERROR = BrokerError(ErrorKind.DENIED, "TOPIC_AUTHORIZATION_FAILED", "not authorized", 2)
RECORDS = (NewRecord(b"k", b"hunter2"), NewRecord(b"k", b"hunter2"))
PROGRESS: Progress[Message] = Progress(
    deliveries=(Delivery(Message("human", {"content": "hunter2"}), 0, 1, 2),), duplicates=1
)


def read(outcome: ReadOutcome[Message]) -> Progress[Message]:
    return delivered(outcome, session="s", topic="t")


def test_a_read_that_went_well_gives_its_progress() -> None:
    assert read(Complete(PROGRESS)) is PROGRESS
    assert read(Partial(PROGRESS, Limit.COUNT)) is PROGRESS


@pytest.mark.parametrize(
    ("failure", "kind", "where"),
    [
        (ERROR, ReadFailed, {"partition": 2, "code": "TOPIC_AUTHORIZATION_FAILED"}),
        (Corrupt(1, 7, "not JSON"), CorruptRecord, {"partition": 1, "offset": 7}),
    ],
)
def test_a_failed_read_is_raised_with_its_place(
    failure: Failure, kind: type[ReadFailed], where: dict[str, object]
) -> None:
    with pytest.raises(kind) as caught:
        read(Failed(PROGRESS, failure))
    assert type(caught.value) is kind
    assert caught.value.where == {"session": "s", "topic": "t"} | where
    assert "hunter2" not in repr(vars(caught.value)) + str(caught.value)


def append(outcome: AppendOutcome) -> tuple[Acknowledged, ...]:
    return acknowledged(outcome, session="s", topic="t")


def test_acknowledged_records_give_their_places() -> None:
    assert append(Appended((Acknowledged(0, 5),))) == (Acknowledged(0, 5),)


def test_refused_and_unknown_are_different_exceptions() -> None:
    with pytest.raises(AppendRefused, match="nothing was appended: not authorized") as refused:
        append(Refused(ERROR))
    assert not isinstance(refused.value, AppendUnknown)
    with pytest.raises(AppendUnknown, match="1 of 2 records acknowledged") as unknown:
        append(Unknown(error=ERROR, acknowledged=1, records=RECORDS))
    assert not isinstance(unknown.value, AppendRefused)
    assert (unknown.value.records, unknown.value.acknowledged) == (RECORDS, 1)
    assert "resend" in unknown.value.next_step
    assert "hunter2" not in repr(vars(unknown.value)) + str(unknown.value)


def test_a_topic_that_was_not_changed_is_raised() -> None:
    ready, gone = TopicReady(partitions=(0,), created=True), TopicGone(deleted=True)
    assert provisioned(ready, session="s", topic="t") is ready
    assert provisioned(gone, session="s", topic="t") is gone
    with pytest.raises(TopicNotChanged, match="not authorized"):
        provisioned(TopicFailed(ERROR), session="s", topic="t")


@pytest.mark.parametrize("kind", ErrorKind)
def test_every_kind_of_error_says_what_to_do_even_without_a_reason(kind: ErrorKind) -> None:
    with pytest.raises(ReadFailed) as caught:
        read(Failed(Progress(), BrokerError(kind, "CODE")))
    assert kind.value in str(caught.value)
    assert caught.value.next_step == NEXT_STEPS[kind] != ""


MARK_BYTES = NewRecord(None, b"").resent().size_bytes
"""A record must fit when it is sent again, too."""


@pytest.mark.parametrize("code", NEXT_STEPS_BY_CODE)
def test_a_denial_says_whom_to_ask(code: str) -> None:
    with pytest.raises(ReadFailed) as caught:
        read(Failed(Progress(), BrokerError(ErrorKind.DENIED, code)))
    assert caught.value.next_step == NEXT_STEPS_BY_CODE[code] != NEXT_STEPS[ErrorKind.DENIED]


def sized(size: int) -> NewRecord | Unstorable:
    return Unstorable(".x", "is wrong") if size < 0 else NewRecord(None, b"v" * size)


@given(st.lists(st.integers(-1, 12), max_size=6))
def test_all_messages_are_checked_before_any_record_is_given_out(sizes: list[int]) -> None:
    wrong = [index for index, size in enumerate(sizes) if not 0 <= size <= 10]
    if not wrong:
        records = encoded(sizes, sized, session="s", record_bytes_max=10 + MARK_BYTES)
        assert [record.size_bytes for record in records] == sizes
        return
    with pytest.raises(InvalidMessage) as caught:
        encoded(sizes, sized, session="s", record_bytes_max=10 + MARK_BYTES)
    assert caught.value.index == wrong[0]
    assert "nothing of this call was sent" in caught.value.next_step


def test_the_size_counts_key_value_and_headers() -> None:
    record = NewRecord(b"key", b"value", (("né", b"xx"), ("n", None)))
    assert record.size_bytes == 3 + 5 + (3 + 2 + 20) + (1 + 20)
    assert record.size_bytes_max == record.resent().size_bytes == record.resent().size_bytes_max
    assert record.resent().resent() == record.resent() != record
