"""Where an export goes: stdout, or a file that is there whole or not at all."""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from kchat.cli import ROOM
from kchat.cli.errors import CommandError, system_reason

NAMED = "see that its directory is there and has room, and that you may write there; or name another"
"""The next step where a file that was named cannot be written."""


@contextmanager
def output(path: str | None) -> Iterator[IO[str]]:
    """A stream to write to; without a path it is stdout.

    A file appears when the block ends well, in the place of one that was there. It can be read by its owner
    alone, unless the one that it takes the place of could be read by others. What is no plain file (a pipe,
    /dev/stderr) is written to as it is.

    Raises:
        CommandError: it cannot be written.
    """
    told = _told("stdout", ROOM) if path is None else _told(path, NAMED)
    with told, _stream(path) as stream:
        yield stream


@contextmanager
def _told(where: str, next_step: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise  # its reader has gone, which is no error of ours
    except OSError as error:
        raise CommandError(f"{where} cannot be written: {system_reason(error)}", next_step) from error


@contextmanager
def _stream(path: str | None) -> Iterator[IO[str]]:
    if path is None:
        if isinstance(sys.stdout, io.TextIOWrapper) and not sys.stdout.isatty():
            sys.stdout.reconfigure(encoding="utf-8")  # as in a file, whatever the terminal's would be
        yield sys.stdout
        return
    target = Path(path)
    # Asked of the name itself: what /dev/fd/3 leads to may be a pipe, which has no name to resolve to.
    if target.exists() and not target.is_file():
        with target.open("w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
        return
    with _replaced(target.resolve()) as file:
        yield file


@contextmanager
def _replaced(target: Path) -> Iterator[IO[str]]:
    number, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with open(number, "w", encoding="utf-8", errors="backslashreplace") as file:
            yield file
            file.flush()
            os.fsync(number)
        with suppress(FileNotFoundError):
            Path(name).chmod(target.stat().st_mode & 0o777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
