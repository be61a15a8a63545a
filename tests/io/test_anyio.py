"""Under anyio on asyncio, and in asyncio's own scopes: reads, followers and appends are cancelled as ever."""

import asyncio
import threading
import uuid

import anyio
import pytest

from kchat.conversation import AsyncConversation, async_conversation
from kchat.core import Message
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory


def said(*texts: str) -> list[Message]:
    return [Message("human", {"content": text}) for text in texts]


def name() -> str:
    return f"anyio-{uuid.uuid4().hex}"


async def texts_of(talk: AsyncConversation[Message]) -> list[str]:
    return [message.text for message in (await talk.read()).messages]


def test_a_follower_ends_with_its_scope_and_leaves_nothing(embedded_log: KafkaLog) -> None:
    async def main() -> tuple[list[str], bool]:
        talk, heard = async_conversation(embedded_log, name()), list[str]()
        await talk.append(said("one", "two"))
        with anyio.move_on_after(1.0) as scope:
            async for entry in talk.follow():
                heard.append(entry.message.text)
        return heard, scope.cancelled_caught

    assert anyio.run(main) == (["one", "two"], True)
    assert all(not place.waiting for place in embedded_log._watcher._places.values())


def test_a_task_group_appends_reads_and_follows_at_once(embedded_log: KafkaLog) -> None:
    async def main() -> tuple[list[str], list[str]]:
        talk, heard = async_conversation(embedded_log, name()), list[str]()
        await talk.append(said("first"))

        async def follow() -> None:
            async for entry in talk.follow(messages_max=21):
                heard.append(entry.message.text)

        async def append(text: str) -> None:
            await talk.append(said(text))
            assert text in await texts_of(talk)

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(follow)
                for number in range(20):
                    group.start_soon(append, str(number))
        return heard, await texts_of(talk)

    heard, whole = anyio.run(main)
    assert heard == whole
    assert sorted(whole) == sorted(["first", *map(str, range(20))])


def test_a_read_that_a_scope_ends_leaves_the_cursor(embedded_log: KafkaLog) -> None:
    async def main() -> list[str]:
        talk = async_conversation(embedded_log, name())
        await talk.append(said("one", "two", "three"))
        audit = talk.cursor("audit")
        await audit.read(1)
        await audit.commit()
        for number in range(10):
            with anyio.move_on_after(0.0005 * number):
                await talk.cursor("audit").read(1)

        async def wait() -> None:
            other = talk.cursor("other")
            with anyio.fail_after(0.5):
                await other.read(9)
                await other.read(9, wait_seconds=30.0)

        with pytest.raises(TimeoutError):
            await wait()
        return [message.text for message in (await talk.cursor("audit").read()).messages]

    assert anyio.run(main) == ["two", "three"]


def test_an_append_whose_task_group_fails_is_over_when_the_group_is(embedded_log: KafkaLog) -> None:
    async def main() -> tuple[list[str], list[str]]:
        talk = async_conversation(embedded_log, name())
        await talk.append(said("first"))

        async def fail() -> None:
            await anyio.sleep(0.002)
            raise RuntimeError("of the caller")

        async def append_and_fail() -> None:
            async with anyio.create_task_group() as group:
                for number in range(50):
                    group.start_soon(talk.append, said(str(number)))
                group.start_soon(fail)

        with pytest.raises(ExceptionGroup):
            await append_and_fail()
        before = await texts_of(talk)
        await talk.append(said("last"))
        return before, await texts_of(talk)

    before, after = anyio.run(main)
    assert after == [*before, "last"], "what was cancelled surfaced later"


def test_a_history_works_in_a_shielded_scope_and_in_asyncio_timeout(embedded_log: KafkaLog) -> None:
    history = KafkaChatMessageHistory(name(), "unused:9092", log=embedded_log)

    async def main() -> list[str]:
        with anyio.CancelScope() as outer:
            with anyio.CancelScope(shield=True):
                outer.cancel()
                await history.aadd_user_message("kept")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await history.amessages_from_latest(1, 30.0)
        return [str(m.content) for m in await history.amessages_from_beginning(None, 20.0)]

    threads = threading.active_count()
    assert anyio.run(main) == ["kept"]
    assert threading.active_count() <= threads + 4
