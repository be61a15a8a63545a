"""Many histories in one process, a few of them in use: which clients, threads and connections it takes.

`histories_in_use BOOTSTRAP PREFIX COUNT FEW USED`: of `COUNT` histories `FEW` are used at first, then `USED`.
"""

import asyncio
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka.admin import AdminClient
from langchain_core.messages import BaseMessage

from bench.children.telling import tell
from bench.conversation import conversation
from bench.measuring import NotDoneError
from kchat.io import clients
from kchat.io.clients import READERS_MAX
from kchat.langchain import KafkaChatMessageHistory

REQUESTS = 16
"""Requests at the same time: more than there are readers."""

TURN = conversation(2)
WARM_SECONDS_MAX = 10.0
SETTLE_SECONDS = 0.2
DELETE_SECONDS_MAX = 30.0
KINDS = ("Producer", "AdminClient", "Consumer")


def main() -> None:
    """Measure, and tell."""
    bootstrap, prefix, *numbers = sys.argv[1:]
    count, few, used = map(int, numbers)
    made = counting_clients()
    sessions = [f"{prefix}_{number}" for number in range(count)]
    histories = [KafkaChatMessageHistory(session, bootstrap, replay=True) for session in sessions]
    figures: dict[str, Any] = {"rest": _counted(made)}
    missing = _use(histories[:few])
    _read_with_all(histories[:few], made)
    figures["few"] = _counted(made)
    missing += _use(histories[few:used])
    figures["missing"] = missing
    figures["used"] = _counted(made)
    asyncio.run(_use_async(histories[:used]))
    figures["async"] = _counted(made)
    _read_cursors([KafkaChatMessageHistory(session, bootstrap) for session in sessions[:used]])
    figures["cursors"] = _counted(made)
    figures["names"] = _thread_names()
    _delete(bootstrap, sessions[:used])
    tell(figures)


def counting_clients() -> Counter[str]:
    """Count the clients that kchat makes from now on; consumers by their group, so by their kind."""
    made: Counter[str] = Counter()

    def counted(kind: str, make: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
        def counting(properties: dict[str, Any]) -> Any:
            made[kind if kind != "Consumer" else _consumer_kind(properties["group.id"])] += 1
            return make(properties)

        return counting

    for kind in KINDS:
        setattr(clients, kind, counted(kind, getattr(clients, kind)))
    return made


def _consumer_kind(group: str) -> str:
    return group if group in {"kchat-reader", "kchat-tail"} else "cursor"


def _counted(made: Counter[str]) -> dict[str, int]:
    time.sleep(SETTLE_SECONDS)
    connections = psutil.Process().net_connections(kind="tcp")
    return {
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "python_threads": threading.active_count(),
        "connections": sum(each.status == psutil.CONN_ESTABLISHED for each in connections),
        "producers": made["Producer"],
        "admins": made["AdminClient"],
        "readers": made["kchat-reader"],
        "cursors": made["cursor"],
    }


def _thread_names() -> dict[str, int]:
    tasks = Path("/proc/self/task").iterdir()
    return dict(Counter((task / "comm").read_text().strip() for task in tasks))


def _use(histories: Sequence[KafkaChatMessageHistory]) -> int:
    """A request for each: it appends and reads. The threads are the server's, and end.

    Returns:
        How many acknowledged messages no read returned.
    """
    with ThreadPoolExecutor(REQUESTS, "request") as pool:
        return sum(pool.map(_request, histories))


def _request(history: KafkaChatMessageHistory) -> int:
    history.add_messages(TURN)
    return len(TURN) - len(history.messages)


def _read_with_all(histories: Sequence[KafkaChatMessageHistory], made: Counter[str]) -> None:
    """Read until as many readers were made as there may be: else their number would be an accident."""
    end = time.monotonic() + WARM_SECONDS_MAX
    with ThreadPoolExecutor(REQUESTS, "request") as pool:
        while made["kchat-reader"] < READERS_MAX and time.monotonic() < end:
            for _ in pool.map(_read, histories):
                pass


async def _use_async(histories: Sequence[KafkaChatMessageHistory]) -> None:
    async def request(history: KafkaChatMessageHistory) -> None:
        await history.aadd_messages(TURN)
        _check(await history.aget_messages())

    await asyncio.gather(*map(request, histories))


def _read_cursors(histories: Sequence[KafkaChatMessageHistory]) -> None:
    """The same sessions, each from its place."""
    with ThreadPoolExecutor(REQUESTS, "request") as pool:
        for _ in pool.map(_read, histories):
            pass


def _read(history: KafkaChatMessageHistory) -> None:
    _check(history.messages)


def _check(found: Sequence[BaseMessage]) -> None:
    if not found:
        raise NotDoneError("nothing was read")


def _delete(bootstrap: str, topics: list[str]) -> None:
    """What comes after this shall not have a broker with hundreds of topics more."""
    admin = AdminClient({"bootstrap.servers": bootstrap})  # kept: without it nobody answers its futures
    for future in admin.delete_topics(topics).values():
        future.result(DELETE_SECONDS_MAX)


if __name__ == "__main__":
    main()
