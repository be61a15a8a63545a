"""What `kchat ls` says of sessions, without a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kchat.cli.ls import KEYS
from kchat.cli.quantities import age_text, size_text
from kchat.cli.session_rows import WHOLE_MAX, Partition, matches, record_bytes, session_row
from kchat.cli.session_survey import TOPICS_MAX, survey_sessions
from kchat.core import BrokerError, ErrorKind, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VALUE = b'{"type": "human", "data": {"content": "x"}}'
LARGE = VALUE.replace(b"x", b"x" * 500_000)
DENIED = BrokerError(ErrorKind.DENIED, "TOPIC_AUTHORIZATION_FAILED")

Place = tuple[str, int]


def record(offset: int = 0, value: bytes = VALUE) -> Record:
    return Record(0, offset, 0, b"key", value, (("kchat-v", b"1"),))


SIZE = record_bytes(record())


def test_a_row_is_the_sum_of_its_partitions() -> None:
    row = session_row(
        "s",
        "t",
        (
            Partition(low=2, high=12, first_ms=50, last_ms=70, sample=(record(), record())),
            Partition(low=0, high=1, first_ms=40, last_ms=40, sample=(record(),)),
            Partition(low=5, high=5),
        ),
        {"retention.ms": "1000"},
    )
    assert (row.messages, row.first_ms, row.last_ms, row.partitions) == (11, 40, 70, 3)
    assert (row.size_bytes, row.size_exact) == (11 * SIZE, False)
    assert (row.retention_ms, row.is_conversation) == (1_000, True)


def test_the_soonest_to_expire_is_first_and_what_is_kept_for_ever_last() -> None:
    kept = {"week": "604800000", "ever": "-1", "at once": "0", "unknown": None}
    rows = [session_row(name, name, (), {"retention.ms": ms} if ms else None) for name, ms in kept.items()]
    assert [row.session for row in sorted(rows, key=KEYS["retention"])] == [
        "at once",
        "week",
        "ever",
        "unknown",
    ]


def test_what_is_not_known_is_none_and_not_nothing() -> None:
    row = session_row("s", "s", (None, Partition(low=0, high=4)), None)
    assert (row.messages, row.size_bytes, row.retention_ms, row.first_ms) == (None, None, None, None)
    assert row.is_conversation  # nobody can say that it is none


def test_a_size_is_exact_where_every_record_was_seen() -> None:
    row = session_row("s", "s", (Partition(low=0, high=2, sample=(record(), record(1, VALUE * 2))),), {})
    assert (row.size_bytes, row.size_exact) == (2 * SIZE + len(VALUE), True)
    assert size_text(SIZE) == f"{SIZE} B"


@pytest.mark.parametrize(
    ("values", "is_one"), [([b"{}"], False), ([b"{}", VALUE], True), ([b"order 5", b""], False), ([], True)]
)
def test_a_topic_without_a_message_among_its_newest_records_is_no_session(
    values: list[bytes], is_one: bool
) -> None:
    sample = tuple(record(offset, value) for offset, value in enumerate(values))
    row = session_row("s", "s", (Partition(low=0, high=len(values), sample=sample),), {})
    assert row.is_conversation is is_one


@pytest.mark.parametrize(
    ("session", "pattern", "found"),
    [
        ("alice", None, True),
        ("alice", "lic", True),
        ("alice", "Lic", False),
        ("alice", "a*e", True),
        ("alice", "*x", False),
        ("a[b", "a[b", True),
        ("alice@x", "alice@", True),
    ],
)
def test_a_pattern_is_of_a_shell_or_a_part(session: str, pattern: str | None, found: bool) -> None:
    assert matches(session, pattern) is found


class FakeSurvey:
    """A cluster whose topics have `records` each in their first partition, and none in the others."""

    def __init__(self, records: int = WHOLE_MAX + 1) -> None:
        self.records = records
        self.requests: list[str] = []

    def ends(self, places: Iterable[Place]) -> Mapping[Place, tuple[int, int] | BrokerError]:
        self.requests.append("ends")
        return {
            place: DENIED if place[0] == "denied" else (0, 0 if place[1] else self.records)
            for place in places
        }

    def times(self, places: Iterable[Place]) -> Mapping[Place, tuple[int | None, int | None] | BrokerError]:
        self.requests.append("times")
        return dict.fromkeys(places, (1, 2))

    def topic_settings(self, topics: Iterable[str]) -> Mapping[str, dict[str, str] | BrokerError]:
        self.requests.append("settings")
        return {t: DENIED if t == "denied" else {"retention.ms": "-1"} for t in topics}

    def newest(
        self, starts: Mapping[Place, int], seconds_max: float
    ) -> tuple[Mapping[Place, list[Record]], frozenset[Place]]:
        self.requests.append("newest")
        assert seconds_max > 0
        found = {
            place: [record(offset, VALUE if offset else LARGE) for offset in range(start, self.records)]
            for place, start in starts.items()
        }
        return found, frozenset(place for place in starts if place[0] != "slow")


def test_a_thousand_sessions_take_a_few_requests_and_the_bar_moves() -> None:
    survey, told = FakeSurvey(), list[tuple[int, int]]()
    sessions = {f"t{number}": f"s{number}" for number in range(1_000)}
    partitions = dict.fromkeys(sessions, (0, 1, 2))
    rows = list(survey_sessions(survey, sessions, partitions, lambda *done: told.append(done)))
    assert [row.session for row in rows] == list(sessions.values())
    many = survey.records
    assert {(row.messages, row.size_bytes, row.first_ms, row.last_ms) for row in rows} == {
        (many, many * SIZE, 1, 2)  # of the newest ones: the large one at the beginning is not looked at
    }
    assert len(survey.requests) <= 4 * -(-1_000 // TOPICS_MAX)
    assert told == [(250, 1_000), (500, 1_000), (750, 1_000), (1_000, 1_000)]


def test_a_denied_topic_and_one_that_is_slow_are_listed_with_what_is_known() -> None:
    sessions = {name: name for name in ("denied", "slow", "well")}
    survey = FakeSurvey()
    many = survey.records
    denied, slow, well = survey_sessions(survey, sessions, dict.fromkeys(sessions, (0,)), lambda *_: None)
    assert (denied.messages, denied.size_bytes, denied.retention_ms) == (None, None, None)
    assert (slow.messages, slow.size_bytes, slow.retention_ms) == (many, None, -1)
    assert (well.messages, well.size_bytes, well.size_exact) == (many, many * SIZE, False)


@pytest.mark.parametrize("records", [1, 16, WHOLE_MAX])
def test_a_short_session_is_looked_at_whole_so_one_large_message_counts_for_what_it_is(records: int) -> None:
    (row,) = survey_sessions(FakeSurvey(records), {"s": "s"}, {"s": (0,)}, lambda *_: None)
    assert (row.size_bytes, row.size_exact) == (records * SIZE + len(LARGE) - len(VALUE), True)


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1_000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (10**18, "1000.0 PB"),
    ],
)
def test_a_size_has_its_unit(size_bytes: int, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-1, "for ever"),
        (0, "0 ms"),
        (604_800_000, "7 d"),
        (5_400_000, "1.5 h"),
        (60_000, "1 min"),
        (2_500, "2.5 s"),
    ],
)
def test_an_age_has_its_largest_unit(milliseconds: int, text: str) -> None:
    assert age_text(milliseconds) == text
