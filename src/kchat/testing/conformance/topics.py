"""Topics: made to exist with the asked settings, or made to be gone, by any number of callers at once."""

import time
from typing import Any

import pytest
from attrs import evolve

from kchat.core import (
    Closed,
    EnsureTopic,
    ErrorKind,
    Log,
    RemoveTopic,
    TopicFailed,
    TopicGone,
    TopicReady,
    TopicSettings,
)
from kchat.testing.conformance.abilities import Abilities
from kchat.testing.conformance.session import WAIT_MS_MAX, Session, texts
from kchat.testing.conformance.suite import Suite


class TopicConformance(Suite):
    """Provisioning, and what appends and reads make of it; closing at last."""

    @pytest.mark.parametrize("partitions", [1, 4])
    def test_the_first_append_creates_the_topic_as_asked(
        self, session: Session, abilities: Abilities, partitions: int
    ) -> None:
        """With the number of partitions in its settings."""
        abilities.need("chooses_partitions")
        session = evolve(session, settings=TopicSettings(partitions=partitions))
        session.say("first")
        ready = session.face.provision(EnsureTopic(topic=session.topic, settings=session.settings))
        assert ready == TopicReady(partitions=tuple(range(partitions)), created=False)

    def test_an_existing_topic_is_left_as_it_is(self, session: Session) -> None:
        """Other settings do not change it."""
        first = session.face.provision(self._ensure(session))
        other = EnsureTopic(topic=session.topic, settings=TopicSettings(partitions=7))
        second = session.face.provision(other)
        assert isinstance(first, TopicReady)
        assert first.created
        assert second == TopicReady(partitions=first.partitions, created=False)

    def test_a_topic_is_usable_as_soon_as_it_is_ensured(self, session: Session) -> None:
        """The broker's word is not enough: the call ends when the topic is visible."""
        session.face.provision(self._ensure(session))
        session.say("first", settings=None)
        assert session.hear() == ["first"]

    def test_any_number_of_callers_ensure_a_topic_at_once(self, session: Session) -> None:
        """All succeed, and see the same partitions."""
        outcomes = session.face.at_once([self._ensure(session)] * 6)
        assert all(isinstance(outcome, TopicReady) for outcome in outcomes), outcomes
        assert len({outcome.partitions for outcome in outcomes}) == 1
        assert any(outcome.created for outcome in outcomes)

    def test_first_appends_at_once_all_succeed(self, session: Session) -> None:
        """The topic is created by one of them."""
        outcomes = session.face.at_once([session.request(*session.records(text)) for text in texts(6)])
        assert all(len(getattr(outcome, "places", ())) == 1 for outcome in outcomes), outcomes
        assert sorted(session.hear()) == texts(6)

    @pytest.mark.parametrize("name", ["", "with space", "ünicode", "x" * 250, ".", "..", "\ud800", None])
    def test_an_illegal_name_never_reaches_the_log(self, session: Session, name: Any) -> None:
        """P9: `place` never makes such a name; whoever does is told so before anything is asked."""
        with pytest.raises(ValueError, match="topic must be"):
            EnsureTopic(topic=name, settings=session.settings)
        with pytest.raises(ValueError, match="topic must be"):
            RemoveTopic(topic=name)

    def test_too_many_replicas_are_a_typed_failure(self, session: Session, abilities: Abilities) -> None:
        """There are not so many brokers."""
        abilities.need("chooses_partitions")
        settings = TopicSettings(replication_factor=1_000)
        outcome = session.face.provision(EnsureTopic(topic=session.topic, settings=settings))
        assert isinstance(outcome, TopicFailed), outcome
        assert outcome.error.kind is ErrorKind.REJECTED

    def test_removing_ends_at_once_whether_the_broker_can_or_not(
        self, session: Session, abilities: Abilities
    ) -> None:
        """A broker that cannot is said to be unable: not waited for."""
        session.say("there")
        began = time.monotonic()
        outcome = session.face.provision(RemoveTopic(topic=session.topic, wait_ms_max=WAIT_MS_MAX))
        assert time.monotonic() - began < 5
        if abilities.deletes_topics:
            assert outcome == TopicGone(deleted=True)
        else:
            assert isinstance(outcome, TopicFailed), outcome
            assert outcome.error.kind is ErrorKind.UNSUPPORTED
            assert session.hear() == ["there"]

    def test_a_missing_topic_is_gone_already(self, session: Session) -> None:
        """Nothing has to be deleted, so every broker can."""
        outcome = session.face.provision(RemoveTopic(topic=session.topic, wait_ms_max=WAIT_MS_MAX))
        assert outcome == TopicGone(deleted=False)

    def test_a_removed_topic_is_an_empty_conversation(self, session: Session, abilities: Abilities) -> None:
        """From the moment that the call returns."""
        abilities.need("deletes_topics")
        session.say(*texts(3))
        session.remove()
        assert session.hear() == []

    def test_an_append_creates_a_removed_topic_again(self, session: Session, abilities: Abilities) -> None:
        """With the same settings, and nothing of the old one in it; as often as wanted."""
        abilities.need("deletes_topics")
        for round_ in range(3):
            (place,) = session.say(f"round {round_}")
            assert place.offset == 0
            assert session.hear() == [f"round {round_}"]
            ready = session.face.provision(self._ensure(session))
            assert ready == TopicReady(partitions=(0, 1, 2), created=False)
            session.remove()

    def test_a_topic_that_another_process_removed_is_created_again(
        self, session: Session, abilities: Abilities, another_log: Log
    ) -> None:
        """The log believed that it was there."""
        abilities.need("deletes_topics")
        session.say("old")
        another_log.provision(RemoveTopic(topic=session.topic, wait_ms_max=WAIT_MS_MAX))
        session.say("new")
        assert session.hear() == ["new"]

    def test_callers_remove_a_topic_at_once(self, session: Session, abilities: Abilities) -> None:
        """All see it gone."""
        abilities.need("deletes_topics")
        session.say("there")
        outcomes = session.face.at_once([RemoveTopic(topic=session.topic, wait_ms_max=WAIT_MS_MAX)] * 4)
        assert all(isinstance(outcome, TopicGone) for outcome in outcomes), outcomes
        assert session.hear() == []

    def test_a_closed_log_refuses_and_can_be_closed_again(self, session: Session, another_log: Log) -> None:
        """And does not close its neighbour."""
        session.say("there")
        assert another_log.read(session.reading(topic_expected=True)) == session.read()
        another_log.close()
        another_log.close()
        for call in (
            lambda: another_log.read(session.reading()),
            lambda: another_log.append(session.request(*session.records("lost"))),
            lambda: another_log.provision(self._ensure(session)),
        ):
            with pytest.raises(Closed):
                call()
        assert session.hear() == ["there"]

    @staticmethod
    def _ensure(session: Session) -> EnsureTopic:
        return EnsureTopic(topic=session.topic, settings=session.settings, wait_ms_max=WAIT_MS_MAX)
