"""The core on another client: aiokafka goes on where a session's cursor stands. `perform` is all it takes."""

import asyncio
import sys
from itertools import chain

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from kchat import core


def now_ms() -> int:
    """The machines know no clock but the one in their events."""
    return int(asyncio.get_running_loop().time() * 1000)


async def perform(asked: core.Command, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> core.Event:
    """Do what the machine asks for, and say what happened and when. What fails here ends the program."""
    match asked:
        case core.DescribeTopic(topic=topic):
            [found] = await admin.describe_topics([topic])
            numbers = tuple(sorted(each["partition"] for each in found["partitions"]))
            return core.TopicDescribed(at_ms=now_ms(), partitions=numbers)
        case core.FetchCommitted(group=group):
            stored = await admin.list_consumer_group_offsets(group)
            cursor = tuple(core.CommittedOffset(at.partition, *kept) for at, kept in stored.items())
            return core.CommittedFetched(at_ms=now_ms(), committed=cursor)
        case core.ListOffsets(topic=topic, partitions=numbers):
            places = [TopicPartition(topic, number) for number in numbers]
            low, high = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
            marks = tuple(core.Watermarks(at.partition, low[at], high[at]) for at in places)
            return core.OffsetsListed(at_ms=now_ms(), watermarks=marks)
        case core.Fetch(topic=topic, positions=positions):
            places = [TopicPartition(topic, each.partition) for each in positions]
            consumer.assign(places)
            for at, each in zip(places, positions, strict=True):
                consumer.seek(at, each.offset)
            batches = await consumer.getmany(timeout_ms=asked.timeout_ms, max_records=asked.records_max)
            records = tuple(
                core.Record(r.partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
                for r in chain.from_iterable(batches.values())
            )
            stands = tuple([core.Position(at.partition, await consumer.position(at)) for at in places])
            return core.Fetched(at_ms=now_ms(), records=records, positions=stands)
        case core.CommitOffsets(topic=topic, offsets=offsets):
            await consumer.commit(
                {TopicPartition(topic, o.partition): (o.offset, o.metadata) for o in offsets}
            )
            return core.OffsetsCommitted(at_ms=now_ms())
        case _:
            raise NotImplementedError(f"this shell reads: it has no {type(asked).__name__}")


async def main(servers: str, session: str) -> None:
    """Print what has come since the session's cursor was moved last, and move it."""
    group, decoder = core.place(session).group, core.JsonDecoder()
    request = core.ReadRequest(topic=group, start=core.FromCommitted(group), commit_to=group, decoder=decoder)
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    async with AIOKafkaConsumer(
        bootstrap_servers=servers, group_id=group, enable_auto_commit=False
    ) as consumer:
        await admin.start()
        state = core.reading.start(request, now_ms())
        outcome = await core.arun(core.reading, state, lambda asked: perform(asked, consumer, admin))
        await admin.close()
    print(type(outcome).__name__, *(f"{m.type}: {m.text}" for m in outcome.progress.messages), sep="\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
