"""Reads one session of many in a topic that they share (`kchat.core.place_in`)."""

import time
import uuid
from collections.abc import Callable, Sequence

from attrs import frozen
from langchain_core.messages import BaseMessage

from bench.conversation import conversation, session_name
from bench.figures import Timing
from bench.scale.broker import Broker
from kchat.core import (
    Appended,
    AppendRequest,
    Complete,
    FromBeginning,
    FromCommitted,
    NewRecord,
    Partial,
    Placement,
    ReadOutcome,
    ReadRequest,
    Replayed,
    TopicSettings,
    Unstorable,
    place_in,
)
from kchat.io import KafkaLog
from kchat.langchain import LangChainDecoder
from kchat.langchain.messages import encoder

OWN = 50
"""Messages of the session that is read, evenly among the others."""

SESSION = "ours"
OTHERS = 200
"""Sessions that have the foreign records."""

AT_ONCE = 10_000
APPEND_MS_MAX = 60_000
NEXT = 5
"""As many messages as `messages` gives from the cursor."""


@frozen(kw_only=True)
class SharedRead:
    """A session of 50 messages among so many records of others.

    Attributes:
        foreign: records of others in the same partition.
        record_bytes: of a record on the broker's disk, on average.
        whole: reads from the beginning.
        again: reads behind an earlier one, with nothing new.
        following: reads of the next 5 messages from a cursor, from the first one on.
    """

    foreign: int
    record_bytes: float
    whole: Timing
    again: Timing
    following: Timing


def shared_reads(broker: Broker, sizes: Sequence[int], rounds: int) -> list[SharedRead]:
    """One topic of one partition for each number of foreign records."""
    with KafkaLog({"bootstrap.servers": broker.bootstrap}) as log:
        return [_read(broker, log, foreign, rounds) for foreign in sizes]


def _read(broker: Broker, log: KafkaLog, foreign: int, rounds: int) -> SharedRead:
    ours = place_in(session_name("shared"), SESSION)
    _fill(log, ours, foreign)
    size = (broker.directory / f"{ours.topic}-0" / "00000000000000000000.log").stat().st_size
    known = _whole(log, ours, Replayed()).progress.replayed
    return SharedRead(
        foreign=foreign,
        record_bytes=size / (foreign + OWN),
        whole=_timed("whole", rounds, lambda: _whole(log, ours, None), OWN),
        again=_timed("again", rounds, lambda: _whole(log, ours, known), 0),
        following=_timed("following", rounds, lambda: _next(log, ours), NEXT),
    )


def _fill(log: KafkaLog, ours: Placement, foreign: int) -> None:
    theirs = [record for n in range(OTHERS) for record in _records(place_in(ours.topic, f"theirs-{n}"), 2)]
    own = _records(ours, OWN)
    all_records: list[NewRecord] = []
    for number, record in enumerate(own):
        first, last = (foreign * part // OWN for part in (number, number + 1))
        # The same ones again and again: nobody decodes them.
        all_records += [theirs[n % len(theirs)] for n in range(first, last)]
        all_records.append(record)
    for begin in range(0, len(all_records), AT_ONCE):
        request = AppendRequest(
            topic=ours.topic,
            records=tuple(all_records[begin : begin + AT_ONCE]),
            settings=TopicSettings(partitions=1),
            wait_ms_max=APPEND_MS_MAX,
        )
        outcome = log.append(request)
        if not isinstance(outcome, Appended):
            raise AssertionError(outcome)


def _records(placement: Placement, count: int) -> list[NewRecord]:
    encode = encoder(placement.key, lambda: uuid.uuid4().hex)
    made = [encode(message) for message in conversation(count)]
    return [record for record in made if not isinstance(record, Unstorable)]


def _whole(
    log: KafkaLog, ours: Placement, replayed: Replayed[BaseMessage] | None
) -> ReadOutcome[BaseMessage]:
    request = ReadRequest(
        topic=ours.topic,
        start=FromBeginning(),
        decoder=LangChainDecoder(),
        key=ours.key_filter,
        replayed=replayed,
    )
    return log.read(request)


def _next(log: KafkaLog, ours: Placement) -> ReadOutcome[BaseMessage]:
    """From a cursor of its own: the group of the placement is the topic's, and all sessions share that."""
    group = session_name("cursor")
    request = ReadRequest(
        topic=ours.topic,
        start=FromCommitted(group),
        decoder=LangChainDecoder(),
        key=ours.key_filter,
        messages_max=NEXT,
        commit_to=group,
    )
    return log.read(request)


def _timed(case: str, rounds: int, read: Callable[[], ReadOutcome[BaseMessage]], wanted: int) -> Timing:
    read()
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        outcome = read()
        seconds.append(time.perf_counter() - begun)
        if not isinstance(outcome, Complete | Partial) or len(outcome.progress.deliveries) != wanted:
            raise AssertionError(outcome)
    return Timing(contender="kchat", case=case, seconds=tuple(seconds), size=wanted)
