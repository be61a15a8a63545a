"""The cursor: the committed offset of a consumer group moves over what was handed out, and nothing else."""

from kchat.core import Complete, Failed, FromBeginning, FromCommitted, FromEnd, Log, OnCorrupt
from kchat.core.cursors import IDS_MAX
from kchat.testing.conformance.abilities import Abilities
from kchat.testing.conformance.session import Session, heard, texts
from kchat.testing.conformance.suite import Suite


class CursorConformance(Suite):
    """P5: it may be shared, and a failed read leaves it where it was."""

    def test_a_group_without_a_cursor_starts_at_the_beginning(self, session: Session) -> None:
        """Nothing was consumed yet."""
        session.say(*texts(3))
        assert session.go_on() == texts(3)

    def test_the_next_read_continues_after_what_was_handed_out(self, session: Session) -> None:
        """Whatever ended the one before: the count, or the end."""
        session.say(*texts(5))
        assert session.go_on(messages_max=2) == texts(2)
        assert session.go_on(messages_max=2) == texts(2, start=2)
        assert session.go_on(messages_max=2) == texts(1, start=4)
        session.say("new")
        assert session.go_on() == ["new"]

    def test_reading_when_nothing_is_new_changes_nothing(self, session: Session) -> None:
        """Any number of times."""
        session.say(*texts(3))
        session.go_on()
        for _ in range(3):
            assert session.go_on() == []
        session.say("new")
        assert session.go_on() == ["new"]

    def test_the_cursor_continues_exactly_in_several_partitions(self, session: Session) -> None:
        """One committed offset a partition, of what was handed out and not of what was fetched."""
        for number, text in enumerate(texts(9)):
            session.say(text, partition=number % 3)
        assert [text for _ in range(9) for text in session.go_on(messages_max=1)] == session.hear()
        assert session.go_on() == []

    def test_a_read_that_does_not_commit_leaves_the_cursor(self, session: Session) -> None:
        """P6, from the cursor and from the beginning."""
        session.say(*texts(5))
        session.go_on(messages_max=2)
        assert session.hear() == texts(5)
        assert session.hear(FromCommitted(session.group)) == texts(3, start=2)
        assert session.go_on() == texts(3, start=2)

    def test_a_read_from_the_beginning_can_set_the_cursor_back(self, session: Session) -> None:
        """To after what it handed out."""
        session.say(*texts(5))
        session.go_on()
        assert session.hear(FromBeginning(), messages_max=2, commit_to=session.group) == texts(2)
        assert session.go_on() == texts(3, start=2)

    def test_a_read_from_the_end_moves_the_cursor_there(self, session: Session) -> None:
        """Though nothing was handed out: it was passed over, as asked."""
        session.say(*texts(5))
        assert session.hear(FromEnd(), follow=True, wait_ms_max=100, commit_to=session.group) == []
        assert session.go_on() == []
        session.say("new")
        assert session.go_on() == ["new"]

    def test_a_resent_message_far_behind_its_first_copy_is_not_new(self, session: Session) -> None:
        """However many messages are between the two, and whichever reader it is."""
        first, *between = session.records(*texts(2 * IDS_MAX))
        session.append(first, *between)
        assert session.go_on() == texts(2 * IDS_MAX)
        session.append(first.resent(), *(record.resent() for record in session.records("new")))
        assert session.go_on() == ["new"]

    def test_groups_do_not_move_each_other(self, session: Session) -> None:
        """Each is a cursor of its own."""
        session.say(*texts(3))
        other = session.group + "-other"
        session.go_on(messages_max=2)
        assert session.hear(FromCommitted(other), commit_to=other, messages_max=1) == texts(1)
        assert session.go_on() == texts(1, start=2)
        assert session.hear(FromCommitted(other)) == texts(2, start=1)

    def test_a_failed_read_leaves_the_cursor_where_it_was(self, session: Session) -> None:
        """P5: what came before the fault was shown by the outcome, and comes again."""
        session.say(*texts(2))
        session.go_on(messages_max=1)
        session.append(session.poison())
        for _ in range(2):
            outcome = session.read(FromCommitted(session.group), commit_to=session.group)
            assert isinstance(outcome, Failed)
            assert heard(outcome) == ["message 1"]
        assert session.go_on(on_corrupt=OnCorrupt.SKIP) == ["message 1"]

    def test_the_cursor_moves_over_what_was_skipped(self, session: Session) -> None:
        """It was reported once, and is not read for ever."""
        session.say("before")
        session.append(session.poison())
        session.say("after")
        assert session.go_on(on_corrupt=OnCorrupt.SKIP) == ["before", "after"]
        assert session.read(FromCommitted(session.group)).progress.skipped == ()

    def test_two_processes_share_a_cursor(self, session: Session, another_log: Log) -> None:
        """In turns, each message goes to one of them."""
        session.say(*texts(6))
        heard_by: list[list[str]] = [[], []]
        for _ in range(3):
            heard_by[0] += session.go_on(messages_max=1)
            heard_by[1] += heard(
                another_log.read(
                    session.reading(
                        FromCommitted(session.group),
                        commit_to=session.group,
                        messages_max=1,
                        topic_expected=True,
                    )
                )
            )
        assert heard_by == [texts(6)[0::2], texts(6)[1::2]]

    def test_reads_at_once_lose_nothing_over_a_shared_cursor(self, session: Session) -> None:
        """Two may get the same message; none may pass one over."""
        session.say(*texts(20))
        request = session.reading(FromCommitted(session.group), commit_to=session.group, messages_max=5)
        outcomes = session.face.at_once([request] * 3)
        assert all(not isinstance(outcome, Failed) for outcome in outcomes), outcomes
        got = {text for outcome in outcomes for text in heard(outcome)}
        rest = session.go_on()
        assert rest == texts(len(rest), start=20 - len(rest))
        assert len(rest) >= 5, "three reads of five cannot have handed out more than fifteen"
        assert got | set(rest) == set(texts(20))

    def test_an_old_cursor_skips_nothing_of_a_topic_created_again(
        self, session: Session, abilities: Abilities
    ) -> None:
        """Its offset belongs to another log of the same name."""
        abilities.need("deletes_topics")
        session.say(*texts(5))
        assert session.go_on(messages_max=4) == texts(4)
        session.remove()
        session.say(*texts(10, start=100))
        outcome = session.read(FromCommitted(session.group), commit_to=session.group)
        assert isinstance(outcome, Complete)
        assert heard(outcome) == texts(10, start=100)

    def test_a_limit_counts_messages_and_the_cursor_stands_after_the_last(self, session: Session) -> None:
        """Second copies in between are passed over, not counted."""
        first, second = session.records("first", "second")
        session.append(first, first, first, second)
        session.say("third")
        assert session.go_on(messages_max=2) == ["first", "second"]
        assert session.go_on() == ["third"]
