"""Many sessions: with topics of their own, in a shared one, and all at once."""

from collections.abc import Callable

from attrs import evolve

from kchat.core import Appended, Complete, FromCommitted, Limit, OnCorrupt, Partial, place_in
from kchat.testing.conformance.faces import Face
from kchat.testing.conformance.session import Session, heard, texts
from kchat.testing.conformance.suite import Suite

SESSIONS = 12


class SessionsConformance(Suite):
    """P1 and P9: no session sees another one's messages, and none holds another one up."""

    def test_many_sessions_append_and_read_at_once(
        self, session: Session, new_topic: Callable[[], str]
    ) -> None:
        """Each with a topic of its own, created by the first append."""
        sessions = [
            evolve(session, placement=evolve(session.placement, topic=new_topic())) for _ in range(SESSIONS)
        ]
        said = [[f"session {index}, {text}" for text in texts(5)] for index in range(SESSIONS)]
        appended = session.face.at_once(
            [one.request(*one.records(*said[index])) for index, one in enumerate(sessions)]
        )
        assert all(isinstance(outcome, Appended) for outcome in appended), appended
        read = session.face.at_once([one.reading() for one in sessions])
        assert [heard(outcome) for outcome in read] == said

    def test_many_writers_of_one_session_are_in_one_order(self, session: Session) -> None:
        """P1: each writer's own order is kept in it, and a call's records may not overtake each other."""
        calls = [
            session.request(*session.records(*(f"writer {w}, {t}" for t in texts(10)))) for w in range(10)
        ]
        outcomes = session.face.at_once(calls)
        assert all(isinstance(outcome, Appended) for outcome in outcomes), outcomes
        whole = session.hear()
        assert session.hear() == whole
        for writer in range(10):
            mine = [text for text in whole if text.startswith(f"writer {writer}, ")]
            assert mine == [f"writer {writer}, {text}" for text in texts(10)]

    def test_a_shared_topic_gives_each_session_its_own_messages(self, session: Session) -> None:
        """Those with its key; the others are not poison and not counted."""
        ours, theirs = self._sharing(session.face, session.topic, "ours", "theirs")
        for text in texts(3):
            ours.say(f"our {text}")
            theirs.say(f"their {text}")
        assert ours.hear() == [f"our {text}" for text in texts(3)]
        assert theirs.hear() == [f"their {text}" for text in texts(3)]
        outcome = ours.read(messages_max=2)
        assert isinstance(outcome, Partial)
        assert outcome.limit is Limit.COUNT
        assert heard(outcome) == ["our message 0", "our message 1"]

    def test_poison_of_another_session_is_not_met(self, session: Session) -> None:
        """It is not even decoded."""
        ours, theirs = self._sharing(session.face, session.topic, "ours", "theirs")
        ours.say("before")
        theirs.append(theirs.poison())
        ours.say("after")
        outcome = ours.read()
        assert isinstance(outcome, Complete)
        assert heard(outcome) == ["before", "after"]
        assert len(theirs.read(on_corrupt=OnCorrupt.SKIP).progress.skipped) == 1

    def test_cursors_of_a_shared_topic_pass_over_other_sessions(self, session: Session) -> None:
        """Each session with a group of its own."""
        ours, theirs = self._sharing(session.face, session.topic, "ours", "theirs")
        group = session.group + "-ours"
        ours.say(*texts(2))
        theirs.say(*texts(50))
        ours.say("last")
        read = FromCommitted(group)
        assert ours.hear(read, commit_to=group, messages_max=2) == texts(2)
        assert ours.hear(read, commit_to=group) == ["last"]
        theirs.say("more")
        assert ours.hear(read, commit_to=group) == []

    def test_many_sessions_of_a_shared_topic_append_and_read_at_once(self, session: Session) -> None:
        """Whatever the partition that their keys choose."""
        sessions = self._sharing(session.face, session.topic, *(f"session {n}" for n in range(SESSIONS)))
        said = [[f"session {index}, {text}" for text in texts(5)] for index in range(SESSIONS)]
        appended = session.face.at_once(
            [one.request(*one.records(*said[index])) for index, one in enumerate(sessions)]
        )
        assert all(isinstance(outcome, Appended) for outcome in appended), appended
        read = session.face.at_once([one.reading() for one in sessions])
        assert [heard(outcome) for outcome in read] == said

    @staticmethod
    def _sharing(face: Face, topic: str, *session_ids: str) -> list[Session]:
        return [Session(face=face, placement=place_in(topic, session_id)) for session_id in session_ids]
