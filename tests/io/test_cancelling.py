"""Calls of a real Kafka, cancelled at any moment: all is as if they had not been made, or had ended."""

import asyncio
import random
import threading
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from kchat.conversation import AsyncConversation, Edge
from kchat.core import KchatError, Message
from kchat.io import AsyncKafkaLog, KafkaLog
from kchat.io.clients import READERS_MAX

ROUNDS = 60
DELAY_SECONDS_MAX = 0.004
"""The calls here take 1 to 4 ms: cancelled anywhere in them, and now and then after."""


def said(*texts: str) -> list[Message]:
    return [Message("human", {"content": text}) for text in texts]


async def cancelled_after(seconds: float, call: Awaitable[Any]) -> tuple[bool, Any]:
    """Whether it had ended by then, and with what."""
    task = asyncio.ensure_future(call)
    await asyncio.sleep(seconds)
    task.cancel()
    try:
        return True, await task
    except asyncio.CancelledError:
        return False, None
    except KchatError as error:
        return True, error


async def place(talk: AsyncConversation[Message]) -> list[str]:
    """What a new reader of the cursor's name gets."""
    return [message.text for message in (await talk.cursor("audit").read()).messages]


def clients(log: KafkaLog) -> tuple[int, ...]:
    """Consumers that are leased, and calls that hold the producer: none of either between calls."""
    pools = (log._clients.readers, log._clients.tails, log._clients.cursors)
    producer = log._clients._producer
    return (*(len(pool._alive) - len(pool._free) for pool in pools), producer.users if producer else 0)


async def given_back(log: KafkaLog) -> tuple[int, ...]:
    """The same, when what was cancelled has been undone."""
    for _ in range(200):
        if not any(clients(log)):
            break
        await asyncio.sleep(0.01)
    return clients(log)


def test_whatever_is_cancelled_at_random_moments_nothing_is_lost_or_left(kafka: str) -> None:
    chance = random.Random(uuid.uuid4().int)
    texts = [str(number) for number in range(30)]
    moves: list[Callable[[Any], Awaitable[Any]]] = [
        lambda audit: audit.seek(Edge.END),
        lambda audit: audit.seek(Edge.BEGINNING),
        lambda audit: audit.commit(),
    ]

    async def main() -> list[str]:
        async with AsyncKafkaLog({"bootstrap.servers": kafka}) as log:
            talk = log.conversation(f"cancelled-{uuid.uuid4().hex}")
            await talk.append(said(*texts))
            audit = talk.cursor("audit")
            await audit.read(5)
            await audit.commit()
            got, appended = 0, list[str]()
            reader = talk.cursor("audit")
            for number in range(ROUNDS):
                seconds = chance.random() * DELAY_SECONDS_MAX
                ended, page = await cancelled_after(seconds, reader.read(1))
                if ended and not isinstance(page, KchatError):
                    got += len(page)
                ended, _ = await cancelled_after(seconds, moves[number % 3](talk.cursor("audit")))
                if ended:
                    await audit.commit()  # it was moved: back to where the others expect it
                await cancelled_after(seconds, talk.append(said(f"new {number}")))
                appended.append(f"new {number}")
            assert await given_back(log.log) == (0, 0, 0, 0)
            whole = [message.text for message in (await talk.read()).messages]
            assert whole[: len(texts)] == texts
            new = whole[len(texts) :]
            assert new == [text for text in appended if text in new], "order, or a double"
            assert await place(talk) == whole[5:], "the cursor moved"
            rest = [message.text for message in (await reader.read(1_000)).messages]
            assert rest == whole[5 + got :], "the reader lost or repeated something"
            await talk.append(said("last"))
            assert [message.text for message in (await talk.read()).messages] == [*whole, "last"]
            return [thread.name for thread in threading.enumerate() if thread not in before]

    before = set(threading.enumerate())
    threads = asyncio.run(main())
    assert "kchat-abandoned-call" not in threads
    assert sum(thread.startswith("kchat") for thread in threads) <= READERS_MAX + 1
