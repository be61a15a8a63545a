"""The async face never holds up its event loop for more than 5 ms, however much it is asked for."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable

import pytest
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.conversation import async_conversation, computing
from kchat.core import Message
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from tests.io.watchdog import BLOCKED_SECONDS_MAX, blocked

MESSAGES = 5_000
BULK = 1_000
LARGE = {"rows": [[number, str(number)] for number in range(20_000)]}
"""Some 300 KB of small values: many microseconds each, if they were looked at on the loop."""


def new_session() -> str:
    return f"blocking-{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def session(embedded_log: KafkaLog) -> str:
    """A long conversation."""
    name = new_session()
    talk = embedded_log.conversation(name)
    for begin in range(0, MESSAGES, BULK):
        talk.append([Message("human", {"content": f"message {n}"}) for n in range(begin, begin + BULK)], 60.0)
    return name


def reads(log: KafkaLog, session: str) -> dict[str, Callable[[], Awaitable[int]]]:
    """Every way to read much, and how many messages it gave."""
    talk = async_conversation(log, session)

    def history(*, replay: bool) -> KafkaChatMessageHistory:
        return KafkaChatMessageHistory(session, "unused:9092", log=log, replay=replay)

    async def whole() -> int:
        return len((await talk.read()).messages)

    async def last() -> int:
        return len(await talk.last(MESSAGES))

    async def window() -> int:
        return len(await talk.window(10**9, lambda messages: sum(len(m.text) for m in messages)))

    async def cursor() -> int:
        return len(await talk.cursor(uuid.uuid4().hex).read(MESSAGES))

    async def follow() -> int:
        return len([entry async for entry in talk.follow(messages_max=MESSAGES)])

    async def replay() -> int:
        kept = history(replay=True)
        await kept.aget_messages()
        return len(await kept.aget_messages())

    async def beginning() -> int:
        return len(await history(replay=False).amessages_from_beginning(None, 60.0))

    async def stream() -> int:
        return len([message async for message in history(replay=True).astream_messages()])

    async def paged() -> int:
        return len(await history(replay=True).amessages_last(MESSAGES))

    return {f.__name__: f for f in (whole, last, window, cursor, follow, replay, beginning, stream, paged)}


WAYS = ("whole", "last", "window", "cursor", "follow", "replay", "beginning", "stream", "paged")


@pytest.mark.parametrize("way", WAYS)
def test_a_long_read_does_not_hold_up_the_loop(embedded_log: KafkaLog, session: str, way: str) -> None:
    counts = []

    async def read() -> None:
        counts.append(await reads(embedded_log, session)[way]())

    seen = blocked(read)
    assert set(counts) == {MESSAGES}
    assert seen.longest_seconds < BLOCKED_SECONDS_MAX, seen.culprit


@pytest.mark.parametrize("kind", ["bulk", "large"])
@pytest.mark.parametrize("face", ["conversation", "history"])
def test_a_large_append_does_not_hold_up_the_loop(embedded_log: KafkaLog, kind: str, face: str) -> None:
    name = new_session()
    messages: list[Message] = [Message("human", {"content": f"message {n}"}) for n in range(BULK)]
    chat: list[BaseMessage] = [HumanMessage(m.text) for m in messages]
    if kind == "large":
        messages = [Message("human", {"content": "", "additional_kwargs": LARGE})]
        chat = [HumanMessage("", additional_kwargs=LARGE)]

    async def append() -> None:
        if face == "conversation":
            assert len(await async_conversation(embedded_log, name).append(messages, 60.0)) == len(messages)
        else:
            history = KafkaChatMessageHistory(name, "unused:9092", log=embedded_log)
            await history.aadd_messages(chat, 60.0)

    seen = blocked(append)
    assert seen.longest_seconds < BLOCKED_SECONDS_MAX, seen.culprit
    assert len(embedded_log.conversation(name).read()) % len(messages) == 0


def test_what_is_small_takes_no_other_thread(embedded_log: KafkaLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a small call went to another thread")

    monkeypatch.setattr(computing, "aside", refuse)

    async def main() -> int:
        talk = async_conversation(embedded_log, new_session())
        await talk.append([Message("human", {"content": "x"}), Message("ai", {"content": "y"})])
        return len(await talk.read()) + len(await talk.cursor("c").read(10))

    assert asyncio.run(main()) == 4


def test_the_watchdog_sees_what_holds_up_a_loop() -> None:
    async def compute() -> None:
        until = time.thread_time() + 2 * BLOCKED_SECONDS_MAX
        while time.thread_time() < until:
            pass

    seen = blocked(compute, tries=1)
    assert seen.longest_seconds >= 2 * BLOCKED_SECONDS_MAX


@pytest.mark.parametrize(
    ("messages", "large"),
    [
        ([], False),
        (7, False),
        ("text", False),
        ([Message("human", {"content": "x"})] * computing.MESSAGES_MAX, False),
        ([Message("human", {"content": "x"})] * (computing.MESSAGES_MAX + 1), True),
        ([Message("human", {"content": "x" * computing.BYTES_MAX})], False),
        ([Message("human", {"content": "x" * (computing.BYTES_MAX + 1)})], True),
        ([HumanMessage("", additional_kwargs=LARGE)], True),
        ([HumanMessage("hello")], False),
    ],
)
def test_what_takes_long_to_encode_is_known_before(messages: object, large: bool) -> None:
    assert computing.are_large(messages) is large
