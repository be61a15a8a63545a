"""The fixtures of the suite. A subclass overrides `log`, and those of the others that it can give."""

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from kchat.core import Log, RemoveTopic, place
from kchat.testing.conformance.abilities import Abilities
from kchat.testing.conformance.faces import AsyncFace, Face, Schedule, SyncFace
from kchat.testing.conformance.session import WAIT_MS_MAX, ForeignWrite, Session, unique


class Suite:
    """What all parts of the suite build on."""

    @pytest.fixture
    def log(self) -> Log:
        """The log under test; the one fixture that every subclass must give. The suite does not close it."""
        # Not a gap: only who runs the suite knows the log, and a forgotten one must not pass as a skip.
        pytest.fail("give the suite your log: override the fixture `log`")

    @pytest.fixture
    def abilities(self) -> Abilities:
        """What the broker behind the log can do; all, unless overridden."""
        return Abilities()

    @pytest.fixture
    def another_log(self) -> Log:
        """A second log on the same broker, as another process would have. The suite may close it."""
        pytest.skip("give the fixture `another_log` to test what needs two processes")

    @pytest.fixture
    def foreign_write(self) -> ForeignWrite:
        """Writes a record past the log, as another program would."""
        pytest.skip("give the fixture `foreign_write` to test what only another program can write")

    @pytest.fixture
    def schedule(self) -> Schedule | None:
        """Only for a log whose time is virtual: how something is done while a read waits."""
        return None

    @pytest.fixture(params=["sync", "async"])
    def face(self, request: pytest.FixtureRequest, log: Log, schedule: Schedule | None) -> Iterator[Face]:
        """The log by its sync face, then by its async one: every test runs twice."""
        if request.param == "sync":
            yield SyncFace(log, schedule)
            return
        face = AsyncFace(log, schedule)
        with closing(face.runner):
            yield face

    @pytest.fixture
    def new_topic(self, log: Log, abilities: Abilities) -> Iterator[Callable[[], str]]:
        """Names for topics that nobody else uses; they are removed after the test."""
        names: list[str] = []

        def name() -> str:
            names.append(unique("kchat-conformance"))
            return names[-1]

        yield name
        if abilities.deletes_topics:
            for topic in names:
                log.provision(RemoveTopic(topic=topic, wait_ms_max=WAIT_MS_MAX))

    @pytest.fixture
    def session(self, face: Face, new_topic: Callable[[], str]) -> Session:
        """A session with a topic of its own, which is not there yet."""
        return Session(face=face, placement=place(new_topic()))
