"""Child processes that use kchat until they are killed, and tell their parent what they saw until then."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any

START_SECONDS_MAX = 60.0
END_SECONDS_MAX = 10.0

_context = multiprocessing.get_context("forkserver")
# A fork of a process that has all this imported lives after milliseconds, not after a second.
_context.set_forkserver_preload(["tests.proof.actors"])


class Offspring:
    """A process that runs an actor: `actor(tell, *arguments)`, where `tell.send` reaches `said`.

    What it told before it was killed is complete: a small message is written to a pipe whole or not at all.
    """

    def __init__(self, actor: Callable[..., None], *arguments: Any) -> None:
        self.said: list[Any] = []
        self._ear, mouth = _context.Pipe(duplex=False)
        self._child = _context.Process(target=actor, args=(mouth, *arguments), daemon=True)
        self._child.start()
        mouth.close()  # the child's copy alone keeps the pipe open now
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def kill(self) -> list[Any]:
        """End it as a crash would (SIGKILL); everything that it had said."""
        self._child.kill()
        return self.wait(END_SECONDS_MAX)

    def wait(self, timeout_seconds: float) -> list[Any]:
        """Wait until it has ended by itself; everything that it said."""
        self._child.join(timeout_seconds)
        if self._child.exitcode is None:
            self._child.kill()
            self._child.join()
            raise AssertionError(f"a child did not end within {timeout_seconds} s: {self.said[-3:]}")
        self._listener.join(END_SECONDS_MAX)
        self._child.close()
        return self.said

    def _listen(self) -> None:
        with self._ear:
            while True:
                try:
                    self.said.append(self._ear.recv())
                except (EOFError, OSError):
                    return


Tell = Connection
