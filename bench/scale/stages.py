"""Fills a broker with topics, stage by stage, and measures it at each."""

import statistics
import time
from collections.abc import Callable, Sequence

from attrs import field, frozen

from bench.conversation import conversation, session_name
from bench.figures import Timing
from bench.scale.answers import answer_bytes
from bench.scale.broker import Broker, Restarted, open_broker
from bench.scale.census import Census
from bench.scale.topics import (
    REQUEST_SECONDS_MAX,
    TURN,
    Bulk,
    admin,
    create,
    delete,
    first_appends,
    led,
    settle,
)
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory

FILES_PER_PARTITION = 5
"""A log, its two indexes, the leader epochs and the topic's id (measured; the script waits for them)."""

CONVERSATION = 50
LOOKS = 5


@frozen(kw_only=True)
class Plan:
    """What to do with one broker.

    Attributes:
        partitions: of each topic.
        one_by_one: how many topics kchat makes by first appends, at most.
        sizes: how many topics there are at each stage; an administrator makes the missing ones.
        deleted: how many topics are deleted in the end.
        rounds: of the latency.
        seconds_max: for the first appends, and for the deletion.
    """

    partitions: int
    one_by_one: int
    sizes: tuple[int, ...]
    deleted: int
    rounds: int
    seconds_max: float


@frozen(kw_only=True)
class Latency:
    """Seconds of an append of one turn and of a whole read of 50 messages."""

    append: Timing
    replay: Timing


@frozen(kw_only=True)
class Stage:
    """A broker with so many topics. What was not measured at this one is None."""

    partitions: int
    topics: int
    census: Census
    latency: Latency
    same_log: Latency | None = None
    bulk: Bulk | None = None
    before_bulk: Census | None = None
    all_bytes: int | None = None
    all_seconds: float | None = None
    one_bytes: int | None = None
    one_seconds: float | None = None
    restarted: Restarted | None = None
    led_seconds: float | None = None
    after_restart: Census | None = None


@frozen(kw_only=True)
class FirstAppends:
    """Topics made one by one by kchat, what they took and what they left.

    Attributes:
        seconds: of each.
        before: the broker without them.
        after: the broker with them.
    """

    seconds: tuple[float, ...] = field(repr=False)
    before: Census
    after: Census


@frozen(kw_only=True)
class Filled:
    """All that was measured on one broker."""

    partitions: int
    stages: tuple[Stage, ...]
    first_appends: FirstAppends
    deleted: Bulk | None


def fill(plan: Plan, tell: Callable[[str], object], *, time_left: Callable[[], float]) -> Filled:
    """Carry out a plan on a broker of its own.

    Args:
        plan: what to do.
        tell: is told how it goes.
        time_left: seconds until nothing more shall begin.
    """
    with open_broker() as broker:
        empty = Stage(
            partitions=plan.partitions,
            topics=0,
            census=broker.census(),
            latency=_latency(broker, plan),
        )
        names = [f"chat-{number:06}" for number in range(max(plan.sizes))]
        with KafkaLog({"bootstrap.servers": broker.bootstrap}) as log:
            appended = _one_by_one(broker, log, names[: plan.one_by_one], plan)
            tell(f"{len(appended.seconds)} first appends in {sum(appended.seconds):.0f} s")
            same_log: Latency | None = _latency(broker, plan, log)
        stages, made = [empty], len(appended.seconds)
        for size in plan.sizes:
            if time_left() <= 0:
                break
            stages.append(_stage(broker, names, made, size, plan, same_log))
            made, same_log = size, None
            tell(f"{size} topics of {plan.partitions}")
        deleted = None
        if plan.deleted and time_left() > 0:
            each = FILES_PER_PARTITION * plan.partitions
            deleted = delete(broker, names[: plan.deleted], each, min(plan.seconds_max, time_left()))
        return Filled(
            partitions=plan.partitions, stages=tuple(stages), first_appends=appended, deleted=deleted
        )


def median_of(ask: Callable[[], object], rounds: int) -> float:
    """Seconds of the middle round."""
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


def _one_by_one(broker: Broker, log: KafkaLog, names: Sequence[str], plan: Plan) -> FirstAppends:
    settle(broker)
    before = broker.census()
    seconds = first_appends(log, names, plan.partitions, plan.seconds_max)
    settle(broker)
    return FirstAppends(seconds=tuple(seconds), before=before, after=broker.census())


def _stage(
    broker: Broker, names: Sequence[str], made: int, size: int, plan: Plan, same_log: Latency | None
) -> Stage:
    files_each = FILES_PER_PARTITION * plan.partitions
    settle(broker)
    before = broker.census() if made < size else None
    bulk = create(broker, names[made:size], plan.partitions, files_each) if made < size else None
    settle(broker)
    census = broker.census()
    latency = _latency(broker, plan)
    client, one = admin(broker.bootstrap), names[0]
    all_seconds = median_of(lambda: client.list_topics(timeout=REQUEST_SECONDS_MAX), LOOKS)
    one_seconds = median_of(lambda: client.list_topics(one, timeout=REQUEST_SECONDS_MAX), LOOKS)
    all_bytes, one_bytes = answer_bytes(broker.bootstrap), answer_bytes(broker.bootstrap, one)
    restarted = broker.restart()
    return Stage(
        partitions=plan.partitions,
        topics=size,
        census=census,
        latency=latency,
        same_log=same_log,
        bulk=bulk,
        before_bulk=before,
        all_bytes=all_bytes,
        all_seconds=all_seconds,
        one_bytes=one_bytes,
        one_seconds=one_seconds,
        restarted=restarted,
        led_seconds=_led(broker, set(names[:size])),
        after_restart=broker.census(),
    )


def _led(broker: Broker, wanted: set[str]) -> float:
    """Seconds until all topics have leaders again."""
    client, begun = admin(broker.bootstrap), time.monotonic()
    while len(led(client, wanted)) < len(wanted):
        if time.monotonic() - begun > REQUEST_SECONDS_MAX:
            raise TimeoutError("topics without leaders after a restart")
    return time.monotonic() - begun


def _latency(broker: Broker, plan: Plan, log: KafkaLog | None = None) -> Latency:
    """On one log, or on a new one; on two new sessions, of which one only grows."""
    if log is not None:
        return _turns(log, plan)
    with KafkaLog({"bootstrap.servers": broker.bootstrap}) as fresh:
        return _turns(fresh, plan)


def _turns(log: KafkaLog, plan: Plan) -> Latency:
    growing, fixed = session_name("growing"), session_name("fixed")
    history(log, fixed, plan).add_messages(conversation(CONVERSATION), flush_timeout_seconds=30.0)
    history(log, growing, plan).add_messages(TURN)
    appends, replays = [], []
    for _ in range(1 + plan.rounds):
        begun = time.perf_counter()
        history(log, growing, plan).add_messages(TURN)
        between = time.perf_counter()
        found = history(log, fixed, plan).messages
        replays.append(time.perf_counter() - between)
        appends.append(between - begun)
        if len(found) != CONVERSATION:
            raise AssertionError(f"{len(found)} messages of {CONVERSATION}")
    return Latency(append=_timing("append", appends[1:]), replay=_timing("replay", replays[1:]))


def history(log: KafkaLog, session: str, plan: Plan) -> KafkaChatMessageHistory:
    """A new one, as a web server makes for each request."""
    return KafkaChatMessageHistory(session, log.servers, partition=plan.partitions, replay=True, log=log)


def _timing(case: str, seconds: Sequence[float]) -> Timing:
    return Timing(contender="kchat", case=case, seconds=tuple(seconds))
