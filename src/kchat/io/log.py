"""`KafkaLog`: the core's machines on a real Kafka, sync and async, for any number of sessions and threads."""

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Lock
from types import ModuleType, TracebackType, UnionType
from typing import Any, NoReturn, Self, TypeVar

from attrs import evolve

from kchat.conversation import Conversation, conversation
from kchat.conversation.making import SETTINGS_DEFAULT
from kchat.conversation.remembering import RemovalsRemembered
from kchat.core import (
    AppendOutcome,
    AppendRequest,
    Closed,
    Command,
    Event,
    Message,
    OnCorrupt,
    ProvisionOutcome,
    ProvisionRequest,
    ReadOutcome,
    ReadRequest,
    Sealed,
    TopicSettings,
    WatchRequest,
    appending,
    provisioning,
    reading,
    run,
)
from kchat.io.aio_calls import AsyncCalls
from kchat.io.capabilities import APACHE_KAFKA, Capabilities
from kchat.io.clients import Clients
from kchat.io.config import Config
from kchat.io.forks import forget_in_child, never_free
from kchat.io.known import KnownTopics
from kchat.io.performing import Call, now_ms
from kchat.io.watching import Watcher

J = TypeVar("J")
M = TypeVar("M")
T = TypeVar("T")


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
        sealed = Sealed(config)
        del config
        self._config = Config.of(sealed)
        if not isinstance(capabilities, Capabilities):
            raise TypeError(f"capabilities are Capabilities, not {type(capabilities).__name__}")
        self._capabilities = capabilities
        self._closed = False
        self._open()
        forget_in_child(self)

    def __repr__(self) -> str:
        if not hasattr(self, "_closed"):
            return "<KafkaLog>"  # as a traceback out of its construction shows it
        return f"<KafkaLog {self._config.servers}{', closed' if self._closed else ''}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a KafkaLog cannot be pickled or copied: it has connections and passwords; build one per process"
        )

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
        """The largest record that the producer takes, in bytes as `NewRecord.size_bytes_max` counts."""
        return self._config.record_bytes_max

    @property
    def removals_known(self) -> RemovalsRemembered:
        """What reads of this log found out about removals, shared by all of its conversations."""
        return self._removals_known

    @property
    def now_ms(self) -> int:
        """A monotonic clock, in milliseconds."""
        return now_ms()

    @property
    def timestamp_ms(self) -> int:
        """The time of day, in milliseconds since 1970-01-01 UTC."""
        return time.time_ns() // 1_000_000

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """Run the reading machine.

        Raises:
            Closed: the log was closed before.
            InvalidConfig: the Kafka client does not take a property.
        """
        return self.read_for(request, _as_it_is)

    def read_for(self, request: ReadRequest[M], receive: Callable[[ReadOutcome[M]], T]) -> T:
        """Run the reading machine, and give what `receive` makes of its outcome.

        Ctrl-C inside `receive` still moves the cursor back: nobody got the messages. Raises as `read` does.
        """

        def received(outcome: ReadOutcome[M]) -> T:
            self._known.learn_read(request.topic, outcome, request.partition)
            return receive(outcome)

        return self._run(reading, self._expecting(request), received)

    def append(self, request: AppendRequest) -> AppendOutcome:
        """Run the appending machine. Raises as `read` does."""
        outcome: AppendOutcome = self._run(appending, self._trusting(request), _as_it_is)
        self._known.learn_append(request.topic, outcome)
        return outcome

    def provision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """Run the provisioning machine. Raises as `read` does."""
        _check_type(request, ProvisionRequest)
        outcome: ProvisionOutcome = self._run(provisioning, request, _as_it_is)
        self._known.learn_provision(request, outcome)
        return outcome

    async def aread(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """`read`, without blocking the event loop. A cancelled one leaves the cursor where it was."""
        return await self.aread_for(request, _as_it_is, _as_it_is)

    async def aread_for(
        self,
        request: ReadRequest[M],
        judge: Callable[[ReadOutcome[M]], J],
        receive: Callable[[J], T],
    ) -> T:
        """`read_for`, without blocking the event loop: a large outcome is judged on another thread.

        `receive` gets what `judge` made of it, on the loop; nobody got the messages before it returns.
        """

        def judged(outcome: ReadOutcome[M]) -> J:
            self._known.learn_read(request.topic, outcome, request.partition)
            return judge(outcome)

        return await self._async.run(reading, self._expecting(request), judged, receive, waits=request.follow)

    async def aappend(self, request: AppendRequest) -> AppendOutcome:
        """`append`, without blocking the event loop. A cancelled one withdraws what is not acknowledged."""
        outcome = await self._async.append(self._trusting(request))
        self._known.learn_append(request.topic, outcome)
        return outcome

    async def aprovision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """`provision`, without blocking the event loop."""
        _check_type(request, ProvisionRequest)
        outcome: ProvisionOutcome = await self._async.run(provisioning, request, _as_it_is, _as_it_is)
        self._known.learn_provision(request, outcome)
        return outcome

    def watch(self, request: WatchRequest) -> bool:
        """Wait until there may be something to read at a position; all watches share one consumer.

        Raises `Closed` as soon as the log is closed.
        """
        _check_type(request, WatchRequest)
        return self._watcher.watch(request)

    async def awatch(self, request: WatchRequest) -> bool:
        """`watch`, without blocking the event loop, and without a thread for each."""
        _check_type(request, WatchRequest)
        return await self._watcher.awatch(request)

    def conversation(
        self,
        session_id: str,
        *,
        settings: TopicSettings | None = SETTINGS_DEFAULT,
        on_corrupt: OnCorrupt = OnCorrupt.RAISE,
        max_age: timedelta | None = None,
    ) -> Conversation[Message]:
        """One session, by blocking calls: `kchat.conversation.conversation` says more."""
        return conversation(self, session_id, settings=settings, on_corrupt=on_corrupt, max_age=max_age)

    def close(self) -> None:
        """End the clients and the threads. Reads under way end with `Closed`, appends as they would.

        A second close does nothing, or what Ctrl-C kept the first one from.
        """
        with self._lock:
            self._closed = True
        self._async.close()
        self._watcher.close()
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
        for inherited in (self._clients, self._watcher):
            never_free(inherited)
        self._async.never_free()
        self._open()

    def _open(self) -> None:
        self._lock = Lock()
        self._clients = Clients(self._config)
        self._watcher = Watcher(self._clients)
        self._known = KnownTopics()
        self._removals_known = RemovalsRemembered()
        self._async = AsyncCalls(self._call, self._check_going_on)

    def _expecting(self, request: ReadRequest[M]) -> ReadRequest[M]:
        _check_type(request, ReadRequest)
        expected = request.topic_expected or request.topic in self._known
        # About a topic that is not there a client would ask until the time is over.
        partitions = self._known.partitions(request.topic) or (
            request.partitions_expected if expected else ()
        )
        if partitions and request.partition is not None:
            partitions = (request.partition,)
        return evolve(request, topic_expected=expected, partitions_expected=partitions)

    def _trusting(self, request: AppendRequest) -> AppendRequest:
        _check_type(request, AppendRequest)
        known = request.topic_known or request.topic in self._known
        return evolve(request, topic_known=known, record_bytes_max=self.record_bytes_max)

    def _call(self, machine: ModuleType) -> Call:
        self._check_open()
        return Call(self._clients, self._capabilities, appending=machine is not reading)

    def _check_going_on(self, machine: ModuleType, request: Any) -> None:
        """A read ends when the log is closed; an append goes on to its own end, for it may be stored."""
        if machine is not appending:
            self._check_open()
        if machine is reading and request.ending is not None and request.ending.over:
            raise Closed("the reader was closed", next_step="make a new one")

    def _check_open(self) -> None:
        if self._closed:
            raise Closed("the log was closed", next_step="open a new one")

    def _run(self, machine: ModuleType, request: Any, receive: Callable[[Any], T]) -> T:
        call = self._call(machine)

        def perform(command: Command) -> Event:
            self._check_going_on(machine, request)
            return call.perform(command)

        # From the return below to the caller's own code Python looks for no signal: what is returned arrives.
        ended = False
        try:
            outcome = run(machine, machine.start(request, now_ms()), perform)
            ended = True
            call.close()
            return receive(outcome)
        except BaseException as error:
            if ended and isinstance(error, Exception):
                call.close()  # an outcome that `receive` raises as an error: it stands
            else:
                call.abandon()
            raise


def _check_type(request: object, wanted: type | UnionType) -> None:
    if not isinstance(request, wanted):
        raise TypeError(f"a request is needed here, not {type(request).__name__}")


def _as_it_is(outcome: T) -> T:
    return outcome
