"""The shell's loop: every command is performed once, and its answer is what the machine goes on with."""

import asyncio

from kchat.core import Command, Complete, Event, FromBeginning, JsonDecoder, ReadRequest, arun, reading, run
from kchat.testing import FakeBroker

VALUE = b'{"type": "human", "data": {"content": "x"}}'
READ = ReadRequest(topic="t", start=FromBeginning(), decoder=JsonDecoder())


def broker() -> FakeBroker:
    fake = FakeBroker()
    fake.cluster.create("t", partitions=2)
    fake.cluster.inject("t", VALUE, key=b"k")
    return fake


def test_both_faces_ask_the_same_and_end_the_same() -> None:
    plain, patient = broker(), broker()

    async def perform(command: Command) -> Event:
        await asyncio.sleep(0)
        return patient.perform(command)

    outcome = run(reading, reading.start(READ, 0), plain.perform)
    awaited = asyncio.run(arun(reading, reading.start(READ, 0), perform))
    assert isinstance(outcome, Complete)
    assert len(outcome.progress.deliveries) == 1
    assert awaited == outcome
    assert patient.commands == plain.commands


def test_other_tasks_run_while_a_command_is_performed() -> None:
    fake, ticks = broker(), 0

    async def perform(command: Command) -> Event:
        before = ticks
        while ticks == before:
            await asyncio.sleep(0)
        return fake.perform(command)

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async def both() -> object:
        ticking = asyncio.create_task(tick())
        try:
            return await asyncio.wait_for(arun(reading, reading.start(READ, 0), perform), 30)
        finally:
            ticking.cancel()

    assert isinstance(asyncio.run(both()), Complete)
    assert ticks >= len(fake.commands)
