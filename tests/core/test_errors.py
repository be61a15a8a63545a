"""The exceptions: their tree, their words, and that they survive a pickle without telling secrets."""

import copy
import pickle
from typing import Any

import pytest

import kchat.core.errors as errors
from kchat.core import (
    AppendRefused,
    AppendUnknown,
    Closed,
    CorruptRecord,
    CursorConflict,
    InvalidConfig,
    InvalidMessage,
    InvalidPosition,
    InvalidSessionId,
    KchatError,
    NewRecord,
    PositionGone,
    ReadFailed,
    TopicNotChanged,
)

WHERE: dict[str, Any] = {
    "next_step": "try again",
    "session": "s 1",
    "topic": "kchat--s-201",
    "partition": 2,
    "offset": 7,
    "code": "_TRANSPORT",
}
RECORDS = (NewRecord(b"hunter2", b"hunter2", (("kchat-id", b"hunter2"),)),)

EXAMPLES: list[KchatError] = [
    KchatError("it broke", **WHERE),
    InvalidSessionId("it broke", **WHERE),
    InvalidConfig("it broke", **WHERE),
    Closed("it broke", **WHERE),
    AppendRefused("it broke", **WHERE),
    InvalidMessage("it broke", index=3, path=".content", **WHERE),
    AppendUnknown("it broke", records=RECORDS, acknowledged=1, **WHERE),
    ReadFailed("it broke", **WHERE),
    CorruptRecord("it broke", **WHERE),
    CursorConflict("it broke", **WHERE),
    InvalidPosition("it broke", **WHERE),
    PositionGone("it broke", **WHERE),
    TopicNotChanged("it broke", **WHERE),
]
NAMES = [type(example).__name__ for example in EXAMPLES]

PARENTS = {
    InvalidSessionId: (KchatError, ValueError),
    InvalidConfig: (KchatError, ValueError),
    Closed: (KchatError,),
    AppendRefused: (KchatError,),
    InvalidMessage: (AppendRefused, ValueError),
    AppendUnknown: (KchatError,),
    ReadFailed: (KchatError,),
    CorruptRecord: (ReadFailed,),
    CursorConflict: (ReadFailed,),
    InvalidPosition: (KchatError, ValueError),
    PositionGone: (ReadFailed,),
    TopicNotChanged: (KchatError,),
    KchatError: (Exception,),
}


def test_the_tree_is_the_documented_one_and_every_class_has_an_example() -> None:
    found = {c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, KchatError)}
    assert {kind: kind.__bases__ for kind in found} == PARENTS
    assert {type(example) for example in EXAMPLES} == found
    assert all(kind.__name__ in str(errors.__doc__) for kind in found)


@pytest.mark.parametrize("error", EXAMPLES, ids=NAMES)
def test_the_text_says_what_where_and_what_to_do(error: KchatError) -> None:
    text = str(error)
    where = "[session 's 1', topic 'kchat--s-201', partition 2, offset 7, code '_TRANSPORT']"
    assert text.endswith(f"it broke {where}; try again")
    assert dict(error.where) == {name: WHERE[name] for name in WHERE if name != "next_step"}


def test_a_refused_message_is_named_by_its_index_and_path() -> None:
    assert str(InvalidMessage("no", index=3, path=".a[0]")) == "message 3.a[0]: no"


def test_unknown_coordinates_are_left_out_and_zero_is_known() -> None:
    assert str(KchatError("it broke")) == "it broke"
    assert str(KchatError("it broke", partition=0, offset=0)) == "it broke [partition 0, offset 0]"


@pytest.mark.parametrize("again", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("error", EXAMPLES, ids=NAMES)
def test_a_pickled_error_is_the_same_error(error: KchatError, again: Any) -> None:
    twin = again(error)
    assert type(twin) is type(error)
    assert vars(twin) | {"records": ()} == vars(error) | {"records": ()}
    assert (str(twin), twin.args) == (str(error), error.args)
    assert vars(twin).keys() == vars(error).keys()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_was_said_does_not_travel(protocol: int) -> None:
    error = AppendUnknown("it broke", records=RECORDS, acknowledged=1, **WHERE)
    pickled = pickle.dumps(error, protocol)
    assert b"hunter2" not in pickled
    twin = pickle.loads(pickled)
    assert (twin.records, twin.acknowledged) == ((), 1)
    assert copy.copy(error).records == copy.deepcopy(error).records == error.records == RECORDS


@pytest.mark.parametrize("error", EXAMPLES, ids=NAMES)
def test_no_text_of_an_error_holds_content(error: KchatError) -> None:
    assert "hunter2" not in str(error) + repr(error) + repr(vars(error))


@pytest.mark.parametrize(
    "error",
    [
        KchatError("it broke", session="\ud800\n", topic="\x1b[31m"),
        InvalidMessage("it broke", index=0, path=".\ud800\n\x1b"),
    ],
)
def test_hostile_names_can_be_printed_and_stay_on_their_line(error: KchatError) -> None:
    text = str(error)
    text.encode("ascii")
    assert text.isprintable()
