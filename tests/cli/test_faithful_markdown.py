"""Markdown on a terminal shows all that was said, or is not used."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.cli.transcript import printed
from kchat.conversation import Entry, conversation
from kchat.core import Message
from kchat.testing import FakeBroker

STYLE = re.compile(r"\x1b\[[0-9;]*m")

DROPPED = [
    "42.",
    "1. one\n1. two",
    "<script>alert(1)</script>",
    "a List<String> of it",
    "<details>\nmore\n</details>",
    "before <!-- a comment --> after",
    "[name]: http://127.0.0.1/there 'title'",
    "this &amp; that &#65;",
    "![a picture](http://127.0.0.1/picture.png)",
    "[link](http://127.0.0.1 'a title')",
    "2*3*4",
    "</kbd> alone",
    "---",
    "+",
    "| a | b |\n|---|---|\n| one two three four | five six seven eight |",
]

FRAGMENTS = st.sampled_from(
    [*DROPPED, "# ", "## h", "> ", "- ", "* ", "7) ", "```py\n", "```", "`", "**", "_"]
)
TEXTS = st.lists(FRAGMENTS | st.sampled_from(["\n", "\n\n", " ", "    "]) | st.text(max_size=8), max_size=12)


def entry(message: Message) -> Entry[Message]:
    talk = conversation(FakeBroker(), "s")
    talk.append([message])
    return talk.read()[0]


def shown(
    text: str, monkeypatch: pytest.MonkeyPatch, *, type_: str = "ai", raw: bool = False, columns: int = 60
) -> str:
    """What was said, as a terminal of this width shows it."""
    monkeypatch.setenv("COLUMNS", str(columns))
    on_terminal = printed(entry(Message(type_, {"content": text})), raw=raw, terminal=True)
    return "\n".join(line.rstrip() for line in STYLE.sub("", on_terminal).splitlines())


@pytest.mark.parametrize("text", DROPPED)
def test_what_markdown_would_drop_or_change_is_shown_as_it_was_written(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    columns = 24 if "|" in text else 60  # too narrow for the table
    assert shown(text, monkeypatch, columns=columns).split()[6:] == text.split()


def test_what_a_model_said_is_markdown_with_its_line_breaks(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "Will it **rain**?\nYes:\n\n- in Lima\n\n```python\nprint(1)\n```\n\nSee [there](http://127.0.0.1/x)."
    )
    lines = [line.strip() for line in shown(text, monkeypatch).splitlines()[1:] if line.strip()]
    there = "See there (http://127.0.0.1/x)."
    assert lines == ["Will it rain?", "Yes:", "• in Lima", "python", "print(1)", there]


@pytest.mark.parametrize(
    ("type_", "raw"), [("human", False), ("tool", False), ("system", False), ("ai", True)]
)
def test_what_others_said_is_no_markdown(type_: str, raw: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("**x**", monkeypatch, type_=type_, raw=raw).splitlines()[1:] == ["  **x**"]


@given(st.builds("".join, TEXTS), st.integers(20, 120))
def test_every_word_is_shown_in_its_order(text: str, columns: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        on_terminal = letters(shown(text, patched, columns=columns))
        in_pipe = printed(entry(Message("ai", {"content": text})), raw=False, terminal=False)
    assert on_terminal == letters(in_pipe)
    assert [word for word in re.findall(r"\w+", text, re.ASCII) if word not in in_pipe] == []


def letters(text: str) -> str:
    """Of a text whose words may have been folded."""
    return "".join(char for char in text if char.isalnum())
