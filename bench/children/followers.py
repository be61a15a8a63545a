"""Many coroutines of one process that each follow a session of its own: threads, sockets, idle time, arrival.

`followers BOOTSTRAP PREFIX COUNT SECONDS ARRIVALS`
"""

import asyncio
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka.admin import AdminClient

from bench.children.telling import tell
from bench.contenders.topics import create_topics
from bench.measuring import NotDoneError
from kchat.core import Message
from kchat.io import AsyncKafkaLog

STAND_SECONDS_MAX = 60.0
"""How long it may take until every follower has its first message."""

SETTLE_SECONDS = 3
"""New connections are at rest after that, and so is a broker with a thousand new topics."""

ARRIVE_SECONDS_MAX = 10.0
ADMIN_SECONDS_MAX = 60.0
AT_ONCE_MAX = 64
"""First messages that are appended at the same time."""


def main() -> None:
    """Measure, and tell."""
    bootstrap, prefix, *numbers = sys.argv[1:]
    count, seconds, arrivals = map(int, numbers)
    sessions = [f"{prefix}_{number}" for number in range(count)]
    # A partition each, as a session needs: an arrival is what is measured, not the creation of topics.
    # A broker that is busy with others knows of them only some time after it has said that they are made.
    create_topics(bootstrap, sessions, partitions=1)
    before = _held()
    figures = asyncio.run(_followed(bootstrap, sessions, seconds, arrivals))
    admin = AdminClient({"bootstrap.servers": bootstrap})
    for deleted in admin.delete_topics(sessions).values():
        deleted.result(ADMIN_SECONDS_MAX)
    tell({**figures, "before": before})


def _held() -> dict[str, int]:
    """Threads and sockets of this process."""
    connections = psutil.Process().net_connections(kind="tcp")
    return {
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "sockets": sum(each.status == psutil.CONN_ESTABLISHED for each in connections),
        "files": len(os.listdir("/proc/self/fd")),
    }


async def _followed(bootstrap: str, sessions: list[str], seconds: int, arrivals: int) -> dict[str, Any]:
    heard: dict[str, asyncio.Queue[tuple[str, float]]] = {each: asyncio.Queue() for each in sessions}
    async with AsyncKafkaLog({"bootstrap.servers": bootstrap}) as log:

        async def follow(session: str) -> None:
            async for entry in log.conversation(session).follow():
                heard[session].put_nowait((entry.message.text, time.perf_counter()))

        async def append(session: str, text: str, seconds_max: float = ARRIVE_SECONDS_MAX) -> None:
            await log.conversation(session).append([Message("human", {"content": text})], seconds_max)

        gate = asyncio.Semaphore(AT_ONCE_MAX)

        async def begin(session: str) -> None:
            async with gate:
                await append(session, "first", STAND_SECONDS_MAX)  # behind all followers' first reads

        following = [asyncio.create_task(follow(each)) for each in sessions]
        await asyncio.gather(*map(begin, sessions))
        async with asyncio.timeout(STAND_SECONDS_MAX):
            for session in sessions:
                await heard[session].get()
        await asyncio.sleep(min(seconds, SETTLE_SECONDS))
        begun, used = time.perf_counter(), time.process_time()
        await asyncio.sleep(seconds)
        share = (time.process_time() - used) / (time.perf_counter() - begun)
        held = _held()
        taken = []
        for number in range(arrivals):
            session = random.choice(sessions)  # noqa: S311 - which one is no secret
            called = time.perf_counter()
            await append(session, f"news {number}")
            async with asyncio.timeout(ARRIVE_SECONDS_MAX):
                text, at = await heard[session].get()
            if text != f"news {number}":
                raise NotDoneError("another message came than the one that was appended")
            taken.append(at - called)
        for each in following:
            each.cancel()
        await asyncio.gather(*following, return_exceptions=True)
    return {"held": held, "share": share, "arrivals": taken}


if __name__ == "__main__":
    main()
