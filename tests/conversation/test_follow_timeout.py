"""A follower whose `anext` is cancelled is over, as its documentation says; a new one goes on behind it."""

import asyncio

import pytest

from kchat.conversation import async_conversation, conversation
from kchat.core import Message
from kchat.testing import FakeBroker


def test_a_timeout_around_one_step_ends_a_follower_and_a_new_one_goes_on() -> None:
    broker = FakeBroker()
    conversation(broker, "talk").append([Message("human", {"content": "first"})])
    talk = async_conversation(broker, "talk")

    async def main() -> list[str]:
        following = talk.follow()
        last = await anext(following)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(following)
        with pytest.raises(StopAsyncIteration):
            await anext(following)
        await talk.append([Message("human", {"content": "second"})])
        onward = talk.follow(after=last.position, seconds_max=1.0)
        return [last.message.text] + [entry.message.text async for entry in onward]

    assert asyncio.run(main()) == ["first", "second"]


def test_its_own_limit_of_time_is_no_cancellation() -> None:
    broker = FakeBroker()
    conversation(broker, "talk").append([Message("human", {"content": "first"})])

    async def main() -> list[str]:
        talk = async_conversation(broker, "talk")
        return [entry.message.text async for entry in talk.follow(seconds_max=1.0)]

    assert asyncio.run(main()) == ["first"]
