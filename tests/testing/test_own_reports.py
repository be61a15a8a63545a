"""What an async append of the fake broker is told is its own, whatever other appends do meanwhile."""

import asyncio

from kchat.conversation import async_conversation
from kchat.core import AppendUnknown, Message
from kchat.testing import FakeBroker, LostAnswer


def test_an_append_that_had_no_report_is_not_told_of_anothers() -> None:
    broker = FakeBroker()
    talk = async_conversation(broker, "talk")

    async def said(*texts: str) -> int:
        return len(await talk.append([Message("human", {"content": text}) for text in texts]))

    async def main() -> tuple[object, int]:
        await said("first")
        # Both look for the topic, then both produce: the first one's records are stored, and not reported.
        broker.plan = [None, None, LostAnswer()]
        unreported, reported = await asyncio.gather(said("a", "b"), said("c"), return_exceptions=True)
        assert isinstance(reported, int)
        return unreported, reported

    unreported, reported = asyncio.run(main())
    assert isinstance(unreported, AppendUnknown)
    assert reported == 1
    assert len(broker.cluster.topics["talk"].partitions[0].records) == 4
