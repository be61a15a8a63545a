"""A broker that dies, hangs and comes back: every call ends within its limit plus a second, and says why."""

import asyncio
import threading
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
from langchain_core.messages import HumanMessage

from kchat.core import AppendRefused, AppendUnknown, KchatError, ReadFailed, TopicNotChanged
from kchat.core.budget import STALL_MS_MAX_DEFAULT
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers import Missing, choose_jars_here
from tests.brokers.installation import installed
from tests.brokers.jars import JarsKafka
from tests.brokers.properties import RESTARTING

pytestmark = pytest.mark.kafka

HANGING_SECONDS = 7.5
"""Longer than a replay waits for an answer, so that a second one has begun when the broker goes on."""

BACK_SECONDS_MAX = 3.0
"""How long it may take until a broker that was fenced serves its clients again: 0.1 to 1.3 s (measured)."""

WOKEN_SECONDS = 30.0
"""The limit of what must succeed once the broker is back, on a machine with much other work, too."""


@pytest.fixture(scope="module")
def broker() -> Iterator[JarsKafka]:
    """A broker of this module's own: it is killed here."""
    choice = choose_jars_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with JarsKafka(installed(choice.java), extra=RESTARTING) as broker:
        yield broker


@pytest.fixture
def history(broker: JarsKafka) -> Iterator[KafkaChatMessageHistory]:
    """A history that has been used: its clients are warm when the broker goes."""
    with KafkaChatMessageHistory(f"fail-{uuid.uuid4().hex}", broker.bootstrap) as history:
        history.add_user_message("before")
        assert [message.content for message in history.messages] == ["before"]
        yield history


def failing_within(seconds: float, call: Callable[[], object]) -> KchatError:
    """The error of a call, which must end within its limit plus one second."""
    begun = time.monotonic()
    with pytest.raises(KchatError) as failed:
        call()
    took = time.monotonic() - begun
    assert took < seconds + 1, f"took {took:.1f} s: {failed.value}"
    return failed.value


def _outcome(call: Callable[[], int]) -> int | KchatError:
    try:
        return call()
    except ReadFailed as failed:
        return failed


def test_calls_to_nobody_end_in_time_and_name_servers_and_cause() -> None:
    with KafkaChatMessageHistory("nobody", "127.0.0.1:1") as history:
        refused = failing_within(1.0, lambda: history.add_messages([HumanMessage("x")], 1.0))
        failed = failing_within(1.0, lambda: history.messages_from_beginning(5, 1.0))
    assert isinstance(refused, AppendRefused), "nothing was sent: that is certain"
    assert isinstance(failed, ReadFailed)
    for error in (refused, failed):
        assert "127.0.0.1:1" in str(error)
        assert "refused" in str(error)
        assert error.session == "nobody"


def test_replay_and_documented_defaults_end_by_themselves_too() -> None:
    with KafkaChatMessageHistory("nobody", "127.0.0.1:1", replay=True) as history:
        assert isinstance(failing_within(5.0, lambda: history.messages), ReadFailed)


def test_a_hanging_broker_makes_an_append_unknown_and_resending_stores_it_once(
    broker: JarsKafka, history: KafkaChatMessageHistory
) -> None:
    broker.pause()
    try:
        unknown = failing_within(2.0, lambda: history.add_messages([HumanMessage("during")], 2.0))
        assert isinstance(failing_within(2.0, lambda: history.messages_from_beginning(5, 2.0)), ReadFailed)
    finally:
        broker.resume()
    assert isinstance(unknown, AppendUnknown)
    history.resend(unknown, WOKEN_SECONDS)
    history.add_messages([HumanMessage("after")], WOKEN_SECONDS)
    everything = history.messages_from_beginning(None, None)
    assert [message.content for message in everything] == ["before", "during", "after"]


def test_replays_of_a_hanging_broker_give_up_in_time_and_succeed_once_it_is_back(
    broker: JarsKafka, history: KafkaChatMessageHistory
) -> None:
    """Its first replays fail, and their consumers with them; the next ones are under way when it wakes."""
    session, servers = history.session_id, broker.bootstrap
    outcomes: list[tuple[float, float, int | KchatError]] = []
    over = threading.Event()
    started = threading.Barrier(3)

    async def replay_async(replaying: KafkaChatMessageHistory) -> int:
        return len(await replaying.aget_messages())

    def replay(replaying: KafkaChatMessageHistory) -> int:
        return len(replaying.messages)

    def replay_again_and_again(call: Callable[[KafkaChatMessageHistory], int]) -> None:
        with KafkaChatMessageHistory(session, servers, replay=True) as replaying:
            call(replaying)
            started.wait()
            while not over.wait(0.01):
                begun, outcome = time.monotonic(), _outcome(lambda: call(replaying))
                outcomes.append((begun, time.monotonic(), outcome))

    calls = [replay, lambda replaying: asyncio.run(replay_async(replaying))]
    threads = [threading.Thread(target=replay_again_and_again, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    started.wait()
    broker.pause()
    try:
        time.sleep(HANGING_SECONDS)
    finally:
        back = time.monotonic()
        broker.resume()
        time.sleep(BACK_SECONDS_MAX)
        over.set()
        for thread in threads:
            thread.join()
    failed = [(begun, end) for begun, end, outcome in outcomes if isinstance(outcome, KchatError)]
    assert len(failed) >= len(threads), "the broker did not hang for long enough"
    assert all(end - begun < STALL_MS_MAX_DEFAULT / 1000 + 1 for begun, end in failed)
    assert all(end < back for _, end in failed), "a replay failed although the broker was back"
    slow = [end - back for begun, end, _ in outcomes if begun < back < end]
    assert all(seconds < BACK_SECONDS_MAX for seconds in slow), f"{slow} s after the broker was back"


def test_a_dead_broker_ends_every_call_in_time_and_all_goes_on_after_its_restart(
    broker: JarsKafka, history: KafkaChatMessageHistory
) -> None:
    broker.kill()
    try:
        add = failing_within(2.0, lambda: history.add_messages([HumanMessage("x")], 2.0))
        read = failing_within(2.0, lambda: history.messages_from_last_consumed(5, 2.0))
        clear = failing_within(10.0, history.clear)
    finally:
        broker.restart()
    assert isinstance(add, AppendUnknown)
    assert isinstance(read, ReadFailed)
    assert isinstance(clear, TopicNotChanged)
    assert all("refused" in str(error) for error in (add, read, clear))
    history.add_messages([HumanMessage("after")], 20.0)
    contents = [message.content for message in history.messages_from_beginning(None, 20.0)]
    assert contents in (["before", "after"], ["before", "x", "after"])


def test_a_broker_that_restarts_under_a_waiting_read_does_not_end_it(
    broker: JarsKafka, history: KafkaChatMessageHistory
) -> None:
    def restart_and_write() -> None:
        broker.kill()
        broker.restart()
        with KafkaChatMessageHistory(history.session_id, broker.bootstrap) as writer:
            writer.add_messages([HumanMessage("after the restart")], 20.0)

    restarting = threading.Thread(target=restart_and_write)
    restarting.start()
    arrived = history.messages_from_latest(1, 30.0)
    restarting.join()
    assert [message.content for message in arrived] == ["after the restart"]


def test_a_neighbours_withdrawal_does_not_lose_or_double_what_others_append(broker: JarsKafka) -> None:
    """One session's append times out while the broker hangs; the others on the same producer sit it out."""
    histories = [KafkaChatMessageHistory(f"crowd-{uuid.uuid4().hex}", broker.bootstrap) for _ in range(6)]
    for history in histories:
        history.add_user_message("before")
    broker.pause()
    errors: list[KchatError] = []

    def add(history: KafkaChatMessageHistory, seconds: float) -> None:
        try:
            history.add_messages([HumanMessage("1"), HumanMessage("2")], seconds)
        except AppendUnknown as unknown:
            errors.append(unknown)

    impatient = threading.Thread(target=add, args=(histories[0], 0.5))
    patient = [threading.Thread(target=add, args=(history, 20.0)) for history in histories[1:]]
    for thread in [*patient, impatient]:
        thread.start()
    impatient.join()
    broker.resume()
    for thread in patient:
        thread.join()
    assert len(errors) == 1
    assert errors[0].session == histories[0].session_id
    for history in histories[1:]:
        contents = [message.content for message in history.messages_from_beginning(None, None)]
        assert contents == ["before", "1", "2"]
    for history in histories:
        history.close()
