"""The contract of a `kchat.core.Log`, as a pytest suite: what passes it can hold conversations.

Subclass `LogConformance`, give it your log, and pytest runs every test with both faces, sync and async:

    from kchat.testing.conformance import Abilities, LogConformance

    class TestMyLog(LogConformance):
        @pytest.fixture
        def log(self):
            with MyLog("broker:9092") as log:
                yield log

        @pytest.fixture
        def abilities(self):  # only where the broker behind it lacks something
            return Abilities(deletes_topics=False)

Every test has topics of its own and removes them, so the broker may hold other things. What a broker cannot
do is no excuse: its log must say so, typed and at once, and the suite asserts that. Three more fixtures may
be given; without them the tests that need them are skipped, in words: `another_log`, `foreign_write` and
`schedule` (see `kchat.testing.conformance.suite`).

Needs the extra `kchat[testing]`.
"""

# ruff: noqa: E402  (the imports below have to follow the call)
import pytest

# Before they are imported: a failed assert in them then shows its values, as in a test file.
pytest.register_assert_rewrite(
    *(
        f"{__name__}.{part}"
        for part in (
            "appends",
            "conversations",
            "corrupt",
            "cursors",
            "limits",
            "reads",
            "session",
            "sessions",
            "slices",
            "topics",
            "watches",
        )
    )
)

from kchat.testing.conformance.abilities import Abilities
from kchat.testing.conformance.appends import AppendConformance
from kchat.testing.conformance.conversations import ConversationConformance
from kchat.testing.conformance.corrupt import CorruptConformance
from kchat.testing.conformance.cursors import CursorConformance
from kchat.testing.conformance.faces import AsyncFace, Face, Schedule, SyncFace
from kchat.testing.conformance.limits import LimitConformance
from kchat.testing.conformance.reads import ReadConformance
from kchat.testing.conformance.session import ForeignWrite, Session
from kchat.testing.conformance.sessions import SessionsConformance
from kchat.testing.conformance.slices import SliceConformance
from kchat.testing.conformance.topics import TopicConformance
from kchat.testing.conformance.watches import WatchConformance

__all__ = [
    "Abilities",
    "AppendConformance",
    "AsyncFace",
    "ConversationConformance",
    "CorruptConformance",
    "CursorConformance",
    "Face",
    "ForeignWrite",
    "LimitConformance",
    "LogConformance",
    "ReadConformance",
    "Schedule",
    "Session",
    "SessionsConformance",
    "SliceConformance",
    "SyncFace",
    "TopicConformance",
    "WatchConformance",
]


class LogConformance(
    AppendConformance,
    ReadConformance,
    LimitConformance,
    CursorConformance,
    CorruptConformance,
    TopicConformance,
    SessionsConformance,
    SliceConformance,
    ConversationConformance,
    WatchConformance,
):
    """The whole contract. Its parts can be subclassed alone, while a log is being written."""
