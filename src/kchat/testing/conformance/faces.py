"""The two faces of a log, so that one suite can call either."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, TypeVar

from attrs import field, frozen

from kchat.core import (
    AppendOutcome,
    AppendRequest,
    Log,
    ProvisionOutcome,
    ProvisionRequest,
    ReadOutcome,
    ReadRequest,
    WatchRequest,
)

M = TypeVar("M")

Schedule = Callable[[int, Callable[[], object]], object]
"""`schedule(after_ms, action)`: do something when so much of the log's own, virtual time has passed."""

APPEND_EVERY_MS = 20
"""While a read waits, the next append follows after so long: a few of them, and the read is waiting."""

AnyRequest = ReadRequest[Any] | AppendRequest | ProvisionRequest


class Face(Protocol):
    """One face of a log, called from the test's own thread."""

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """Read."""

    def append(self, request: AppendRequest) -> AppendOutcome:
        """Append."""

    def provision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """Ensure or remove a topic."""

    def watch(self, request: WatchRequest) -> bool:
        """Watch."""

    def watch_while(self, request: WatchRequest, append: AppendRequest) -> bool:
        """Watch, and append meanwhile."""

    def at_once(self, requests: Sequence[AnyRequest]) -> list[Any]:
        """Make all these calls at the same time; their outcomes, in the order of the requests."""

    def read_while(self, request: ReadRequest[M], appends: Sequence[AppendRequest]) -> ReadOutcome[M]:
        """Read, and until that ends make one of the appends after the other, at intervals."""


@frozen
class SyncFace:
    """The methods without a prefix; what happens at once happens in threads."""

    log: Log
    schedule: Schedule | None = None

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """`log.read`."""
        return self.log.read(request)

    def append(self, request: AppendRequest) -> AppendOutcome:
        """`log.append`."""
        return self.log.append(request)

    def provision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """`log.provision`."""
        return self.log.provision(request)

    def watch(self, request: WatchRequest) -> bool:
        """`log.watch`."""
        return self.log.watch(request)

    def watch_while(self, request: WatchRequest, append: AppendRequest) -> bool:
        """A second thread appends."""
        if self.schedule is not None:
            schedule_appends(self.schedule, self.log, [append])
            return self.watch(request)
        appending = threading.Timer(APPEND_EVERY_MS / 1000, self.append, [append])
        appending.start()
        try:
            return self.watch(request)
        finally:
            appending.join()

    def at_once(self, requests: Sequence[AnyRequest]) -> list[Any]:
        """One thread a call, and none begins before all are there."""
        ready = threading.Barrier(len(requests))

        def call(request: AnyRequest) -> object:
            ready.wait()
            match request:
                case ReadRequest():
                    return self.read(request)
                case AppendRequest():
                    return self.append(request)
                case _:
                    return self.provision(request)

        with ThreadPoolExecutor(len(requests)) as threads:
            return list(threads.map(call, requests))

    def read_while(self, request: ReadRequest[M], appends: Sequence[AppendRequest]) -> ReadOutcome[M]:
        """A second thread appends."""
        if self.schedule is not None:
            schedule_appends(self.schedule, self.log, appends)
            return self.read(request)
        ended = threading.Event()

        def append_all() -> None:
            for one in appends:
                if ended.wait(APPEND_EVERY_MS / 1000):
                    return
                self.append(one)

        with ThreadPoolExecutor(1) as threads:
            appending = threads.submit(append_all)
            try:
                outcome = self.read(request)
            finally:
                ended.set()
            appending.result()
        return outcome


@frozen
class AsyncFace:
    """The methods with an "a"; what happens at once happens in tasks of one event loop."""

    log: Log
    schedule: Schedule | None = None
    runner: asyncio.Runner = field(factory=asyncio.Runner)

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """`log.aread`."""
        return self.runner.run(self.log.aread(request))

    def append(self, request: AppendRequest) -> AppendOutcome:
        """`log.aappend`."""
        return self.runner.run(self.log.aappend(request))

    def provision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """`log.aprovision`."""
        return self.runner.run(self.log.aprovision(request))

    def watch(self, request: WatchRequest) -> bool:
        """`log.awatch`."""
        return self.runner.run(self.log.awatch(request))

    def watch_while(self, request: WatchRequest, append: AppendRequest) -> bool:
        """A second task appends."""
        if self.schedule is not None:
            schedule_appends(self.schedule, self.log, [append])
            return self.watch(request)

        async def append_soon() -> None:
            await asyncio.sleep(APPEND_EVERY_MS / 1000)
            await self.log.aappend(append)

        async def both() -> bool:
            news, _ = await asyncio.gather(self.log.awatch(request), append_soon())
            return news

        return self.runner.run(both())

    def at_once(self, requests: Sequence[AnyRequest]) -> list[Any]:
        """One task a call."""

        async def call(request: AnyRequest) -> object:
            match request:
                case ReadRequest():
                    return await self.log.aread(request)
                case AppendRequest():
                    return await self.log.aappend(request)
                case _:
                    return await self.log.aprovision(request)

        async def call_all() -> list[object]:
            return await asyncio.gather(*map(call, requests))

        return self.runner.run(call_all())

    def read_while(self, request: ReadRequest[M], appends: Sequence[AppendRequest]) -> ReadOutcome[M]:
        """A second task appends."""
        if self.schedule is not None:
            schedule_appends(self.schedule, self.log, appends)
            return self.read(request)

        async def append_all(ended: asyncio.Event) -> None:
            for one in appends:
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), APPEND_EVERY_MS / 1000)
                    return
                await self.log.aappend(one)

        async def read() -> ReadOutcome[M]:
            ended = asyncio.Event()
            appending = asyncio.create_task(append_all(ended))
            try:
                return await self.log.aread(request)
            finally:
                ended.set()
                await appending

        return self.runner.run(read())


def schedule_appends(schedule: Schedule, log: Log, appends: Sequence[AppendRequest]) -> None:
    """The same in virtual time, which passes only while the read waits."""
    for number, request in enumerate(appends, start=1):
        schedule(number * APPEND_EVERY_MS, partial(log.append, request))
