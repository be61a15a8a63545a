"""A log that tells of the records that its reads pass over, since they are no messages."""

from collections.abc import Callable
from typing import Any, TypeVar

from attrs import define, field

from kchat.core import Corrupt, Log, ReadOutcome, ReadRequest

M = TypeVar("M")


@define
class TellingLog:
    """Another log, whose awaited reads tell of each such record once, with its topic, as they come to it."""

    _log: Log
    _tell: Callable[[str, Corrupt], object]
    _told: set[tuple[str, int, int]] = field(factory=set)

    async def aread(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """As the log does."""
        outcome = await self._log.aread(request)
        for corrupt in outcome.progress.skipped:
            where = request.topic, corrupt.partition, corrupt.offset
            if where not in self._told:
                self._told.add(where)
                self._tell(request.topic, corrupt)
        return outcome

    def __getattr__(self, name: str) -> Any:
        """All else is the log's own."""
        return getattr(self._log, name)
