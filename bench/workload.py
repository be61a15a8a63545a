"""What every workload is: a number, a title, and a run that gives findings."""

from typing import Protocol

from attrs import frozen

from bench.figures import Findings
from bench.round_trips import RoundTrips


@frozen(kw_only=True)
class Surroundings:
    """What a run has around it.

    Attributes:
        bootstrap: address of a real Kafka that is for this run alone.
        redis_url: a Redis with `appendfsync always`; None where there is none.
        postgres_url: an SQLAlchemy URL of a PostgreSQL; None where there is none.
        sqlite_url: an SQLAlchemy URL of an SQLite file.
        missing: why a server is not there, by contender.
        quick: whether the whole run has two minutes instead of as long as it takes.
        round_trips: a counter in front of another address of the same Kafka; None where that is somebody
            else's cluster.
    """

    bootstrap: str
    redis_url: str | None
    postgres_url: str | None
    sqlite_url: str
    missing: dict[str, str]
    quick: bool
    round_trips: RoundTrips | None = None

    def rounds(self, quick: int, full: int) -> int:
        """How often to repeat."""
        return quick if self.quick else full


class Workload(Protocol):
    """One row of the table. A module of `bench.workloads` has one as `WORKLOAD`."""

    @property
    def number(self) -> int:
        """Its number in the table."""

    @property
    def title(self) -> str:
        """What is done, in a few words."""

    def run(self, around: Surroundings) -> Findings:
        """Measure."""
