"""Every way to read a conversation, against its model: a list, and a slice of it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kchat.conversation import Ended, conversation
from kchat.core import ChatPosition, Message, OnCorrupt, ReadFailed, paging
from kchat.testing import FakeBroker, FaultPlan, NoAnswer
from kchat.testing.strategies import fault_plans
from tests.conversation.drawn import FAULTS, SESSION, Drawn, Place, at, conversations, model, places

COUNTS = st.integers(1, 14)
PLANS = fault_plans(FAULTS, size_max=5)
"""Few enough that no read gives up: one without an answer takes up to 0.8 s of its 5."""


@pytest.fixture(scope="module", autouse=True)
def narrow_windows() -> Iterator[None]:
    """The first window as narrow as can be, or none of these logs would need a second one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(paging, "WINDOW_MIN", 0)
        patch.setattr(paging, "WINDOW_GROWTH", 2)
        yield


@given(conversations(), PLANS)
def test_the_whole(drawn: Drawn, plan: FaultPlan) -> None:
    assert places(drawn.conversation(plan).read()) == model(drawn.shown)


@given(conversations(), COUNTS, PLANS)
def test_the_last_ones(drawn: Drawn, count: int, plan: FaultPlan) -> None:
    page = drawn.conversation(plan).last(count)
    assert places(page) == model(drawn.shown[-count:])
    assert page.ended is (Ended.COUNT if len(drawn.shown) > count else Ended.BEGINNING) or len(page) == count


@given(conversations(), st.data(), COUNTS, PLANS)
def test_the_page_before_and_the_page_after(
    drawn: Drawn, data: st.DataObject, count: int, plan: FaultPlan
) -> None:
    talk = drawn.conversation(plan)
    whole = talk.read()
    if not len(whole):
        return
    index = data.draw(st.integers(0, len(whole) - 1))
    position = ChatPosition.parse(str(whole[index].position))
    assert places(talk.before(position, count)) == model(drawn.shown[max(0, index - count) : index])
    assert places(talk.after(position, count)) == model(drawn.shown[index + 1 : index + 1 + count])


@given(conversations(), COUNTS, PLANS)
def test_pages_backwards_tile_the_conversation(drawn: Drawn, count: int, plan: FaultPlan) -> None:
    talk = drawn.conversation(plan)
    page, read = talk.last(count), list[Place]()
    while True:
        read = places(page) + read
        if page.ended is Ended.BEGINNING:
            break
        assert len(page) == count
        assert page.begin is not None
        page = talk.before(page.begin, count)
    assert read == model(drawn.shown)


@given(conversations(), COUNTS, PLANS)
def test_pages_forwards_tile_the_conversation(drawn: Drawn, count: int, plan: FaultPlan) -> None:
    talk = drawn.conversation(plan)
    page, read = talk.since(None, None, count), list[Place]()
    while True:
        read += places(page)
        if page.ended is Ended.END:
            break
        assert len(page) == count
        assert page.end is not None
        page = talk.after(page.end, count)
    assert read == model(drawn.shown)


@given(conversations(), st.none() | st.integers(0, 25), st.none() | st.integers(0, 25), PLANS)
def test_a_stretch_of_time(drawn: Drawn, since: int | None, until: int | None, plan: FaultPlan) -> None:
    bounds = (None if since is None else at(since), None if until is None else at(until))
    expected = [
        said
        for said in drawn.shown
        if (since is None or said.timestamp_ms >= since) and (until is None or said.timestamp_ms < until)
    ]
    assert places(drawn.conversation(plan).since(*bounds)) == model(expected)


@given(conversations(), st.none() | st.integers(0, 25), st.integers(0, 25), st.none() | COUNTS)
def test_behind_a_stretch_of_time_comes_the_rest(
    drawn: Drawn, since: int | None, until: int, count: int | None
) -> None:
    talk = drawn.conversation()
    page = talk.since(None if since is None else at(since), at(until), count)
    assert page.end is not None
    rest = talk.after(page.end, 99)
    expected = [said for said in drawn.shown if since is None or said.timestamp_ms >= since]
    assert places(page) + places(rest) == model(expected)
    if page.ended is Ended.END:
        assert len(rest) == 0
    for index, entry in enumerate(page):
        after = places(talk.after(entry.position, 99))
        assert after == model(expected[index + 1 :])


@given(conversations(), st.integers(1, 30), st.integers(1, 4))
def test_a_budget_of_tokens(drawn: Drawn, budget: int, each: int) -> None:
    page = drawn.conversation().window(budget, lambda messages: each * len(messages))
    kept = list(drawn.shown[max(0, len(drawn.shown) - budget // each) :])
    while kept and kept[0].message.type == "tool":
        del kept[0]
    assert places(page) == model(kept)


@given(conversations(), st.integers(0, 6), PLANS)
def test_a_follower_gets_the_history_and_what_comes(drawn: Drawn, more: int, plan: FaultPlan) -> None:
    broker = drawn.log.broker(plan)
    talk = conversation(broker, SESSION, on_corrupt=OnCorrupt.SKIP)
    writer = conversation(broker.reopened(), SESSION)  # without the faults, which may leave an append unknown
    new = [Message("human", {"content": f"new {number}"}) for number in range(more)]
    heard = []
    following = talk.follow(seconds_max=120.0)
    for entry in following:
        heard.append(entry)
        if len(heard) == max(1, len(drawn.shown) // 2):
            writer.append(new)
    texts = [entry.message.text for entry in heard[len(drawn.shown) :]]
    assert places(heard[: len(drawn.shown)]) == model(drawn.shown)
    assert texts == ([message.text for message in new] if drawn.shown else [])


def test_a_follower_that_had_no_answer_to_its_end_says_so() -> None:
    talk = conversation(FakeBroker((NoAnswer(),) * 50), SESSION)
    with pytest.raises(ReadFailed, match="drawn by a fault plan"):
        list(talk.follow(seconds_max=2.0))


def test_a_follower_whose_broker_comes_back_goes_on() -> None:
    broker = FakeBroker()
    talk = conversation(broker, SESSION)
    talk.append([Message("human", {"content": "x"})])
    broker.plan = [NoAnswer()] * 12
    assert len(list(talk.follow(seconds_max=30.0))) == 1


def test_a_page_that_shows_nothing_of_a_partition_leaves_it_to_the_next_one() -> None:
    broker = FakeBroker()
    broker.cluster.create(SESSION, partitions=2)
    for number, partition in enumerate((1, 1, 1, 0, 0, 0)):
        value = b'{"type": "human", "data": {"content": "%d"}}' % number
        broker.cluster.inject(SESSION, value, partition=partition, timestamp_ms=number)
    talk = conversation(broker, SESSION)
    page, read = talk.last(1), list[str]()
    while len(page):
        read += [entry.message.text for entry in page]
        assert page.begin is not None
        page = talk.before(page.begin, 1)
    assert read == ["5", "4", "3", "2", "1", "0"]


def test_scrolling_back_does_not_read_the_end_again_for_each_page(
    counted: tuple[FakeBroker, list[int]],
) -> None:
    broker, fetched = counted
    talk = conversation(broker, SESSION)
    places = talk.append([Message("human", {"content": str(number)}) for number in range(400)])
    talk.redact(places[200])
    fetched.clear()
    page, pages = talk.last(10), 1
    while page.ended is not Ended.BEGINNING:
        assert page.begin is not None
        page, pages = talk.before(page.begin, 10), pages + 1
    assert pages == 40
    assert sum(fetched) <= 2 * 400, "each page costs itself and a bit, whatever lies behind it"


def test_a_message_is_shown_until_it_is_too_old_to_the_millisecond() -> None:
    broker = FakeBroker(latency_ms=0)
    talk = conversation(broker, SESSION)
    talk.append([Message("human", {"content": "x"})])
    [entry] = talk.read()
    young = conversation(broker, SESSION, max_age=timedelta(milliseconds=1_000))
    broker.cluster.sleep(entry.timestamp_ms + 1_000 - broker.timestamp_ms)
    assert len(young.last(1)) == len(young.read()) == 1
    broker.cluster.sleep(1)
    assert len(young.last(1)) == len(young.read()) == 0


def test_a_marker_removes_whatever_its_own_time() -> None:
    broker = FakeBroker()
    broker.cluster.create(SESSION)
    for kind, timestamp_ms in (("human", 100), ("remove", 50)):
        value = b'{"type": "%s", "data": {"content": "", "id": "a"}}' % kind.encode()
        broker.cluster.inject(SESSION, value, timestamp_ms=timestamp_ms)
    assert places(conversation(broker, SESSION).since(at(80))) == []
