"""`FakeBroker`: a log in memory for unit tests, and for proofs that draw faults."""

import asyncio
import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar, assert_never

from attrs import evolve

from kchat.conversation.remembering import RemovalsRemembered
from kchat.core import (
    RECORD_BYTES_MAX,
    AppendOutcome,
    AppendRequest,
    BrokerError,
    Closed,
    Command,
    CommitOffsets,
    CommittedOffset,
    ErrorKind,
    Event,
    Fetched,
    OffsetsListed,
    Produce,
    Produced,
    ProvisionOutcome,
    ProvisionRequest,
    ReadOutcome,
    ReadRequest,
    Report,
    RequestFailed,
    WatchRequest,
    Watermarks,
    appending,
    arun,
    provisioning,
    reading,
    run,
)
from kchat.core.checks import shown
from kchat.testing import faults
from kchat.testing.cluster import FakeCluster
from kchat.testing.faults import Fault, FaultPlan

M = TypeVar("M")

NOT_MODELLED = (
    "group membership and rebalances: a group is free, or it has a live member",
    "replication: leaders, in-sync replicas, elections, followers that lag",
    "transactions: their markers and aborted records are gaps",
    "compression and segments: retention drops single records, the oldest first, as soon as they are too old",
    "which partition a record without a key gets: the shortest here, the client's choice there",
    "what a client remembers: one that saw a topic vanish may refuse a command to the next one of its name",
    "the client's own codes: `_UNKNOWN_TOPIC` where it did not ask the broker, `_AUTO_OFFSET_RESET`",
    "records that come before an error: a fetch from several positions of which one is out of range fails",
    "security, quotas and access lists: draw `Refuse` for their errors",
    "timestamps set by the writer, and those that a broker rejects",
)
"""What this broker does not do. A test that needs one of these needs a real Kafka."""

WATCH_STEP_MS = 10
"""How much virtual time a watch takes for each turn that it gives to other tasks."""

COMMANDS_MAX = 10_000
"""A call that needs more commands than this does not end by itself: it is stopped with an AssertionError."""


class FakeBroker:
    """A `kchat.core.Log` in memory: whatever takes one runs on it unchanged, without Kafka or waiting.

    Args:
        plan: faults for the commands to come, one each, None for no fault (see `kchat.testing.faults`).
        latency_ms: virtual milliseconds that each command takes.
        max_message_bytes: topic setting `max.message.bytes`; the default is Kafka's.

    Attributes:
        cluster: the topics, groups and the clock; a test may do to them what another program would.
        plan: the faults that are still to come; append to it at any time.
        commands: what was performed, in order.
    """

    def __init__(
        self, plan: FaultPlan = (), *, latency_ms: int = 1, max_message_bytes: int = 1_048_588
    ) -> None:
        for name, value in (("latency_ms", latency_ms), ("max_message_bytes", max_message_bytes)):
            if type(value) is not int or value < 0:
                raise ValueError(f"{name} must be a whole number from 0 on, not {shown(value)}")
        self.cluster: FakeCluster = FakeCluster(max_message_bytes=max_message_bytes)
        self.plan: list[Fault | None] = list(plan)
        for fault in self.plan:
            if not isinstance(fault, Fault | None):
                raise ValueError(f"a plan has faults of kchat.testing, and None, not {shown(fault)}")
        self.latency_ms = latency_ms
        self.commands: list[Command] = []
        self._removals_known = RemovalsRemembered()
        self._closed = False
        # One call at a time: calls of several threads are in some order, as their records are in a log.
        self._lock = threading.RLock()

    @property
    def record_bytes_max(self) -> int:
        """As with a client that has default settings."""
        return RECORD_BYTES_MAX

    @property
    def removals_known(self) -> RemovalsRemembered:
        """What reads of this client found out about removals."""
        return self._removals_known

    @property
    def now_ms(self) -> int:
        """The virtual clock."""
        return self._now_ms

    @property
    def timestamp_ms(self) -> int:
        """The virtual time of day: records written now carry it."""
        return self.cluster.timestamp_ms

    def read(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """Run the reading machine."""
        with self._lock:
            outcome: ReadOutcome[M] = run(reading, reading.start(request, self._now_ms), self._bounded())
        return outcome

    def append(self, request: AppendRequest) -> AppendOutcome:
        """Run the appending machine."""
        request = evolve(request, record_bytes_max=self.record_bytes_max)
        with self._lock:
            outcome: AppendOutcome = run(appending, appending.start(request, self._now_ms), self._bounded())
        return outcome

    def provision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """Run the provisioning machine."""
        with self._lock:
            state = provisioning.start(request, self._now_ms)
            outcome: ProvisionOutcome = run(provisioning, state, self._bounded())
        return outcome

    async def aread(self, request: ReadRequest[M]) -> ReadOutcome[M]:
        """`read`; other tasks run before and after each command, and a cancellation comes there."""
        outcome: ReadOutcome[M] = await self._arun(reading, reading.start(request, self._now_ms))
        return outcome

    async def aappend(self, request: AppendRequest) -> AppendOutcome:
        """`append`; other tasks run before and after each command, and a cancellation comes there."""
        request = evolve(request, record_bytes_max=self.record_bytes_max)
        outcome: AppendOutcome = await self._arun(appending, appending.start(request, self._now_ms))
        return outcome

    async def aprovision(self, request: ProvisionRequest) -> ProvisionOutcome:
        """`provision`; other tasks run before and after each command, and a cancellation comes there."""
        outcome: ProvisionOutcome = await self._arun(provisioning, provisioning.start(request, self._now_ms))
        return outcome

    def watch(self, request: WatchRequest) -> bool:
        """Let virtual time pass until there is something to read, or the topic is not what it was."""
        end_ms = self._now_ms + request.wait_ms_max
        with self._lock:
            while not self._has_news(request) and self._now_ms < end_ms:
                self.cluster.sleep_until_something_is_due(end_ms)
            return self._has_news(request)

    async def awatch(self, request: WatchRequest) -> bool:
        """`watch`, in between of which other tasks run: what they append is seen."""
        end_ms = self._now_ms + request.wait_ms_max
        while True:
            with self._lock:  # another thread may be writing, and time may pass in it
                left_ms = end_ms - self._now_ms
                news = self._has_news(request)
                if news or left_ms <= 0:
                    return news
                self.cluster.sleep(min(WATCH_STEP_MS, left_ms))
            await asyncio.sleep(0)

    def close(self) -> None:
        """Refuse further calls. What is stored stays: open another broker's face on it with `reopened`."""
        self._closed = True

    def reopened(self) -> "FakeBroker":
        """A new client of the same cluster, as another process would have."""
        other = FakeBroker(latency_ms=self.latency_ms)
        other.cluster, other._lock = self.cluster, self._lock
        return other

    def perform(self, command: Command) -> Event:
        """Answer one command, with the next fault of the plan if there is one."""
        self.commands.append(command)
        self.cluster.sleep(command.backoff_ms + self.latency_ms)
        fault = self.plan.pop(0) if self.plan else None
        return self.cluster.perform(command) if fault is None else self._faulty(command, fault)

    async def _arun(self, machine: ModuleType, state: Any) -> Any:
        perform = self._bounded()
        reports: tuple[Report | None, ...] = ()
        moved: CommitOffsets | None = None
        stood: dict[int, CommittedOffset] | None = None

        async def performed(command: Command) -> Event:
            nonlocal reports, moved, stood
            await asyncio.sleep(0)
            with self._lock:
                _ = self._now_ms  # refuses where it was closed meanwhile
                if isinstance(command, CommitOffsets) and moved is None:
                    moved, stood = command, self.cluster.committed.get((command.group, command.topic))
                    stood = None if stood is None else dict(stood)
                # Other calls produce in between: what is reported is this call's own.
                self.cluster.reports = reports
                event = perform(command)
                reports = self.cluster.reports
            await asyncio.sleep(0)
            return event

        try:
            return await arun(machine, state, performed)
        except asyncio.CancelledError:
            if moved is not None:
                self._move_back(moved, stood)
            raise

    def _move_back(self, moved: CommitOffsets, stood: dict[int, CommittedOffset] | None) -> None:
        """Nobody got the messages of a read that was cancelled: its cursor stands where it stood."""
        with self._lock:
            if stood is None:
                self.cluster.committed.pop((moved.group, moved.topic), None)
            else:
                self.cluster.committed[moved.group, moved.topic] = stood

    @property
    def _now_ms(self) -> int:
        if self._closed:
            raise Closed("this fake broker was closed", next_step="make a new one, or `reopened()`")
        return self.cluster.now_ms

    def _has_news(self, request: WatchRequest) -> bool:
        ended = request.ending is not None and request.ending.over
        return ended or self.cluster.has_news(request)

    def _bounded(self) -> Callable[[Command], Event]:
        """`perform` for one call, which must not need more than COMMANDS_MAX commands."""
        performed = 0

        def perform(command: Command) -> Event:
            nonlocal performed
            performed += 1
            if performed > COMMANDS_MAX:
                raise AssertionError(f"the call does not end: {COMMANDS_MAX} commands, the last {command}")
            return self.perform(command)

        return perform

    def _faulty(self, command: Command, fault: Fault) -> Event:
        match fault:
            case faults.Delay(delay_ms=delay_ms):
                event = self.cluster.perform(command)
                self.cluster.sleep(delay_ms)
                return evolve(event, at_ms=self.cluster.now_ms)
            case faults.NoAnswer():
                return self._timed_out(command)
            case faults.LostAnswer():
                event = self.cluster.perform(command)
                return self._unreported(event) if isinstance(event, Produced) else self._timed_out(command)
            case faults.Refuse(kind=kind, code=code):
                error = BrokerError(kind, code, "drawn by a fault plan")
                return RequestFailed(at_ms=self.cluster.now_ms, error=error)
            case faults.ShortFetch(records_max=records_max):
                return self._short(command, records_max)
            case faults.FalseLow():
                return self._false_low(self.cluster.perform(command))
            case faults.PartlyStored(stored=stored):
                return self._partly(command, stored, None)
            case faults.TakenAlong(stored=stored):
                return self._partly(command, stored, BrokerError(ErrorKind.WITHDRAWN, "_PURGE_QUEUE"))
            case _:
                self._outside(command, fault)
                return self.cluster.perform(command)

    def _timed_out(self, command: Command) -> Event:
        self.cluster.sleep(command.timeout_ms)
        error = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "drawn by a fault plan")
        return RequestFailed(at_ms=self.cluster.now_ms, error=error)

    def _unreported(self, event: Produced) -> Event:
        self.cluster.reports = tuple(None for _ in event.reports)
        return evolve(event, reports=self.cluster.reports)

    def _short(self, command: Command, records_max: int) -> Event:
        event = self.cluster.perform(command)
        if not isinstance(event, Fetched):
            return event
        return evolve(event, records=event.records[:records_max], positions=())

    def _false_low(self, event: Event) -> Event:
        if not isinstance(event, OffsetsListed):
            return event
        false = tuple(Watermarks(w.partition, w.high, w.high) for w in event.watermarks)
        return evolve(event, watermarks=false)

    def _partly(self, command: Command, stored: int, report: BrokerError | None) -> Event:
        if not isinstance(command, Produce):
            return self.cluster.perform(command)
        kept = command.records[:stored]
        if kept:
            self.cluster.perform(evolve(command, records=kept))
        self.cluster.reports = (report,) * len(command.records)
        return Produced(at_ms=self.cluster.now_ms, reports=self.cluster.reports)

    def _outside(
        self,
        command: Command,
        fault: faults.Foreign | faults.Expire | faults.Gap | faults.Remove | faults.Recreate,
    ) -> None:
        """Something that another program or the cluster itself does just before the command."""
        name = getattr(command, "topic", "")
        topic = self.cluster.topics.get(name)
        if topic is None:
            return
        match fault:
            case faults.Foreign(records=records):
                for _ in range(records):
                    self.cluster.inject(name, b'{"type": "human", "data": {"content": "foreign"}}')
            case faults.Expire(records=records):
                for partition in topic.partitions:
                    partition.remove_before(partition.low + records)
            case faults.Gap(offsets=offsets):
                for partition in topic.partitions:
                    partition.skip(offsets)
            case faults.Remove():
                self.cluster.delete(name)
            case faults.Recreate():
                self.cluster.delete(name)
                self.cluster.create(name, partitions=len(topic.partitions))
            case _:
                assert_never(fault)
