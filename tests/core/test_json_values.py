"""What cannot be stored is found, and its place is named."""

import json
import math
from collections import OrderedDict, defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.core import Unstorable, find_unstorable, json_values
from kchat.core.json_values import is_exact
from kchat.core.wire import DEPTH_MAX, INT_DIGITS_MAX
from tests.core.json_strategies import (
    HIGH,
    LOW,
    any_text,
    exactly,
    objects,
    odd_text,
    unstorable_scalars,
    values,
)


@given(values)
def test_what_is_storable_reads_back_exactly(value: Any) -> None:
    assert find_unstorable(value) is None
    text = json.dumps(value, ensure_ascii=True, allow_nan=False)
    text.encode("ascii")
    assert exactly(json.loads(text)) == exactly(value)


@given(values)
def test_what_is_storable_is_known_without_the_search_for_a_path(value: Any) -> None:
    """The search would find nothing either, and take four times as long."""
    assert is_exact(value)


def test_no_path_is_searched_where_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_values, "_first_fault", None)
    assert find_unstorable({"a": [{"b": 2**70, "\ud800": "é"}, 1.5, None, True]}) is None


@given(st.lists(st.integers(0, 3) | any_text, max_size=6), unstorable_scalars, values)
def test_the_path_leads_to_the_value(path: list[int | str], wrong: Any, beside: Any) -> None:
    value = wrong
    for step in reversed(path):
        value = [beside] * step + [value] if isinstance(step, int) else {step: value}
    fault = find_unstorable(value, "data")
    assert isinstance(fault, Unstorable)
    assert fault.path == "data" + "".join(f"[{s}]" if isinstance(s, int) else f".{s}" for s in path)


@given(objects, st.integers() | st.none() | st.binary() | st.floats())
def test_a_key_that_is_no_string_is_refused_where_its_object_is(rest: dict[Any, Any], key: Any) -> None:
    fault = find_unstorable({"a": [{**rest, key: 1}]})
    assert fault is not None
    assert (fault.path, "JSON keys are strings" in fault.reason) == (".a[0]", True)


def nested(depth: int, *, inside: object = 1) -> object:
    value = inside
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


def test_nesting_is_allowed_up_to_its_limit_and_never_recursed_into() -> None:
    assert find_unstorable(nested(DEPTH_MAX + 1)) is None, "the message itself is depth 0"
    assert is_exact(nested(DEPTH_MAX + 1))
    fault = find_unstorable(nested(DEPTH_MAX + 2))
    assert fault is not None
    assert fault.reason == "nested deeper than 100"
    assert find_unstorable(nested(100_000)) is not None


def test_a_value_that_holds_itself_is_too_deep() -> None:
    ring: list[object] = []
    ring.extend([ring, ring])
    assert find_unstorable(ring) is not None


@pytest.mark.parametrize("sign", [1, -1])
def test_an_int_may_have_as_many_digits_as_python_reads(sign: int) -> None:
    longest = sign * (10**INT_DIGITS_MAX - 1)
    assert find_unstorable(longest) is None
    assert json.loads(json.dumps(longest)) == longest
    assert find_unstorable(sign * 10**INT_DIGITS_MAX) is not None


def test_subclasses_that_read_back_equal_are_kept() -> None:
    assert find_unstorable(OrderedDict(a=defaultdict(bool, b=True))) is None


@given(odd_text)
def test_a_text_is_refused_exactly_when_json_would_change_it(text: str) -> None:
    changed = json.loads(json.dumps(text)) != text
    assert (find_unstorable(text) is not None) is changed
    assert (find_unstorable({text: 1}) is not None) is changed


@pytest.mark.parametrize("value", [HIGH + LOW, {HIGH + LOW: 1}, [{"a": "x" + HIGH + LOW}]])
def test_halves_of_a_character_side_by_side_are_refused(value: object) -> None:
    fault = find_unstorable(value)
    assert fault is not None
    assert "side by side" in fault.reason


JOINED = "two surrogates side by side; JSON would join them into one character"


@pytest.mark.parametrize(
    ("wrong", "path", "reason"),
    [
        ([HIGH + LOW], "[0]", f"a text with {JOINED}"),
        ([{HIGH + LOW: 1}], "[0]", f"a key with {JOINED}"),
        ([{5: 1}], "[0]", "a key of type int; JSON keys are strings"),
        ([10**INT_DIGITS_MAX], "[0]", "an int of more than 4,300 digits"),
        ([math.nan], "[0]", "NaN or infinity; JSON has no such numbers"),
        ([-math.inf], "[0]", "NaN or infinity; JSON has no such numbers"),
        ({"a": b""}, ".a", "a value of type bytes; JSON would change or lose it"),
        (nested(3, inside=nested(DEPTH_MAX)), ".k[0]" * (DEPTH_MAX // 2) + ".k", "nested deeper than 100"),
    ],
)
def test_the_words_of_a_refusal_say_what_is_wrong_and_the_path_where(
    wrong: object, path: str, reason: str
) -> None:
    assert find_unstorable(wrong) == Unstorable(path, reason)


class Talkative:
    def __repr__(self) -> str:
        return "hunter2"


@pytest.mark.parametrize("wrong", [b"hunter2", ("hunter2",), {"hunter2"}, Talkative(), {Talkative(): 1}])
def test_a_refusal_does_not_repeat_the_value(wrong: object) -> None:
    assert "hunter2" not in repr(find_unstorable([wrong]))
