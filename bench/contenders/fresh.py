"""A conversation that is opened anew for each run."""

from collections.abc import Callable
from typing import Any

from bench.contenders.contender import Contender, Conversation


class Fresh:
    """Opens one session again and again; the one before is closed first."""

    def __init__(self, contender: Contender, session: str) -> None:
        self._contender = contender
        self._session = session
        self._open: Conversation | None = None

    def replaying(self) -> Callable[[], list[Any]]:
        """Open it; gives what reads it, to be measured."""
        self.close()
        self._open = self._contender.open(self._session)
        return self._open.replay

    def close(self) -> None:
        """Close the last one."""
        if self._open is not None:
            self._open.close()
        self._open = None
