"""A client as Kafka's are: what it took may be stored long after it last answered, unless withdrawn."""

from collections.abc import Callable
from itertools import accumulate

from attrs import define, field, frozen

from kchat.core import (
    Acknowledged,
    AwaitReports,
    BrokerError,
    Command,
    ErrorKind,
    Event,
    NewRecord,
    Produce,
    Produced,
    Report,
    Withdraw,
)
from kchat.testing import FakeBroker

PURGED = BrokerError(ErrorKind.WITHDRAWN, "_PURGE_QUEUE")


@frozen(kw_only=True)
class Shipment:
    """What becomes of the records of one `Produce`.

    Record `i` is stored `gaps_ms[i]` after the record before it, in order as with an idempotent producer,
    and reported `report_ms` later. After `purge_ms` a neighbour on the same client withdraws everything.
    """

    gaps_ms: tuple[int, ...]
    report_ms: int = 0
    purge_ms: int | None = None


@define
class LateClient:
    """Performs on a fake broker, but ships records as `shipments` say; once these are used up, at once."""

    broker: FakeBroker
    shipments: list[Shipment]
    _reports: list[Report | None] = field(factory=list)
    _cancel: list[Callable[[], None]] = field(factory=list)

    def perform(self, command: Command) -> Event:
        match command:
            case Produce():
                self.broker.cluster.sleep(command.backoff_ms)
                self._ship(command)
                return self._answer(command.timeout_ms)
            case AwaitReports():
                return self._answer(command.timeout_ms)
            case Withdraw():
                self._purge()
                return Produced(at_ms=self.broker.cluster.now_ms, reports=tuple(self._reports))
            case _:
                return self.broker.perform(command)

    def _answer(self, timeout_ms: int) -> Event:
        cluster = self.broker.cluster
        deadline_ms = cluster.now_ms + timeout_ms
        while None in self._reports and cluster.now_ms < deadline_ms:
            cluster.sleep(1)
        return Produced(at_ms=cluster.now_ms, reports=tuple(self._reports))

    def _ship(self, command: Produce) -> None:
        cluster = self.broker.cluster
        shipment = self.shipments.pop(0) if self.shipments else Shipment(gaps_ms=())
        gaps = (shipment.gaps_ms + (0,) * len(command.records))[: len(command.records)]
        self._reports = [None] * len(command.records)
        self._cancel = []
        for index, (record, after_ms) in enumerate(zip(command.records, accumulate(gaps), strict=True)):
            transit = _Transit(self.broker, command, record, self._reports, index)
            self._cancel.append(transit.cancel)
            cluster.at(cluster.now_ms + after_ms, transit.store)
            cluster.at(cluster.now_ms + after_ms + shipment.report_ms, transit.report)
        if shipment.purge_ms is not None:
            cluster.at(cluster.now_ms + shipment.purge_ms, self._purge)
        cluster.sleep(0)

    def _purge(self) -> None:
        for cancel in self._cancel:
            cancel()


@define
class _Transit:
    """One record on its way."""

    broker: FakeBroker
    command: Produce
    record: NewRecord
    reports: list[Report | None]
    index: int
    _answer: Report | None = None

    def store(self) -> None:
        if self.reports[self.index] is not None:
            return
        single = Produce(
            topic=self.command.topic, records=(self.record,), partition=self.command.partition, timeout_ms=1
        )
        event = self.broker.cluster.perform(single)
        assert isinstance(event, Produced)
        self._answer = event.reports[0]
        assert self._answer is None or isinstance(self._answer, Acknowledged | BrokerError)

    def report(self) -> None:
        if self.reports[self.index] is None:
            self.reports[self.index] = self._answer

    def cancel(self) -> None:
        if self.reports[self.index] is None:
            self.reports[self.index] = PURGED
