"""Long text on a terminal goes through the user's pager."""

import os
import sys
from collections.abc import Iterable

import click

from kchat.cli.colors import takes_styles

LESS = "FRX"
"""Quit if it fits on one screen, show colours, leave the text on the screen. As git sets it."""


def print_paged(texts: Iterable[str], *, wanted: bool | None) -> None:
    """Print on stdout; through PAGER where that is a terminal, unless it is `wanted` otherwise."""
    if sys.stdout.isatty() if wanted is None else wanted:
        os.environ.setdefault("LESS", LESS)
        click.echo_via_pager(texts, color=takes_styles())
        return
    for text in texts:
        click.echo(text, nl=False)
