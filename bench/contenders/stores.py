"""What a user would pick instead of Kafka, as far as it is here."""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from bench.contenders.contender import Contender
from bench.contenders.redis import Redis
from bench.contenders.sql import Sql
from bench.figures import Absent
from bench.workload import Surroundings


@contextmanager
def open_stores(around: Surroundings) -> Iterator[list[Contender]]:
    """The stores whose servers are here, closed afterwards."""
    with ExitStack() as stack:
        found: list[Contender] = []
        if around.redis_url is not None:
            found.append(stack.enter_context(closing(Redis(around.redis_url))))
        found.append(stack.enter_context(closing(Sql(around.sqlite_url))))
        if around.postgres_url is not None:
            found.append(stack.enter_context(closing(Sql(around.postgres_url))))
        yield found


def absent(around: Surroundings) -> tuple[Absent, ...]:
    """The rows of those that are not."""
    return tuple(Absent(contender=contender, why=why) for contender, why in around.missing.items())
