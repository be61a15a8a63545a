"""What the errors of the pure core say, word for word: what happened, where, and what to do."""

from collections.abc import Callable
from typing import Any

import pytest

from kchat.core import (
    HEADER_VERSION,
    AppendRefused,
    AppendUnknown,
    BrokerError,
    CommittedOffset,
    Corrupt,
    CorruptRecord,
    CursorConflict,
    CursorMemory,
    ErrorKind,
    Failed,
    InvalidMessage,
    InvalidSessionId,
    JsonDecoder,
    KchatError,
    Message,
    NewRecord,
    Progress,
    ReadFailed,
    Record,
    Refused,
    TopicFailed,
    TopicNotChanged,
    Unknown,
    Unstorable,
    Watermarks,
    acknowledged,
    delivered,
    encode,
    encoded,
    place,
    place_in,
    provisioned,
)
from kchat.core.edge import NEXT_STEPS, NEXT_STEPS_BY_CODE
from kchat.core.following import NO_SESSION
from kchat.core.lanes import Lane, lagging, open_lanes, relist_lanes

REJECTED = BrokerError(ErrorKind.REJECTED, "POLICY_VIOLATION", "not allowed", 2)
REJECTED_WHERE = "[session 's', topic 't', partition 2, code 'POLICY_VIOLATION']"
REJECTED_STEP = NEXT_STEPS[ErrorKind.REJECTED]
MEMBER = BrokerError(ErrorKind.GROUP_IN_USE, "UNKNOWN_MEMBER_ID", "the group has a live member")
UNGRANTED = BrokerError(ErrorKind.DENIED, "TOPIC_AUTHORIZATION_FAILED")
TOO_LARGE = BrokerError(ErrorKind.REJECTED, "MSG_SIZE_TOO_LARGE", "too large")
RECORD = NewRecord(b"k", b"v" * 20)
AT: dict[str, Any] = {"session": "s", "topic": "t"}


def check(record: NewRecord | Unstorable) -> tuple[NewRecord, ...]:
    limit = RECORD.size_bytes - 1
    return encoded(["it"], lambda _: record, session="s", record_bytes_max=limit)


WORDS: dict[str, tuple[Callable[[], object], type[KchatError], str]] = {
    "read failed": (
        lambda: delivered(Failed(Progress(), REJECTED), **AT),
        ReadFailed,
        f"the read failed: not allowed {REJECTED_WHERE}; {REJECTED_STEP}",
    ),
    "corrupt": (
        lambda: delivered(Failed(Progress(), Corrupt(1, 7, "not JSON, at character 0")), **AT),
        CorruptRecord,
        "a record cannot be decoded: not JSON, at character 0 [session 's', topic 't', partition 1, offset 7]"
        '; its neighbours can be read with on_corrupt="skip"',
    ),
    "refused": (
        lambda: acknowledged(Refused(REJECTED), **AT),
        AppendRefused,
        f"nothing was appended: not allowed {REJECTED_WHERE}; {REJECTED_STEP}",
    ),
    "unknown": (
        lambda: acknowledged(Unknown(error=REJECTED, acknowledged=1, records=(RECORD, RECORD)), **AT),
        AppendUnknown,
        "1 of 2 records acknowledged, the others may be stored: not allowed "
        f"{REJECTED_WHERE}; append the error's records again (resend): readers drop a second copy",
    ),
    "too large, maybe": (
        lambda: acknowledged(Unknown(error=TOO_LARGE, acknowledged=1, records=(RECORD, RECORD)), **AT),
        AppendUnknown,
        "1 of 2 records acknowledged, the others may be stored: too large [session 's', topic 't',"
        " code 'MSG_SIZE_TOO_LARGE']; raise max.message.bytes of the topic, or store large content elsewhere",
    ),
    "no session": (
        lambda: delivered(Failed(Progress(), NO_SESSION), **AT),
        ReadFailed,
        "the read failed: there is no such conversation yet, and wait_for_session=True was not given"
        " [session 's', topic 't', code 'NO_SUCH_SESSION'];"
        " wait for it with wait_for_session=True, or append its first message",
    ),
    "cursor": (
        lambda: delivered(Failed(Progress(), MEMBER), **AT),
        CursorConflict,
        "the cursor cannot be moved: a consumer is a member of its group: the group has a live member"
        f" [session 's', topic 't', code 'UNKNOWN_MEMBER_ID']; {NEXT_STEPS[ErrorKind.GROUP_IN_USE]}",
    ),
    "permission": (
        lambda: delivered(Failed(Progress(), UNGRANTED), **AT),
        ReadFailed,
        "the read failed: denied [session 's', topic 't', code 'TOPIC_AUTHORIZATION_FAILED']"
        f"; {NEXT_STEPS_BY_CODE[UNGRANTED.code]}",
    ),
    "topic": (
        lambda: provisioned(TopicFailed(REJECTED), **AT),
        TopicNotChanged,
        f"the topic was not changed: not allowed {REJECTED_WHERE}; {REJECTED_STEP}",
    ),
    "message": (
        lambda: check(Unstorable(".x", "a value of type set")),
        InvalidMessage,
        "message 0.x: a value of type set [session 's']"
        "; nothing of this call was sent; correct the message and append again",
    ),
    "id: type": (
        lambda: place(5),  # type: ignore[arg-type]
        InvalidSessionId,
        "a session id is a string, not int; convert it first",
    ),
    "id: empty": (
        lambda: place(""),
        InvalidSessionId,
        "the session id is empty; give every conversation a name",
    ),
    "id: surrogate": (
        lambda: place("ab\ud800"),
        InvalidSessionId,
        "the session id is not valid Unicode: a lone surrogate at 2; decode it with the right encoding first",
    ),
    "id: long": (
        lambda: place(" " * 81),
        InvalidSessionId,
        "the session id is too long: its topic name would have 250 characters"
        "; Kafka allows 249; use a shorter id, or a hash of it",
    ),
    "topic: illegal": (
        lambda: place_in("no topic", "s"),
        InvalidSessionId,
        "the topic is no legal topic name: 'no topic'",
    ),
    "topic: Kafka's": (
        lambda: place_in("__consumer_offsets", "s"),
        InvalidSessionId,
        "the topic is Kafka's own: __consumer_offsets",
    ),
}


@pytest.mark.parametrize(("raises", "kind", "text"), WORDS.values(), ids=WORDS)
def test_the_text_is_this(raises: Callable[[], object], kind: type[KchatError], text: str) -> None:
    with pytest.raises(KchatError) as caught:
        raises()
    assert type(caught.value) is kind
    assert str(caught.value) == text


def test_a_record_that_is_too_large_is_refused_with_both_sizes_and_both_settings() -> None:
    with pytest.raises(InvalidMessage) as caught:
        check(RECORD)
    assert caught.value.what.startswith("its record would have ")
    assert caught.value.what.endswith(f" bytes, and the limit is {RECORD.size_bytes - 1}")
    assert dict(caught.value.where) == {"session": "s"}
    assert caught.value.next_step == (
        "nothing of this call was sent; store large content elsewhere, or raise"
        " message.max.bytes in config= and max.message.bytes of the topic"
    )


def test_what_happened_is_the_argument_as_in_any_exception() -> None:
    assert KchatError("it broke", next_step="try again", topic="t").args == ("it broke",)
    assert AppendUnknown("it broke", records=()).args == ("it broke",)


def test_what_is_not_said_is_nothing() -> None:
    assert str(InvalidMessage("it broke", index=0)) == "message 0: it broke"
    assert AppendUnknown("it broke", records=(RECORD,)).acknowledged == 0


RANGES: dict[str, tuple[Callable[[], object], int, str]] = {
    "beyond": (
        lambda: open_lanes((Watermarks(0, 0, 9),), {0: 10}),
        0,
        "position 10 is beyond the end of the log, 9",
    ),
    "below": (lambda: open_lanes((Watermarks(0, 0, 9),), {0: -1}), 0, "position -1 is below 0"),
    "no partition": (
        lambda: open_lanes((Watermarks(0, 0, 9),), {7: 0}),
        7,
        "the topic has no such partition",
    ),
    "shorter": (
        lambda: relist_lanes(
            (Lane(partition=3, begin=0, position=8, end=9),), (Watermarks(3, 0, 7),), named=frozenset()
        ),
        3,
        "the log now ends at 7, before position 8",
    ),
    "passed": (
        lambda: relist_lanes(
            (Lane(partition=3, begin=0, position=2, end=9),), (Watermarks(3, 4, 9),), named=frozenset({3})
        ),
        3,
        "position 2 is below the low watermark 4",
    ),
}


@pytest.mark.parametrize(("refused", "partition", "reason"), RANGES.values(), ids=RANGES)
def test_a_position_that_is_not_in_the_log_is_named_with_what_is(
    refused: Callable[[], object], partition: int, reason: str
) -> None:
    code = "OFFSET_OUT_OF_RANGE"
    assert refused() == BrokerError(ErrorKind.OFFSET_OUT_OF_RANGE, code, reason, partition)


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("hunter2", "its type is none of the known message types"),
        ("ai", "type 'ai' is not among the allowed types"),
    ],
)
def test_a_type_is_refused_alike_in_both_directions_and_quoted_only_where_it_is_known(
    kind: str, reason: str
) -> None:
    human = frozenset({"human"})
    written = encode(Message(kind, {}), key=b"s", message_id="id", allowed_types=human)
    assert written == Unstorable(".type", reason)
    value = b'{"type": "%s", "data": {}}' % kind.encode()
    assert JsonDecoder(human).decode(Record(1, 7, 0, b"s", value)) == Corrupt(1, 7, reason)


def test_an_end_that_lags_behind_the_cursor_is_named_with_both() -> None:
    stored = CommittedOffset(3, 9, CursorMemory("A").to_metadata())
    reason = "the log is said to end at 7, and the cursor has been at 9"
    behind = BrokerError(ErrorKind.TRANSIENT, "OFFSET_NOT_AVAILABLE", reason, 3)
    assert lagging((stored,), (Watermarks(3, 0, 7),), "A") == behind
    assert lagging((stored,), (Watermarks(3, 0, 9),), "A") is None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "no value (a tombstone)"),
        (b"{", "not JSON, at character 1"),
        (b"a\xff", "not UTF-8, at byte 1"),
        (b"[]", "a JSON array, not an object with type and data"),
        (b"{}", "type or data is missing"),
        (b'{"type": 5, "data": {}}', "type is a JSON number, not a string"),
        (b'{"type": "ai", "data": []}', "data is a JSON array, not an object"),
        (b"[" * 100_000, "nested too deeply"),
        (b"9" * 5_000, "a number in it has more than 4,300 digits"),
    ],
)
def test_a_record_that_is_no_message_is_told_why(value: bytes | None, reason: str) -> None:
    assert JsonDecoder().decode(Record(1, 7, 0, b"s", value)) == Corrupt(1, 7, reason)


def test_a_format_that_is_newer_is_told_what_to_do() -> None:
    record = Record(1, 7, 0, b"s", b"{}", ((HEADER_VERSION, b"2"),))
    reason = "written in a format that this version of kchat does not know; upgrade the reader"
    assert JsonDecoder().decode(record) == Corrupt(1, 7, reason)


@pytest.mark.parametrize(
    ("message", "message_id", "given"),
    [(Message("ai", {}), b"id", "Message, bytes"), ({"type": "ai"}, "id", "dict, str")],
)
def test_what_is_no_message_is_refused_by_its_type(message: Any, message_id: Any, given: str) -> None:
    with pytest.raises(TypeError, match=f"^encode takes a Message and a str, not {given}$"):
        encode(message, key=b"s", message_id=message_id)
