"""Several event loops on one log, each in a thread of its own: they share its consumers, and none starves."""

import asyncio
import threading
import uuid

import pytest

from kchat.conversation.making import async_conversation
from kchat.core import KchatError, Message
from kchat.io import KafkaLog

LOOPS = 8
READS = 20
"""More than the threads and consumers of one loop, so that some wait in each."""


@pytest.mark.kafka
def test_reads_in_several_loops_at_once_do_not_starve_each_other(kafka_log: KafkaLog) -> None:
    session = f"loops-{uuid.uuid4().hex}"
    kafka_log.conversation(session).append([Message("human", {"content": "hello"})])
    lengths: list[int] = []
    errors: list[KchatError] = []

    async def read_one() -> None:
        try:
            lengths.append(len(await async_conversation(kafka_log, session).read()))
        except KchatError as error:
            errors.append(error)

    async def read_all() -> None:
        await asyncio.gather(*(read_one() for _ in range(READS)))

    threads = [threading.Thread(target=asyncio.run, args=(read_all(),)) for _ in range(LOOPS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert lengths == [1] * (LOOPS * READS)
