"""Directories that go when their owner goes."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def scratch_directory(owner: object) -> tuple[Path, Callable[[], object]]:
    """Make a directory; gives how to remove it, which also happens when the owner or the program ends."""
    directory = Path(tempfile.mkdtemp(prefix="kchat-kafka-"))
    return directory, weakref.finalize(owner, _remove, directory, os.getpid())


def _remove(directory: Path, owner_pid: int) -> None:
    if os.getpid() == owner_pid:  # a fork inherits the exit hooks, but not the directory
        shutil.rmtree(directory, ignore_errors=True)
