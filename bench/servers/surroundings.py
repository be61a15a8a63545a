"""All servers of a run, each started if it can be had here."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from tests.brokers.process import StartError
from tests.brokers.scratch import scratch_directory

from bench.contenders.names import POSTGRES, REDIS
from bench.servers.absence import NotHereError
from bench.servers.kafka import open_kafka
from bench.servers.postgres import open_postgres
from bench.servers.redis import open_redis
from bench.workload import Surroundings


class _Owner:
    """Has the directory of the SQLite file."""


@contextmanager
def open_surroundings(*, quick: bool) -> Iterator[Surroundings]:
    """Start what there is; everything ends afterwards.

    Raises:
        NotHereError: there is no Kafka. Without one there is nothing to compare.
    """
    missing: dict[str, str] = {}
    owner = _Owner()
    directory, remove = scratch_directory(owner)
    with ExitStack() as stack:
        stack.callback(remove)
        kafka = stack.enter_context(open_kafka())

        def opened(contender: str, opening: AbstractContextManager[str]) -> str | None:
            try:
                return stack.enter_context(opening)
            except (NotHereError, StartError) as error:
                missing[contender] = str(error).splitlines()[0]
                return None

        yield Surroundings(
            bootstrap=kafka.bootstrap,
            redis_url=opened(REDIS, open_redis()),
            postgres_url=opened(POSTGRES, open_postgres()),
            sqlite_url=f"sqlite:///{directory}/history.sqlite",
            missing=missing,
            quick=quick,
            round_trips=kafka.round_trips,
        )
