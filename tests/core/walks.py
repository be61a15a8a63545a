"""Walks that together take every arrow of every machine: a request and the answers to it."""

from types import ModuleType
from typing import Any

from kchat.core import (
    AppendRequest,
    EnsureTopic,
    ErrorKind,
    Event,
    FromBeginning,
    FromCommitted,
    FromEnd,
    FromPositions,
    GroupDeleted,
    GroupsListed,
    ListCursors,
    NewRecord,
    OffsetsListed,
    Position,
    ReadRequest,
    RecordsDeleted,
    RemoveCursor,
    RemoveTopic,
    TopicCreated,
    TopicDeleted,
    TopicSettings,
    TruncateTopic,
    Watermarks,
    appending,
    provisioning,
    reading,
)
from tests.core.scripts import (
    ack,
    committed,
    described,
    error,
    failed,
    fetched,
    found,
    listed,
    produced,
    resent,
    stored,
)
from tests.core.strategies import DECODER, GROUP, TOPIC

Walk = tuple[Any, tuple[Event, ...]]

AGAIN, OVER = failed(ErrorKind.TRANSIENT), failed(ErrorKind.DENIED)
GONE, EXISTS = failed(ErrorKind.UNKNOWN_TOPIC), failed(ErrorKind.TOPIC_EXISTS)
PASSED = failed(ErrorKind.OFFSET_OUT_OF_RANGE)
LATE_MS = 60_000


def read(**changes: Any) -> ReadRequest[Any]:
    given: dict[str, Any] = {"start": FromBeginning(), "wait_ms_max": 5_000}
    return ReadRequest(topic=TOPIC, decoder=DECODER, **given | changes)


FOUND = (AGAIN, described(), AGAIN, listed((0, 2)))
EMPTIED = (listed((2, 2)), listed((2, 2)))  # said twice, it is believed
CURSOR = {"start": FromCommitted(GROUP), "commit_to": GROUP}
AT_2 = FromPositions((Position(0, 2),))
FOUND_4 = (described(), listed((0, 4)))
BEHIND = (described(), committed((2, "")), listed((0, 4)))
FOUR_EMPTIED = (listed((4, 4)), listed((4, 4)))
UPPER_PASSED = OffsetsListed(at_ms=2, watermarks=(Watermarks(1, 1, 1),))
HELD_UP = (fetched(resent(2)), PASSED, UPPER_PASSED, UPPER_PASSED)
READS: list[Walk] = [
    (read(), (*FOUND, AGAIN, fetched(0), fetched(1))),
    (read(), (*FOUND, PASSED, AGAIN, listed((1, 2)), PASSED, *EMPTIED)),
    (read(), (*FOUND, PASSED, OVER)),
    (read(), (*FOUND, OVER)),
    (
        read(follow=True, messages_max=2),
        (*FOUND, fetched(0), fetched(at=2_500), listed((0, 2), at=2_501), fetched(1, at=2_502)),
    ),
    (read(), (described(), listed((0, 0)))),
    (read(), (described(), OVER)),
    (read(), (OVER,)),
    # Deleted between two questions.
    (read(), (described(), GONE, GONE)),
    (read(**CURSOR), (described(), GONE, GONE)),
    (read(partition=1), (described(),)),
    (read(start=FromEnd(), commit_to=GROUP), (described(), listed((0, 2)), AGAIN, stored())),
    (read(**CURSOR), (described(), AGAIN, committed(), listed((0, 2)), fetched(0, 1), OVER)),
    (read(**CURSOR), (described(), committed(), listed((0, 2)), PASSED, *EMPTIED, stored())),
    (read(**CURSOR), (described(), OVER)),
    # A listed end before the cursor: the broker lags.
    (read(**CURSOR), (described(topic_id="A"), committed((2, "kchat A ")), listed((0, 1)), listed((0, 2)))),
    # A resent record behind the beginning: what is before it is looked at.
    (read(**CURSOR), (*BEHIND, fetched(resent(2)), AGAIN, fetched(0), fetched(1), fetched(3), stored())),
    (read(**CURSOR), (*BEHIND, fetched(resent(2), 3), fetched(0, 1), stored())),
    (read(**CURSOR), (*BEHIND, fetched(resent(2)), PASSED, listed((1, 4)), fetched(1), fetched(3), stored())),
    (read(**CURSOR), (*BEHIND, fetched(resent(2)), PASSED, *FOUR_EMPTIED, PASSED, *FOUR_EMPTIED, stored())),
    (read(**CURSOR), (*BEHIND, fetched(resent(2), 3), PASSED, listed((2, 4)), stored())),
    (read(start=AT_2), (*FOUND_4, fetched(resent(2)), OVER)),
    (read(start=AT_2), (*FOUND_4, fetched(resent(2), 3), fetched(0, 1))),
    (read(start=AT_2), (*FOUND_4, fetched(resent(2), 3), PASSED, listed((2, 4)))),
    (read(start=AT_2), (described(0, 1), listed((0, 3), (0, 1)), *HELD_UP, fetched(0, 1))),
    (read(since_ms=1), (described(), listed((0, 2)), AGAIN, found(1), fetched(1))),
    (read(since_ms=1), (described(), listed((0, 2)), found())),
    (read(since_ms=1), (described(), listed((0, 2)), failed(ErrorKind.UNSUPPORTED), fetched(0, 1))),
    (read(since_ms=1), (described(), listed((0, 2)), OVER)),
    (
        read(since_ms=1, follow=True, commit_to=GROUP),
        (described(), listed((0, 2)), failed(ErrorKind.UNSUPPORTED, at=LATE_MS), stored()),
    ),
    (read(since_ms=1, only_move=True, commit_to=GROUP), (described(), listed((0, 2)), found(1), stored())),
]

SETTINGS = TopicSettings()
CREATED, DELETED = TopicCreated(at_ms=1), TopicDeleted(at_ms=1)
WAITING, WAITED = produced(None), produced(None, at=LATE_MS)
TAKEN = produced(error(ErrorKind.WITHDRAWN))
VANISHED = produced(error(ErrorKind.UNKNOWN_TOPIC))


def append(**changes: Any) -> AppendRequest:
    given: dict[str, Any] = {"topic_known": True, "settings": SETTINGS}
    return AppendRequest(topic=TOPIC, records=(NewRecord(None, b"x"),), **given | changes)


APPENDS: list[Walk] = [
    (append(topic_known=False), (GONE, CREATED, described(), AGAIN, produced(ack(0)))),
    (append(topic_known=False), (OVER,)),
    (append(), (OVER,)),
    (append(), (GONE, described(), VANISHED, described(), WAITING, VANISHED)),
    (append(), (WAITING, VANISHED, described(), TAKEN, WAITING, TAKEN, WAITED, WAITED)),
    (append(), (WAITING, WAITING, AGAIN, WAITED, OVER)),
    (append(), (WAITING, OVER, produced(ack(0)))),
    (append(), (WAITING, produced(ack(0)))),
]

ENSURE, REMOVE = EnsureTopic(topic=TOPIC, settings=SETTINGS), RemoveTopic(topic=TOPIC)
TRUNCATE, LIST, FORGET = TruncateTopic(topic=TOPIC), ListCursors(prefix=GROUP), RemoveCursor(group=GROUP)
EMPTIED_OF_RECORDS = RecordsDeleted(at_ms=1)
PROVISIONS: list[Walk] = [
    (ENSURE, (AGAIN, GONE, AGAIN, CREATED, AGAIN, described())),
    (ENSURE, (GONE, EXISTS, OVER)),
    (ENSURE, (GONE, OVER)),
    (ENSURE, (described(),)),
    (ENSURE, (OVER,)),
    (REMOVE, (described(), AGAIN, DELETED, AGAIN, described(), GONE)),
    (REMOVE, (described(), GONE, described(at=LATE_MS))),
    (REMOVE, (described(), OVER)),
    (TRUNCATE, (described(), AGAIN, listed((0, 2)), AGAIN, PASSED, listed((0, 2)), EMPTIED_OF_RECORDS)),
    (TRUNCATE, (described(), listed((0, 0)))),
    (TRUNCATE, (described(), GONE)),
    (TRUNCATE, (described(), listed((1, 2)), OVER)),
    (LIST, (AGAIN, GroupsListed(at_ms=1, groups=("b", "a")))),
    (LIST, (OVER,)),
    (FORGET, (AGAIN, GroupDeleted(at_ms=1, deleted=True))),
]

WALKS: dict[ModuleType, list[Walk]] = {reading: READS, appending: APPENDS, provisioning: PROVISIONS}
