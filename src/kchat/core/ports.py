"""What an adapter needs of a log: `kchat.io.KafkaLog` is one, `kchat.testing.FakeBroker` another."""

from typing import Protocol, TypeVar

from kchat.core.outcomes import AppendOutcome, ProvisionOutcome, ReadOutcome
from kchat.core.requests import AppendRequest, ProvisionRequest, ReadRequest

M = TypeVar("M")


class Log(Protocol):
    """Runs the machines on some broker. Both faces mean the same; a broker's error is an outcome."""

    @property
    def record_bytes_max(self) -> int:
        """The largest record, in bytes as `NewRecord.size_bytes_max` counts them, that the client takes."""

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """Run the reading machine."""

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

    def close(self) -> None:
        """Release what the log holds. A second call does nothing."""
