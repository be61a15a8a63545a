"""Makes and removes topics: one by one as a user of kchat does, and in bulk as an administrator does."""

import time
from collections.abc import Callable, Sequence

from attrs import frozen
from confluent_kafka.admin import AdminClient, NewTopic

from bench.conversation import conversation
from bench.scale.broker import Broker
from bench.scale.census import file_count
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory

AT_ONCE = 500
"""Topics of one request."""

REQUEST_SECONDS_MAX = 60.0
LOOK_SECONDS = 0.5
"""Not less: to look at thousands of topics is work, too."""

STEADY_SECONDS = 2.0
FILES_SECONDS_MAX = 150.0
FLUSH_SECONDS_MAX = 30.0
TURN = conversation(2)


@frozen(kw_only=True)
class Bulk:
    """Seconds since the first request until the broker took the last one, and until all was as it shall be.

    Attributes:
        count: how many topics.
        taken: until the last request was answered.
        seen: until the metadata says so: every partition has a leader, or no topic is left.
        done: until the files are made, or gone; None where that was not waited for.
    """

    count: int
    taken: float
    seen: float
    done: float | None


def admin(bootstrap: str) -> AdminClient:
    """One that keeps what it has to say of a restart to itself."""
    return AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})


def first_appends(log: KafkaLog, names: Sequence[str], partitions: int, seconds_max: float) -> list[float]:
    """Append a turn to each session, which makes its topic; the seconds of each until the time is up."""
    end = time.monotonic() + seconds_max
    seconds: list[float] = []
    for name in names:
        if time.monotonic() > end:
            break
        begun = time.perf_counter()
        history = KafkaChatMessageHistory(name, log.servers, partition=partitions, log=log)
        history.add_messages(TURN, flush_timeout_seconds=FLUSH_SECONDS_MAX)
        seconds.append(time.perf_counter() - begun)
    return seconds


def create(broker: Broker, names: Sequence[str], partitions: int, files_each: int) -> Bulk:
    """Make empty topics; each has so many files in the end."""
    client = admin(broker.bootstrap)
    files = file_count(broker.directory) + len(names) * files_each
    begun = time.monotonic()
    for first in range(0, len(names), AT_ONCE):
        new = [NewTopic(name, partitions, 1) for name in names[first : first + AT_ONCE]]
        for future in client.create_topics(new, request_timeout=REQUEST_SECONDS_MAX).values():
            future.result(REQUEST_SECONDS_MAX)
    taken = time.monotonic() - begun
    wanted = set(names)
    _wait(lambda: len(led(client, wanted)) == len(wanted), FILES_SECONDS_MAX)
    seen = time.monotonic() - begun
    made = _waited(lambda: file_count(broker.directory) >= files, FILES_SECONDS_MAX)
    done = time.monotonic() - begun if made else None
    return Bulk(count=len(names), taken=taken, seen=seen, done=done)


def delete(broker: Broker, names: Sequence[str], files_each: int, seconds_max: float) -> Bulk:
    """Delete topics that have so many files each, and wait for a while until the files are gone."""
    client = admin(broker.bootstrap)
    files = file_count(broker.directory) - len(names) * files_each
    begun = time.monotonic()
    for first in range(0, len(names), AT_ONCE):
        old = list(names[first : first + AT_ONCE])
        for future in client.delete_topics(old, request_timeout=REQUEST_SECONDS_MAX).values():
            future.result(REQUEST_SECONDS_MAX)
    taken = time.monotonic() - begun
    unwanted = set(names)
    _wait(
        lambda: not unwanted & set(client.list_topics(timeout=REQUEST_SECONDS_MAX).topics), FILES_SECONDS_MAX
    )
    seen = time.monotonic() - begun
    gone = _waited(lambda: file_count(broker.directory) <= files, seconds_max - seen)
    done = time.monotonic() - begun if gone else None
    return Bulk(count=len(names), taken=taken, seen=seen, done=done)


def led(client: AdminClient, wanted: set[str]) -> set[str]:
    """Those of the wanted topics whose every partition has a leader."""
    known = client.list_topics(timeout=REQUEST_SECONDS_MAX).topics
    return {
        name
        for name in wanted & set(known)
        if known[name].partitions and all(p.leader >= 0 for p in known[name].partitions.values())
    }


def settle(broker: Broker) -> None:
    """Wait until no more files come or go."""
    counts = [-1]

    def steady() -> bool:
        counts.append(file_count(broker.directory))
        return counts[-1] == counts[-2]

    _wait(steady, FILES_SECONDS_MAX, STEADY_SECONDS)


def _wait(done: Callable[[], bool], seconds_max: float, look_seconds: float = LOOK_SECONDS) -> None:
    if not _waited(done, seconds_max, look_seconds):
        raise TimeoutError("the broker did not come to an end")


def _waited(done: Callable[[], bool], seconds_max: float, look_seconds: float = LOOK_SECONDS) -> bool:
    """Whether it was done in time."""
    end = time.monotonic() + seconds_max
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(look_seconds)
    return True
