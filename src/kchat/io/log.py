"""`KafkaLog`: the core's machines on a real Kafka, sync and async, for any number of sessions and threads."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, Thread
from types import ModuleType, TracebackType
from typing import Any, Self, TypeVar
from weakref import WeakKeyDictionary

from attrs import evolve

from kchat.core import (
    AppendOutcome,
    AppendRequest,
    BrokerError,
    Closed,
    Command,
    ErrorKind,
    Event,
    ProvisionOutcome,
    ProvisionRequest,
    ReadOutcome,
    ReadRequest,
    RequestFailed,
    appending,
    arun,
    provisioning,
    reading,
    run,
)
from kchat.io.capabilities import APACHE_KAFKA, Capabilities
from kchat.io.clients import READERS_MAX, TAILS_MAX, Clients
from kchat.io.config import Config
from kchat.io.forks import forget_in_child, never_free
from kchat.io.known import KnownTopics
from kchat.io.performing import Call, now_ms

M = TypeVar("M")


class KafkaLog:
    """A log on a Kafka cluster. It makes its clients at first use and shares them among all calls.

    Safe to use from several threads and tasks at once. Building one does no I/O.

    Args:
        config: librdkafka's properties, `bootstrap.servers` among them
            (https://github.com/confluentinc/librdkafka/blob/master/CONFIGURATION.md). Those that would break
            a promise are refused, see `kchat.io.REFUSED`.
        capabilities: what the broker can do; the default is Apache Kafka.

    Raises:
        InvalidConfig: a property is refused, or no servers are named.
    """

    def __init__(self, config: Mapping[str, Any], *, capabilities: Capabilities = APACHE_KAFKA) -> None:
        self._config = Config.of(config)
        self._capabilities = capabilities
        self._closed = False
        self._open()
        forget_in_child(self)

    def __repr__(self) -> str:
        return f"<KafkaLog {self._config.servers}{', closed' if self._closed else ''}>"

    @property
    def servers(self) -> str:
        """The bootstrap servers."""
        return self._config.servers

    @property
    def capabilities(self) -> Capabilities:
        """What the broker can do."""
        return self._capabilities

    @property
    def record_bytes_max(self) -> int:
        """The largest record that the producer takes, in bytes as `NewRecord.size_bytes` counts."""
        return self._config.record_bytes_max

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """Run the reading machine.

        Raises:
            Closed: the log was closed before.
            InvalidConfig: the Kafka client does not take a property.
        """
        outcome: ReadOutcome[M] = self._run(reading, self._expecting(request))
        self._known.learn_read(request.topic, outcome)
        return outcome

    def append(self, request: AppendRequest) -> AppendOutcome:
        """Run the appending machine. Raises as `read` does."""
        outcome: AppendOutcome = self._run(appending, self._trusting(request))
        self._known.learn_append(request.topic, outcome)
        return outcome

    def provision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """Run the provisioning machine. Raises as `read` does."""
        outcome: ProvisionOutcome = self._run(provisioning, request)
        self._known.learn_provision(request.topic, outcome)
        return outcome

    async def aread(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """`read`, without blocking the event loop. A cancelled one leaves the cursor where it was."""
        outcome: ReadOutcome[M] = await self._arun(reading, self._expecting(request), waits=request.follow)
        self._known.learn_read(request.topic, outcome)
        return outcome

    async def aappend(self, request: AppendRequest) -> AppendOutcome:
        """`append`, without blocking the event loop. A cancelled one withdraws what is not acknowledged."""
        outcome: AppendOutcome = await self._arun(appending, self._trusting(request))
        self._known.learn_append(request.topic, outcome)
        return outcome

    async def aprovision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """`provision`, without blocking the event loop."""
        outcome: ProvisionOutcome = await self._arun(provisioning, request)
        self._known.learn_provision(request.topic, outcome)
        return outcome

    def close(self) -> None:
        """End the clients and the threads. Calls under way end with `Closed`; a second close does nothing."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            executors = [executor for executor in (self._executor, self._waiting) if executor is not None]
        for executor in executors:
            executor.shutdown(wait=False)
        self._clients.close()

    async def aclose(self) -> None:
        """`close`, without blocking the event loop."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def after_fork(self) -> None:
        """In a child process: the parent's clients are dead here, and must not be freed."""
        for inherited in (self._clients, self._executor, self._waiting):
            never_free(inherited)
        self._open()

    def _open(self) -> None:
        self._lock = Lock()
        self._clients = Clients(self._config)
        self._known = KnownTopics()
        self._executor: ThreadPoolExecutor | None = None
        self._waiting: ThreadPoolExecutor | None = None
        self._admissions: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, asyncio.Semaphore]]
        self._admissions = WeakKeyDictionary()

    def _expecting(self, request: ReadRequest[M]) -> ReadRequest[M]:
        return evolve(request, topic_expected=request.topic_expected or request.topic in self._known)

    def _trusting(self, request: AppendRequest) -> AppendRequest:
        known = request.topic_known or request.topic in self._known
        return evolve(request, topic_known=known, record_bytes_max=self.record_bytes_max)

    def _call(self, machine: ModuleType) -> Call:
        self._check_open()
        return Call(self._clients, self._capabilities, appending=machine is not reading)

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the log was closed", next_step="open a new one")

    def _run(self, machine: ModuleType, request: Any) -> Any:
        call = self._call(machine)

        def perform(command: Command) -> Event:
            self._check_open()
            return call.perform(command)

        try:
            outcome = run(machine, machine.start(request, now_ms()), perform)
        except BaseException:
            call.abandon()
            raise
        call.close()
        return outcome

    async def _arun(self, machine: ModuleType, request: Any, *, waits: bool = False) -> Any:
        """The same on a few threads: the client has no calls that an event loop could await."""
        state = machine.start(request, now_ms())
        if not isinstance(machine.pending(state), Command):
            return machine.pending(state)
        # Not more calls than consumers: one that waited for a consumer on a thread would keep the thread from
        # the calls that have one. The call's time runs while it waits to be admitted.
        limit_ms = getattr(request, "stall_ms_max", 0) if request.wait_ms_max is None else request.wait_ms_max
        admission = self._admission(waits=waits)
        try:
            await asyncio.wait_for(admission.acquire(), limit_ms / 1000)
        except TimeoutError:
            return _never_admitted(machine, state)
        try:
            return await self._arun_admitted(machine, state, waits=waits)
        finally:
            admission.release()

    async def _arun_admitted(self, machine: ModuleType, state: Any, *, waits: bool) -> Any:
        call = self._call(machine)
        executor = self._threads(waits=waits)
        loop = asyncio.get_running_loop()

        async def perform(command: Command) -> Event:
            self._check_open()
            return await loop.run_in_executor(executor, call.perform, command)

        try:
            outcome = await arun(machine, state, perform)
        except BaseException:
            # A thread may still be at the abandoned command; waiting for it is not the event loop's work.
            Thread(target=call.abandon, name="kchat-abandoned-call", daemon=True).start()
            raise
        call.close()
        return outcome

    def _admission(self, *, waits: bool) -> asyncio.Semaphore:
        """How many calls of one event loop run at once."""
        with self._lock:
            kinds = self._admissions.setdefault(asyncio.get_running_loop(), {})
            return kinds.setdefault(waits, asyncio.Semaphore(TAILS_MAX if waits else READERS_MAX))

    def _threads(self, *, waits: bool) -> ThreadPoolExecutor:
        """Reads that wait have threads of their own: they must not hold up those that end."""
        with self._lock:
            if waits:
                self._waiting = self._waiting or ThreadPoolExecutor(TAILS_MAX, "kchat-wait")
                return self._waiting
            self._executor = self._executor or ThreadPoolExecutor(READERS_MAX, "kchat")
            return self._executor


def _never_admitted(machine: ModuleType, state: Any) -> Any:
    """The outcome of a call that spent its time behind others."""
    busy = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "too many calls at once: this one had no turn")
    while isinstance(machine.pending(state), Command):
        state = machine.advance(state, RequestFailed(at_ms=now_ms() + 1, error=busy))
    return machine.pending(state)
