"""Processes end, fork and are interrupted: what an append promised still holds, and nothing hangs."""

import asyncio
import gc
import signal
import socket
import threading
import time
import uuid
import weakref
from textwrap import dedent

import pytest
from attrs import evolve
from confluent_kafka.admin import AdminClient

from kchat.core import (
    Appended,
    AppendRequest,
    Closed,
    Complete,
    Failed,
    FromBeginning,
    FromCommitted,
    FromEnd,
    JsonDecoder,
    Message,
    NewRecord,
    ReadFailed,
    ReadRequest,
    TopicSettings,
    encode,
    place,
)
from kchat.io import EmbeddedKafka, KafkaLog
from kchat.io.clients import TAILS_MAX
from kchat.langchain import KafkaChatMessageHistory
from tests.io import children

PREAMBLE = """
import asyncio, os, signal, sys, time
from langchain_core.messages import HumanMessage
from kchat.langchain import KafkaChatMessageHistory
servers, session = sys.argv[1:3]
history = KafkaChatMessageHistory(session, servers, replay=True)
"""


def new_session() -> str:
    return f"life-{uuid.uuid4().hex}"


def request(session_id: str) -> ReadRequest[Message]:
    return ReadRequest(topic=place(session_id).topic, start=FromBeginning(), decoder=JsonDecoder())


def texts(log: KafkaLog, session_id: str) -> list[str]:
    outcome = log.read(request(session_id))
    assert isinstance(outcome, Complete)
    return [message.text for message in outcome.progress.messages]


def record(session_id: str, text: str) -> NewRecord:
    made = encode(Message("human", {"content": text}), key=place(session_id).key, message_id=uuid.uuid4().hex)
    assert isinstance(made, NewRecord)
    return made


def append(log: KafkaLog, session_id: str, text: str) -> None:
    request = AppendRequest(
        topic=place(session_id).topic, records=(record(session_id, text),), settings=TopicSettings()
    )
    assert isinstance(log.append(request), Appended)


def test_what_was_added_is_there_after_the_interpreter_exits_at_once(kafka: str, kafka_log: KafkaLog) -> None:
    session = new_session()
    child = children.run(PREAMBLE + "history.add_user_message('last words')", kafka, session)
    assert (child.returncode, child.stderr) == (0, "")
    assert texts(kafka_log, session) == ["last words"]


def test_a_forked_child_uses_fresh_clients_and_both_go_on(kafka: str, kafka_log: KafkaLog) -> None:
    code = """
    history.add_user_message("parent before")
    history.messages
    asyncio.run(history.aget_messages())
    child = os.fork()
    if child == 0:
        history.add_user_message("child")
        print(len(history.messages), len(asyncio.run(history.aget_messages())), flush=True)
        history.close()
        sys.exit(7)
    _, status = os.waitpid(child, 0)
    history.add_user_message("parent after")
    print(os.waitstatus_to_exitcode(status), len(history.messages))
    """
    session = new_session()
    child = children.run(PREAMBLE + dedent(code), kafka, session)
    assert (child.returncode, child.stdout) == (0, "2 2\n7 3\n"), child.stderr
    assert texts(kafka_log, session) == ["parent before", "child", "parent after"]


def test_a_fork_while_another_thread_is_at_work_does_not_lock_the_child(kafka: str) -> None:
    code = """
    import threading
    stop = threading.Event()
    def work():
        while not stop.is_set():
            history.add_user_message("busy"); history.messages
    thread = threading.Thread(target=work); thread.start()
    codes = []
    for _ in range(5):
        time.sleep(0.05)
        child = os.fork()
        if child == 0:
            history.add_user_message("child"); history.messages
            os._exit(0)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set(); thread.join()
    print(codes)
    """
    child = children.run(PREAMBLE + dedent(code), kafka, new_session())
    assert child.stdout == "[0, 0, 0, 0, 0]\n", child.stderr


@pytest.mark.parametrize(
    "call",
    [
        "history.messages_from_latest(5, 30.0)",
        "asyncio.run(history.amessages_from_latest(5, 30.0))",
    ],
)
def test_ctrl_c_ends_a_waiting_call_within_a_second(kafka: str, call: str) -> None:
    code = f"""
    history.add_user_message("x")
    print("waiting", flush=True)
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
    process = children.start(PREAMBLE + dedent(code), kafka, new_session())
    children.wait_for_line(process, "waiting")
    time.sleep(0.5)  # well inside the call
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    children.wait_for_line(process, "interrupted")
    assert time.monotonic() - sent < 1.0
    assert process.wait(5) == 0
    process.communicate()


def test_ctrl_c_ends_an_append_to_a_broker_that_is_not_there() -> None:
    code = """
    print("waiting", flush=True)
    try:
        history.add_messages([HumanMessage("x")], 30.0)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
    """
    process = children.start(PREAMBLE + dedent(code), "127.0.0.1:1", new_session())
    children.wait_for_line(process, "waiting")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    sent = time.monotonic()
    children.wait_for_line(process, "interrupted")
    assert time.monotonic() - sent < 1.0
    assert process.wait(10) == 0
    process.communicate()


def test_ctrl_c_at_any_moment_is_a_keyboard_interrupt_and_loses_nothing(kafka: str) -> None:
    """A signal in the middle of the client's C code comes out as it went in, and the clients stay usable."""
    code = """
    import random
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    reader = KafkaChatMessageHistory(session, servers)
    added, interrupted = [], 0
    for number in range(150):
        signal.setitimer(signal.ITIMER_REAL, random.uniform(0.0001, 0.03))
        try:
            history.add_user_message(str(number)); added.append(str(number))
            history.messages; reader.messages; reader.messages_from_latest(None, 0.02)
            signal.setitimer(signal.ITIMER_REAL, 0)
        except KeyboardInterrupt:
            interrupted += 1
    stored = [message.content for message in history.messages]
    in_order = stored == sorted(stored, key=int) and len(stored) == len(set(stored))
    print(interrupted > 50, in_order, set(added) <= set(stored))
    """
    child = children.run(PREAMBLE + dedent(code), kafka, new_session())
    assert child.stdout == "True True True\n", child.stderr


def test_a_closed_log_refuses_at_once_and_closes_twice(embedded: EmbeddedKafka) -> None:
    log = embedded.log()
    append(log, new_session(), "x")
    log.close()
    log.close()
    with pytest.raises(Closed):
        texts(log, new_session())
    with pytest.raises(Closed):
        asyncio.run(log.aread(request("s")))


def test_closing_ends_a_call_that_waits_in_another_thread(embedded: EmbeddedKafka) -> None:
    log, session = embedded.log(), new_session()
    append(log, session, "x")
    ended: list[BaseException] = []

    def wait() -> None:
        try:
            log.read(
                ReadRequest(
                    topic=place(session).topic,
                    start=FromEnd(),
                    decoder=JsonDecoder(),
                    follow=True,
                    wait_ms_max=30_000,
                )
            )
        except Closed as closed:
            ended.append(closed)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    log.close()
    waiting.join(2)
    assert not waiting.is_alive()
    assert len(ended) == 1


def test_a_log_that_is_never_closed_can_be_collected(embedded: EmbeddedKafka) -> None:
    log = embedded.log()
    append(log, new_session(), "x")
    seen = weakref.ref(log)
    del log
    gc.collect()
    assert seen() is None


def test_a_cancelled_append_leaves_nothing_to_surface_later(kafka: str) -> None:
    session = new_session()

    async def scenario() -> list[int]:
        async with KafkaLog({"bootstrap.servers": kafka}) as log:
            new = AppendRequest(
                topic=place(session).topic, records=(record(session, "x"),), settings=TopicSettings()
            )
            await log.aappend(new)
            tasks = [asyncio.create_task(log.aappend(new)) for _ in range(20)]
            await asyncio.sleep(0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.5)  # what was on its way has arrived by now
            counts = []
            for _ in range(3):
                outcome = await log.aread(request(session))
                counts.append(len(outcome.progress.deliveries) + outcome.progress.duplicates)
                await asyncio.sleep(0.3)
            return counts

    counts = asyncio.run(scenario())
    assert len(set(counts)) == 1, "a record surfaced after its append was cancelled and over"


def test_a_cancelled_read_leaves_the_cursor_before_what_nobody_received(kafka: str) -> None:
    """At every moment of it, the commit under way included."""

    async def scenario() -> int:
        lost = 0
        async with KafkaLog({"bootstrap.servers": kafka}) as log:
            cursor = "cursor-" + uuid.uuid4().hex
            for step in range(60):
                session = new_session()
                topic = place(session).topic
                for text in ("a", "b"):
                    append(log, session, text)
                next_ones = ReadRequest(
                    topic=topic, start=FromCommitted(cursor), decoder=JsonDecoder(), commit_to=cursor
                )
                task = asyncio.create_task(log.aread(next_ones))
                await asyncio.sleep(step * 0.0001)
                task.cancel()
                done, _ = await asyncio.wait({task})
                if next(iter(done)).cancelled():
                    await asyncio.sleep(0.05)  # what the abandoned call does is done by now
                    outcome = await log.aread(next_ones)
                    lost += [message.text for message in outcome.progress.messages] != ["a", "b"]
        return lost

    assert asyncio.run(scenario()) == 0


def test_a_crowd_of_async_reads_does_not_starve_itself(kafka: str) -> None:
    async def scenario() -> int:
        async with KafkaLog({"bootstrap.servers": kafka}) as log:
            session = new_session()
            append(log, session, "x")
            outcomes = await asyncio.gather(*(log.aread(request(session)) for _ in range(200)))
        return sum(isinstance(outcome, Complete) for outcome in outcomes)

    assert asyncio.run(scenario()) == 200


def test_a_crowd_of_async_calls_ends_within_the_limit_when_nobody_answers() -> None:
    async def scenario() -> float:
        listener = socket.create_server(("127.0.0.1", 0))
        servers = f"127.0.0.1:{listener.getsockname()[1]}"
        begun = time.monotonic()
        async with KafkaLog({"bootstrap.servers": servers}) as log:
            limited = evolve(request("s"), wait_ms_max=1_500)
            outcomes = await asyncio.gather(*(log.aread(limited) for _ in range(60)))
            took = time.monotonic() - begun
        assert all(isinstance(outcome, Failed) for outcome in outcomes)
        listener.close()
        return took

    assert asyncio.run(scenario()) < 2.5


def test_more_waiting_reads_than_tails_all_hear_what_comes(kafka_log: KafkaLog) -> None:
    session = new_session()
    append(kafka_log, session, "before")
    waiting = ReadRequest(
        topic=place(session).topic,
        start=FromEnd(),
        decoder=JsonDecoder(),
        follow=True,
        messages_max=1,
        wait_ms_max=20_000,
    )
    heard: list[list[str]] = []

    def listen() -> None:
        heard.append([message.text for message in kafka_log.read(waiting).progress.messages])

    threads = [threading.Thread(target=listen) for _ in range(TAILS_MAX + 8)]
    for thread in threads:
        thread.start()
    time.sleep(2)  # all of them have seen the end by now
    append(kafka_log, session, "news")
    for thread in threads:
        thread.join()
    assert heard == [["news"]] * len(threads)


def test_a_cancelled_read_does_not_hand_its_answer_to_the_next_one(kafka: str) -> None:
    session = new_session()

    async def scenario() -> None:
        async with KafkaLog({"bootstrap.servers": kafka}) as log:
            for text in ("a", "b", "c"):
                append(log, session, text)
            for _ in range(30):
                task = asyncio.create_task(log.aread(request(session)))
                await asyncio.sleep(0.0005)
                task.cancel()
                outcome = await log.aread(request(session))
                assert [m.text for m in outcome.progress.messages] == ["a", "b", "c"]

    asyncio.run(scenario())


def test_a_client_that_got_no_answer_is_freed_with_its_threads() -> None:
    """It keeps what is being handled when it fails: asked in an `except`, it would keep itself."""
    before = {id(client) for client in gc.get_objects() if isinstance(client, AdminClient)}
    with KafkaChatMessageHistory("s", "127.0.0.1:1") as history, pytest.raises(ReadFailed):
        history.messages_from_last_consumed(1, 0.5)
    gc.collect()
    left = [client for client in gc.get_objects() if isinstance(client, AdminClient)]
    assert {id(client) for client in left} <= before
