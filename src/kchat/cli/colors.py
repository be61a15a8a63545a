"""Colours, where the user and the terminal take them."""

import os

import click


def colored(text: str, color: str) -> str:
    """The text in a colour, unless NO_COLOR asks for none (https://no-color.org). rich knows it by itself."""
    return text if os.environ.get("NO_COLOR") else click.style(text, fg=color)


def takes_styles() -> bool:
    """Whether the terminal knows escape sequences: a dumb one shows them as text."""
    return os.environ.get("TERM") != "dumb"
