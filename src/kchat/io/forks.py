"""What survives a fork: nothing that a Kafka client holds. A child gets fresh clients at its first call."""

import ctypes
import os
import weakref
from typing import Protocol


class Forking(Protocol):
    """Something that holds clients."""

    def after_fork(self) -> None:
        """Forget, in the child, every client and lock of the parent's."""


_known: "weakref.WeakSet[Forking]" = weakref.WeakSet()


def forget_in_child(holder: Forking) -> None:
    """Call `holder.after_fork()` in every child process that is forked from now on."""
    _known.add(holder)


def never_free(thing: object) -> None:
    """Keep an object for good: freeing an inherited client waits for threads that the child does not have."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


def _in_child() -> None:
    for holder in list(_known):
        holder.after_fork()


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_in_child)
