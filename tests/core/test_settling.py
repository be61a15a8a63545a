"""Settling: a read that moves its cursor is asked again once it is known what its messages' removals are."""

from typing import Any

import pytest

from kchat.core import (
    NOTHING_KNOWN,
    BrokerError,
    Complete,
    ErrorKind,
    Failed,
    FromCommitted,
    Limit,
    Message,
    Partial,
    Progress,
    ReadRequest,
    settled_batch,
    settled_read,
)
from tests.core.answered import carried_out, delivery, progress
from tests.core.strategies import DECODER, GROUP, TOPIC

REQUEST: ReadRequest[Message] = ReadRequest(
    topic=TOPIC, start=FromCommitted(GROUP), decoder=DECODER, messages_max=1, commit_to=GROUP
)
MARKER = delivery(3, removes="m0")


def unsettled() -> Any:
    return Partial(progress(0, 0, settled=False), Limit.COUNT)


def settled(*deliveries: Any) -> Any:
    return Partial(progress(0, 2, *deliveries), Limit.COUNT)


def test_a_read_that_is_settled_at_once_is_one_read() -> None:
    asked, (outcome, known) = carried_out(settled_read(REQUEST, NOTHING_KNOWN, lambda: 0), settled())
    assert (len(asked), outcome, known) == (1, settled(), NOTHING_KNOWN)
    assert (asked[0].with_topic_id, asked[0].with_removals, asked[0].known_enough) == (True, True, False)


def test_it_is_asked_again_with_what_lies_behind_and_that_is_enough() -> None:
    answers = (unsettled(), Complete(progress(0, 4, MARKER)), settled(delivery(1)))
    asked, (outcome, known) = carried_out(settled_read(REQUEST, NOTHING_KNOWN, lambda: 0), *answers)
    assert outcome == answers[-1]
    assert known.removals.keeps(MARKER)
    first, look, again = asked
    assert look.commit_to is None, "a look behind moves no cursor"
    assert (again.commit_to, again.known) == (GROUP, known)
    assert not first.known_enough
    assert again.known_enough, "what others append meanwhile is not waited for, or the call would not end"


def test_all_its_reads_together_take_no_longer_than_the_time() -> None:
    times = iter([0, 0, 10, 50, 50, 50, 99, 99, 99])
    request = ReadRequest(
        topic=TOPIC, start=FromCommitted(GROUP), decoder=DECODER, commit_to=GROUP, wait_ms_max=50
    )
    answers = (unsettled(), Complete(progress(0, 4, MARKER)))
    asked, (outcome, known) = carried_out(settled_read(request, NOTHING_KNOWN, lambda: next(times)), *answers)
    assert [one.wait_ms_max for one in asked] == [50, 40]
    assert outcome == Partial(Progress(positions=unsettled().progress.began, topic_id="T"), Limit.TIME), (
        "nothing is handed out, and nothing was moved"
    )
    assert known.removals.keeps(MARKER), "the next call goes on there"


def test_a_look_behind_that_fails_hands_out_nothing() -> None:
    failed: Failed[Message] = Failed(progress(0, 4, MARKER), BrokerError(ErrorKind.TIMED_OUT, "CODE"))
    _, (outcome, known) = carried_out(settled_read(REQUEST, NOTHING_KNOWN, lambda: 0), unsettled(), failed)
    assert outcome == Failed(Progress(), failed.failure)
    assert known == NOTHING_KNOWN


@pytest.mark.parametrize("ended", [False, True])
def test_a_batch_is_shown_without_what_is_removed_within_or_behind_it(ended: bool) -> None:
    batch = (delivery(0), delivery(1))
    answers: tuple[Any, ...] = (
        Partial(progress(0, 2, *batch), Limit.COUNT),
        Complete(progress(2, 4, MARKER)),
    )
    if ended:
        answers = (Complete(progress(0, 4, *batch, MARKER)),)
    asked, (outcome, known) = carried_out(settled_batch(REQUEST, NOTHING_KNOWN), *answers)
    assert [d.offset for d in outcome.progress.deliveries] == [1]
    assert type(outcome) is type(answers[0]), "it says as before whether there are more"
    assert known.removals.keeps(MARKER)
    assert len(asked) == len(answers)
