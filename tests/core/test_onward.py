"""Reading onward: several reads give one slice, and what was learnt on the way is kept."""

from kchat.core import (
    NOTHING_KNOWN,
    BrokerError,
    Complete,
    ErrorKind,
    Failed,
    FromBeginning,
    Limit,
    Message,
    Partial,
    Position,
    Progress,
    ReadRequest,
    onward,
)
from kchat.core.removals import target_of
from tests.core.answered import carried_out, delivery, progress
from tests.core.strategies import DECODER, TOPIC

REQUEST: ReadRequest[Message] = ReadRequest(topic=TOPIC, start=FromBeginning(), decoder=DECODER)


def test_the_resent_of_all_its_reads_are_known_to_who_reads_on() -> None:
    removed, marker = delivery(0), delivery(3, removes="m0")
    first = Partial(progress(0, 1, removed, resent=frozenset({"a"})), Limit.COUNT)
    scanned = Complete(progress(1, 4, marker))
    second = Partial(progress(1, 2, delivery(1), resent=frozenset({"b"})), Limit.COUNT)
    asked, (page, _) = carried_out(onward(REQUEST, 1), first, scanned, second, Complete(progress(4, 4)))
    assert [d.offset for d in page.deliveries] == [1]
    assert page.resent == {"a", "b"}, "a second copy of either may come behind this slice"
    assert asked[2].resent_before == {"a"}


def test_a_slice_of_several_reads_begins_where_the_first_one_did() -> None:
    first = Partial(progress(2, 3, delivery(2), older=(0,)), Limit.COUNT)
    scanned = Complete(progress(3, 5, delivery(4, removes="m2")))
    second = Complete(progress(3, 5, delivery(3), delivery(4, removes="m2"), older=(0,)))
    _, (page, known) = carried_out(onward(REQUEST, 1), first, scanned, second)
    assert (page.begin, page.end, page.older, page.newer) == (
        (Position(0, 2),),
        (Position(0, 5),),
        True,
        False,
    )
    assert [target_of(d.message) for d in page.deliveries] == [None]
    assert known.removals.keeps(delivery(4, removes="m2"))


def test_without_removals_one_read_and_one_look_behind_it_are_enough() -> None:
    first = Partial(progress(0, 1, delivery(0)), Limit.COUNT)
    asked, (page, known) = carried_out(onward(REQUEST, 1, NOTHING_KNOWN), first, Complete(progress(1, 9)))
    assert len(asked) == 2
    assert page.newer
    assert known.stretch_from("T", (Position(0, 1),)) is not None


DENIED = BrokerError(ErrorKind.DENIED, "TOPIC_AUTHORIZATION_FAILED")


def test_a_look_behind_that_fails_hands_out_no_marker_that_it_found() -> None:
    first = Partial(progress(0, 1, delivery(0)), Limit.COUNT)
    scanned = Failed(progress(1, 5, delivery(4, removes="m0")), DENIED)
    assert carried_out(onward(REQUEST, 1), first, scanned)[1] == Failed(Progress(), DENIED)


def test_a_later_read_that_fails_at_once_leaves_the_place_and_shows_nothing_that_is_removed() -> None:
    first = Partial(progress(0, 2, delivery(0), delivery(1)), Limit.COUNT)
    scanned = Complete(progress(2, 4, delivery(3, removes="m0")))
    _, failed = carried_out(onward(REQUEST, 2), first, scanned, Failed(Progress(), DENIED))
    shown = failed.progress
    assert [d.offset for d in shown.deliveries] == [1]
    assert (shown.positions, shown.topic_id) == ((Position(0, 2),), "T")
