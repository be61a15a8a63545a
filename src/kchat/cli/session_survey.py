"""Asks a cluster for the facts of its sessions, some hundred topics at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Protocol

from kchat.cli.session_rows import Partition, SessionRow, sample_start, session_row
from kchat.core import BrokerError, Record

TOPICS_MAX = 250
"""Topics asked for at once: few requests, and a progress bar that moves."""

SAMPLE_SECONDS_MAX = 4.0
"""How long the newest records of so many topics may take; on one machine they take 0.1 s (measured)."""

Place = tuple[str, int]


class Surveyed(Protocol):
    """What is asked of a cluster: `kchat.io.Survey` is one."""

    def ends(self, places: Iterable[Place]) -> Mapping[Place, tuple[int, int] | BrokerError]:
        """Low and high watermarks."""

    def times(self, places: Iterable[Place]) -> Mapping[Place, tuple[int | None, int | None] | BrokerError]:
        """Timestamps of the first record and of the newest."""

    def topic_settings(self, topics: Iterable[str]) -> Mapping[str, dict[str, str] | BrokerError]:
        """Settings of topics."""

    def newest(
        self, starts: Mapping[Place, int], seconds_max: float
    ) -> tuple[Mapping[Place, list[Record]], frozenset[Place]]:
        """Records from offsets on, and which partitions were read to their end."""


def survey_sessions(
    survey: Surveyed,
    sessions: Mapping[str, str],
    partitions: Mapping[str, tuple[int, ...]],
    advance: Callable[[int, int], object],
) -> Iterator[SessionRow]:
    """The lines of these sessions.

    Args:
        survey: who is asked.
        sessions: each topic's session.
        partitions: each topic's partitions.
        advance: is told how many are done, and of how many.
    """
    topics, done = iter(sessions), 0
    while batch := list(islice(topics, TOPICS_MAX)):
        places = [(topic, partition) for topic in batch for partition in partitions[topic]]
        found = _partitions(survey, places)
        settings = survey.topic_settings(batch)
        for topic in batch:
            told = settings.get(topic)
            yield session_row(
                sessions[topic],
                topic,
                tuple(found.get((topic, partition)) for partition in partitions[topic]),
                None if isinstance(told, BrokerError) else told,
            )
        done += len(batch)
        advance(done, len(sessions))


def _partitions(survey: Surveyed, places: list[Place]) -> dict[Place, Partition]:
    """What is known of each partition; those with records are asked for times and for the newest ones."""
    ends = {p: found for p, found in survey.ends(places).items() if not isinstance(found, BrokerError)}
    filled = [place for place, (low, high) in ends.items() if high > low]
    times = survey.times(filled)
    starts = {place: sample_start(*ends[place]) for place in filled}
    newest, complete = survey.newest(starts, SAMPLE_SECONDS_MAX)
    partitions = {}
    for place, (low, high) in ends.items():
        told = times.get(place)
        first_ms, last_ms = (None, None) if told is None or isinstance(told, BrokerError) else told
        sample = tuple(newest[place]) if place in complete and place in newest else None
        partitions[place] = Partition(low=low, high=high, first_ms=first_ms, last_ms=last_ms, sample=sample)
    return partitions
