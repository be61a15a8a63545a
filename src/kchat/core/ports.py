"""What an adapter needs of a log: `kchat.io.KafkaLog` is one, `kchat.testing.FakeBroker` another."""

from typing import Protocol, TypeVar

from kchat.core.known import Known, Subject
from kchat.core.outcomes import AppendOutcome, ProvisionOutcome, ReadOutcome
from kchat.core.requests import AppendRequest, ProvisionRequest, ReadRequest, WatchRequest

M = TypeVar("M")


class RemovalsKnown(Protocol):
    """What the readers of a log know of removals together; `kchat.conversation.remembering` has it."""

    def recall(self, subject: Subject) -> Known | None:
        """What is known, None where nothing is."""

    def learn(self, subject: Subject, before: Known, after: Known) -> Known:
        """Keep what a read knew `after`, given what it knew `before`; what is known by now."""


class Log(Protocol):
    """Runs the machines on some broker. Both faces mean the same; a broker's error is an outcome."""

    @property
    def record_bytes_max(self) -> int:
        """The largest record, in bytes as `NewRecord.size_bytes_max` counts them, that the client takes."""

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """Run the reading machine; `Closed` when the request's `ending` is over, or the log closed."""

    def append(self, request: AppendRequest) -> AppendOutcome:
        """Run the appending machine."""

    def provision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """Run the provisioning machine."""

    async def aread(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """`read`, without blocking the event loop."""

    async def aappend(self, request: AppendRequest) -> AppendOutcome:
        """`append`, without blocking the event loop."""

    async def aprovision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """`provision`, without blocking the event loop."""

    def watch(self, request: WatchRequest) -> bool:
        """Wait until there may be a record at or beyond a position; False when the time is over first.

        True promises nothing: read to see. It is the answer, too, when the request's `ending` is over.
        """

    async def awatch(self, request: WatchRequest) -> bool:
        """`watch`, without blocking the event loop."""

    @property
    def removals_known(self) -> RemovalsKnown:
        """What reads of this log found out about removals, for the next ones."""

    @property
    def now_ms(self) -> int:
        """A clock for limits of time: monotonic, in milliseconds."""

    @property
    def timestamp_ms(self) -> int:
        """The time that a record written now carries: milliseconds since 1970-01-01 UTC."""

    def close(self) -> None:
        """Release what the log holds. A second call does nothing."""
