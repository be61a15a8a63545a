"""Nothing of a message controls the terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.cli.tables import time_iso, time_text
from kchat.conversation.escaping import printable

CONTROLS = {"Cc", "Cf", "Cs", "Zl", "Zp"}
JOINERS = "\u200c\u200d"


@given(st.text(alphabet=st.characters()))
def test_no_control_character_is_left(text: str) -> None:
    shown = printable(text)
    assert all(char in JOINERS or unicodedata.category(char) not in CONTROLS for char in shown)
    shown.encode()  # no lone surrogate either


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "P", "S", "Zs"])))
def test_letters_and_signs_of_any_script_are_left_alone(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x9b \x7f \u202e \ud800", r"\x9b \x7f \u202e \ud800"),
        ("👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم"),  # noqa: RUF001
    ],
)
def test_examples(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_timestamp_of_any_writer_is_shown() -> None:
    assert time_text(1_700_000_000_123) == "2023-11-14 22:13:20.123"
    assert time_iso(1_700_000_000_123) == "2023-11-14T22:13:20.123Z"
    assert time_text(-1) == "1969-12-31 23:59:59.999"
    assert (time_text(2**62), time_iso(2**62)) == (str(2**62), None)
