"""A progress bar on stderr, where that is a terminal; nothing anywhere else."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from kchat.cli.colors import takes_styles

Advance = Callable[[int, int | None], None]
"""Takes how many are done, and of how many where that is known."""


@contextmanager
def progress(about: str, *, wanted: bool = True) -> Iterator[Advance]:
    """A bar that is gone when the block ends."""
    if not (wanted and sys.stderr.isatty() and takes_styles()):
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    # Not redirected: what is written on stdout meanwhile is data, and stays there.
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        task = bar.add_task(about, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
