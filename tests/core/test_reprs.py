"""States, requests and records are printed and logged: content stays out of it, sizes and names stay in."""

import pickle

import pytest

from kchat.core import (
    CommittedOffset,
    CursorMemory,
    Delivery,
    Message,
    NewRecord,
    Record,
)
from kchat.core.handing import Counted
from kchat.core.lanes import Lane
from kchat.core.sealing import Sealed

SECRET = "hunter2"
HEADERS = (("kchat-id", SECRET.encode()), ("trace", None))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            Record(1, 7, 5, SECRET.encode(), b"{}" + SECRET.encode(), HEADERS),
            "Record(partition=1, offset=7, timestamp_ms=5, key=<7 bytes>, value=<9 bytes>, "
            "headers=('kchat-id', 'trace'))",
        ),
        (
            Record(1, 7, 5),
            "Record(partition=1, offset=7, timestamp_ms=5, key=None, value=None, headers=())",
        ),
        (
            NewRecord(SECRET.encode(), b"", HEADERS[:1]),
            "NewRecord(key=<7 bytes>, value=<0 bytes>, headers=('kchat-id',))",
        ),
        (CommittedOffset(0, 4, SECRET), "CommittedOffset(partition=0, offset=4, metadata=<7 characters>)"),
        (Message("human", {"content": SECRET}), "Message(type='human', data=<1 fields>)"),
        (
            Delivery(SECRET, 0, 1, 2, "id-1"),
            "Delivery(message=<str>, partition=0, offset=1, timestamp_ms=2, message_id='id-1')",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_repr_is_this(value: object, text: str) -> None:
    assert repr(value) == text


@pytest.mark.parametrize(
    "value",
    [
        CursorMemory("topic", (SECRET,)),
        Counted(ids=frozenset({SECRET}), resent=frozenset({SECRET}), looked_for=frozenset({SECRET})),
        Lane(partition=0, begin=0, position=0, end=0, remembered=CursorMemory("topic", (SECRET,), (SECRET,))),
    ],
    ids=lambda value: type(value).__name__,
)
def test_remembered_ids_are_counted_and_not_named(value: object) -> None:
    assert SECRET not in repr(value)
    assert "<1 ids>" in repr(value)


def test_what_is_sealed_is_neither_shown_nor_pickled() -> None:
    sealed = Sealed([SECRET])
    assert repr(sealed) == "Sealed()"
    assert sealed.content == [SECRET]
    with pytest.raises(TypeError, match=r"^what is sealed is not pickled$"):
        pickle.dumps(sealed)
