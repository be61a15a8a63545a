"""What programs do to a history besides calling it: they end, fork, share it among threads, forget it.

Each function is the whole life of a child process (see `nursery`). It prints what it knows as JSON, last the
report: which messages of which session were acknowledged, and what went wrong.
"""

import asyncio
import atexit
import concurrent.futures
import gc
import json
import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from langchain_core.messages import HumanMessage

from kchat.core import Closed
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory

THREADS = 8
SETTLE_SECONDS_MAX = 10.0


def tell(what: object) -> None:
    """Print past all buffers: a child may end without flushing them."""
    os.write(1, json.dumps(what).encode() + b"\n")


def report(session: str, *texts: str, wrong: tuple[str, ...] = ()) -> None:
    tell({"acknowledged": {session: list(texts)}, "wrong": list(wrong)})


def opened(servers: str, session: str, **more: Any) -> KafkaChatMessageHistory:
    return KafkaChatMessageHistory(session, servers, partition=1, **more)


def texts(history: KafkaChatMessageHistory) -> list[str]:
    return [str(message.content) for message in history.messages_from_beginning(None, 20.0)]


# Ends


def returns(servers: str, session: str) -> None:
    opened(servers, session).add_user_message("a")
    report(session, "a")


def returns_from_a_loop(servers: str, session: str) -> None:
    asyncio.run(opened(servers, session).aadd_messages([HumanMessage("a"), HumanMessage("b")]))
    report(session, "a", "b")


def is_gone_at_once(servers: str, session: str) -> None:
    opened(servers, session).add_user_message("a")
    report(session, "a")
    os._exit(0)


def exits_in_a_thread(servers: str, session: str) -> None:
    history = opened(servers, session)

    def add() -> None:
        history.add_user_message("a")
        report(session, "a")
        sys.exit(3)

    threading.Thread(target=add).start()


def dies_of_an_error(servers: str, session: str) -> None:
    opened(servers, session).add_user_message("a")
    report(session, "a")
    raise RuntimeError("as planned")


def exits(servers: str, session: str) -> None:
    opened(servers, session).add_user_message("a")
    report(session, "a")
    sys.exit(5)


def appends_at_exit(servers: str, session: str) -> None:
    history = opened(servers, session)

    def last_words() -> None:
        history.add_user_message("b")
        report(session, "a", "b")

    atexit.register(last_words)
    history.add_user_message("a")


def ends_beside_a_daemon(servers: str, session: str) -> None:
    history = opened(servers, session)
    added: list[str] = []

    def add() -> None:
        while True:
            history.add_user_message(str(len(added)))
            added.append(str(len(added)))

    threading.Thread(target=add, daemon=True).start()
    while len(added) < 5:
        time.sleep(0.001)
    report(session, *added)


# Signals: "ready" is where they begin to come


def appends_until_signalled(servers: str, session: str) -> None:
    _until_signalled(session, opened(servers, session).add_user_message)


def appends_until_signalled_in_a_loop(servers: str, session: str) -> None:
    history, added = opened(servers, session), list[str]()

    async def add() -> None:
        await history.aadd_user_message("0")
        added.append("0")
        os.write(1, b"ready\n")
        while True:
            await history.aadd_user_message(str(len(added)))
            added.append(str(len(added)))

    try:
        asyncio.run(add())
    finally:
        report(session, *added)


def _until_signalled(session: str, add: Callable[[str], None]) -> None:
    added: list[str] = []
    try:
        add("0")
        added.append("0")
        os.write(1, b"ready\n")
        while True:
            add(str(len(added)))
            added.append(str(len(added)))
    finally:
        report(session, *added)


def appends_until_terminated(servers: str, session: str) -> None:
    """SIGTERM ends a Python program at once: what is known has to be told before."""
    history, count = opened(servers, session), 0
    history.add_user_message("0")
    os.write(1, b"ready\n")
    while True:
        count += 1
        history.add_user_message(str(count))
        report(session, *map(str, range(count + 1)))


def reads_until_signalled(servers: str, session: str) -> None:
    history, given = opened(servers, session), list[Any]()
    try:
        os.write(1, b"ready\n")
        while True:
            given.append(history.messages_from_last_consumed(3))
    finally:
        tell({"given": [str(message.content) for messages in given for message in messages]})


def reads_until_signalled_in_a_loop(servers: str, session: str) -> None:
    history, given = opened(servers, session), list[Any]()

    async def read() -> None:
        os.write(1, b"ready\n")
        while True:
            given.append(await history.amessages_from_last_consumed(3))

    try:
        asyncio.run(read())
    finally:
        tell({"given": [str(message.content) for messages in given for message in messages]})


# Forks


def forks(servers: str, session: str) -> None:
    """With everything warm: producer, reader, cursor, event loop threads; both go on."""
    history = opened(servers, session)
    history.add_user_message("before")
    _ = history.messages
    asyncio.run(history.aadd_user_message("loop before"))
    wrong: list[str] = []
    leaving: tuple[Callable[[int], object], ...] = (os._exit, sys.exit)
    for number, leave in enumerate(leaving):
        child = os.fork()
        if child == 0:
            history.add_user_message(f"child {number}")
            asyncio.run(history.aadd_user_message(f"loop of child {number}"))
            if len(texts(history)) != 4 + 3 * number:
                wrong.append(f"the child reads {texts(history)}")
            leave(9 if wrong else 7)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if code != 7:
            wrong.append(f"a forked child ended with {code}")
        history.add_user_message(f"after {number}")
    of_child = [f"{who} {n}" for n in range(2) for who in ("child", "loop of child", "after")]
    report(session, "before", "loop before", *of_child, wrong=tuple(wrong))


def _add(servers: str, session: str, text: str) -> str:
    opened(servers, session).add_user_message(text)
    return text


_inherited: list[KafkaChatMessageHistory] = []


def _add_to_inherited(text: str) -> str:
    _inherited[0].add_user_message(text)
    return text


def starts_processes(servers: str, session: str, method: str) -> None:
    history = opened(servers, session)
    history.add_user_message("before")
    context: Any = multiprocessing.get_context(method)
    children = [context.Process(target=_add, args=(servers, session, f"{n}")) for n in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(40)
    history.add_user_message("after")
    wrong = [f"a {method} child ended with {c.exitcode}" for c in children if c.exitcode != 0]
    tell({"acknowledged": {session: ["before", "after"]}, "unordered": ["0", "1"], "wrong": wrong})


def uses_a_pool(servers: str, session: str, method: str) -> None:
    history = opened(servers, session)
    history.add_user_message("before")
    _inherited.append(history)
    with multiprocessing.get_context(method).Pool(2) as pool:
        added = pool.starmap(_add, [(servers, session, str(n)) for n in range(6)])
        if method == "fork":
            added += pool.map(_add_to_inherited, map(str, range(6, 12)))
    history.add_user_message("after")
    tell({"acknowledged": {session: ["before", "after"]}, "unordered": added, "wrong": []})


def uses_a_process_pool(servers: str, session: str) -> None:
    history = opened(servers, session)
    history.add_user_message("before")
    _inherited.append(history)
    context = multiprocessing.get_context("fork")
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        added = list(pool.map(_add_to_inherited, map(str, range(6))))
    tell({"acknowledged": {session: ["before"]}, "unordered": added, "wrong": []})


# Threads, event loops, and what is forgotten


def closes_under_threads(servers: str, session: str) -> None:
    history = opened(servers, session, config={"client.id": session})
    history.add_user_message("warm")
    added: list[list[str]] = [[] for _ in range(THREADS)]
    wrong: list[str] = []

    def work(own: int) -> None:
        try:
            while True:
                text = f"{own}:{len(added[own])}"
                history.add_user_message(text)
                added[own].append(text)
                _ = history.messages
        except Closed:
            return
        except Exception as error:
            wrong.append(f"in a thread: {type(error).__name__}: {error}")

    threads = [threading.Thread(target=work, args=(own,), daemon=True) for own in range(THREADS)]
    for thread in threads:
        thread.start()
    time.sleep(0.15)
    begun = time.monotonic()
    history.close()
    for thread in threads:
        thread.join(10)
    if any(thread.is_alive() for thread in threads):
        wrong.append("a thread goes on after close")
    elif time.monotonic() - begun > 6:
        wrong.append(f"threads ended {time.monotonic() - begun:.1f} s after close")
    tell(
        {
            "acknowledged": {session: ["warm"]},
            "unordered": [text for own in added for text in own],
            "wrong": wrong,
        }
    )


def runs_many_loops(servers: str, session: str) -> None:
    history = opened(servers, session, replay=True)
    for number in range(10):
        asyncio.run(history.aadd_user_message(str(number)))
    found: list[int] = []

    def elsewhere() -> None:
        async def read() -> int:
            many = await asyncio.gather(*(history.aget_messages() for _ in range(10)))
            return min(len(one) for one in many)

        found.append(asyncio.run(read()))

    threads = [threading.Thread(target=elsewhere) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    wrong = () if found == [10] * 4 else (f"event loops in threads read {found}",)
    report(session, *map(str, range(10)), wrong=wrong)


def forgets(servers: str, session: str, count: int) -> None:
    """Logs that nobody closes, and histories that share one."""
    gc.collect()
    before = _open_things()
    for number in range(count):
        log = KafkaLog({"bootstrap.servers": servers})
        KafkaChatMessageHistory(session, servers, log=log, partition=1).add_user_message(f"log {number}")
        del log
        for _ in range(20):
            _ = KafkaChatMessageHistory(session, servers, partition=1, replay=True).messages
        if number == 0:
            gc.collect()
            before = _open_things()
    allowed = [most + ALLOWED_LEFT for most in before]
    end = time.monotonic() + SETTLE_SECONDS_MAX
    while any(now > most for now, most in zip(_open_things(), allowed, strict=True)):
        if time.monotonic() > end:
            break
        gc.collect()
        time.sleep(0.05)
    left = _open_things()
    grown = any(now > most for now, most in zip(left, allowed, strict=True))
    wrong = (f"threads and files: {before} before, {left} after {count} forgotten logs",) if grown else ()
    report(session, *[f"log {n}" for n in range(count)], wrong=wrong)


ALLOWED_LEFT = 24
"""The clients of one log, which may be ending or be at work."""


def _open_things() -> tuple[int, int]:
    """Threads and file descriptors of this process, as the system counts them."""
    try:
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:  # no Linux
        return threading.active_count(), 0
