"""What arguments may be, and what a wrong one is told."""

from collections.abc import Callable
from typing import Any

import pytest
from attrs import field, make_class

from kchat.core import FromBeginning, JsonDecoder, ReadRequest, RemoveTopic, TopicSettings
from kchat.core.checks import KAFKA_TOPICS, SHOWN_MAX, group_name, legal_name, shown, whole_number


def checked(validator: Callable[..., None]) -> Callable[[object], Any]:
    """Makes a value with one checked field, `size`."""
    kind = make_class("Checked", {"size": field(validator=validator)})
    return lambda value: kind(value).size


@pytest.mark.parametrize("value", [2, 3, 5])
def test_a_whole_number_may_lie_on_its_bounds(value: int) -> None:
    assert checked(whole_number(2, maximum=5))(value) == value


@pytest.mark.parametrize("value", [1, 6, -3, True, 3.0, "3", None])
def test_a_number_beyond_its_bounds_or_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="size must be") as caught:
        checked(whole_number(2, maximum=5))(value)
    assert str(caught.value) == f"size must be a whole number from 2 to 5, not {value!r}"


def test_a_number_without_a_bound_fits_kafkas_64_bits() -> None:
    check = checked(whole_number(0))
    assert check((1 << 63) - 1) == (1 << 63) - 1
    with pytest.raises(ValueError, match="whole number"):
        check(1 << 63)


@pytest.mark.parametrize("value", ["g\0", "\ud800", "x\udfffx", " g", "g ", "", None])
def test_a_group_is_refused_in_words_that_any_log_takes(value: object) -> None:
    with pytest.raises(ValueError, match="size must be") as caught:
        checked(group_name)(value)
    assert str(caught.value) == f"size must be a name without white space around it, not {value!a}"


def test_a_group_may_have_white_space_inside_and_letters_beside_the_surrogates() -> None:
    for name in ("a b", "\ud7ff", "\ue000", "😀"):
        assert checked(group_name)(name) == name


def test_a_topic_is_refused_in_words_that_any_log_takes() -> None:
    with pytest.raises(ValueError, match="size must be") as caught:
        checked(legal_name)("a\ud800")
    assert str(caught.value) == (
        "size must be 1 to 249 characters of a-z, A-Z, 0-9, '.', '_' and '-', not 'a\\ud800'"
    )


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("partitions", 1, (1 << 31) - 1), ("replication_factor", 1, 32_767), ("ttl_ms", -1, (1 << 63) - 1)],
)
def test_the_settings_of_a_topic_are_those_that_kafka_takes(name: str, least: int, most: int) -> None:
    for value in (least, most):
        assert getattr(TopicSettings(**{name: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(ValueError, match=f"{name} must be"):
            TopicSettings(**{name: value})


@pytest.mark.parametrize(
    ("name", "least"), [("partition", 0), ("messages_max", 0), ("wait_ms_max", 0), ("stall_ms_max", 1)]
)
def test_no_limit_of_a_read_is_negative(name: str, least: int) -> None:
    request: dict[str, Any] = {"topic": "t", "start": FromBeginning(), "decoder": JsonDecoder()}
    assert getattr(ReadRequest(**request | {name: least}), name) == least
    with pytest.raises(ValueError, match=f"{name} must be"):
        ReadRequest(**request | {name: least - 1})


def test_a_call_of_no_time_at_all_is_refused() -> None:
    assert RemoveTopic(topic="t", wait_ms_max=1).wait_ms_max == 1
    with pytest.raises(ValueError, match="wait_ms_max must be"):
        RemoveTopic(topic="t", wait_ms_max=0)


def test_a_read_that_would_wait_for_ever_is_told_which_limits_there_are() -> None:
    with pytest.raises(ValueError, match="needs a limit") as caught:
        ReadRequest(topic="t", start=FromBeginning(), decoder=JsonDecoder(), follow=True)
    assert str(caught.value) == (
        "a read that waits for new messages needs a limit: messages_max, wait_ms_max or both"
    )


class Text(str):
    """A string that a caller made his own: it may be equal to what it is not."""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é\ud800", "'\\xe9\\ud800'"),
        ("x" * SHOWN_MAX, f"'{'x' * SHOWN_MAX}'"),
        ("x" * (SHOWN_MAX + 1), f"'{'x' * SHOWN_MAX}'..."),
        (None, "None"),
        (False, "False"),
        (2.5, "2.5"),
        (-7, "-7"),
        ((1 << 70) - 1, str((1 << 70) - 1)),
        (1 << 70, "a value of type int"),
        (-(1 << 70), "a value of type int"),
        (["hunter2"], "a value of type list"),
        (Text("hunter2"), "a value of type Text"),
    ],
)
def test_of_a_wrong_value_little_is_shown_and_no_repr_of_its_own(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("value", sorted(KAFKA_TOPICS))
def test_a_topic_of_kafkas_own_is_no_topic_of_sessions(value: str) -> None:
    with pytest.raises(ValueError, match="size must be") as caught:
        checked(legal_name)(value)
    assert str(caught.value) == f"size must be a topic of sessions, not Kafka's own {value}"


def test_a_name_is_a_plain_string() -> None:
    for validator in (legal_name, group_name):
        with pytest.raises(ValueError, match="not a value of type Text"):
            checked(validator)(Text("fine"))
