"""Performs the commands of an append on the shared producer."""

import time
from collections.abc import Callable
from functools import partial

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from kchat.core import (
    Acknowledged,
    AwaitReports,
    BrokerError,
    DescribeTopic,
    ErrorKind,
    NewRecord,
    Produce,
    Report,
    Withdraw,
)
from kchat.io.clients import Client, Clients, SharedProducer
from kchat.io.failing import FailedError
from kchat.io.proofs import Place, place_of
from kchat.io.reads import described
from kchat.io.reports import Reports
from kchat.io.translate import broker_error, kafka_error
from kchat.io.waking import Sleeper

FLUSH_SLICE_SECONDS = 0.02
"""flush() waits for the records of all calls; ours may be reported while another session's is stuck."""

SHARED_SLICE_SECONDS = 0.002
"""The same while other calls are on the producer, too: their reports are not ours to wait for."""

LOOK_SECONDS = 0.05
"""How often a task looks by itself that waits for another call's record, or for room in the queue."""

QUEUE_FULL = BrokerError(ErrorKind.WITHDRAWN, "_QUEUE_FULL", "the producer's queue is full")

UNSENT = BrokerError(ErrorKind.REJECTED, "_TIMED_OUT_QUEUE", "it was not sent within the limit")

INFERRED = BrokerError(ErrorKind.WITHDRAWN, "_NO_OFFSET", "the client infers that it is stored")
"""What the client calls an acknowledgement without an offset: see `proofs`. It may be stored, or not."""


class BlocksError(Exception):
    """This has to be done on a thread: nothing was sent, and an event loop must not wait for it."""


class Appends:
    """One call's records on the producer: joined when first needed, left when the call is over.

    Either by methods that block, or by `begin`, `wait` and `take_back`, which an event loop calls and awaits.
    """

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._blocks = True
        self._producer: SharedProducer | None = None
        self._reports = Reports(0)
        self._command: Produce | None = None
        self._sent = 0
        self._proving: tuple[Place, int] | None = None  # a record that goes alone
        self._died: Callable[[KafkaError], object] | None = (
            None  # called by a thread while reports are awaited
        )

    def close(self) -> None:
        """Leave the producer. What is still without a report is withdrawn: nothing may surface later."""
        if self._producer is None:
            return
        if self._died is not None:
            self._producer.polling.leave(self._died)  # whoever awaited them is gone, with its event loop
        if not self._reports.complete:
            self.withdraw(Withdraw(timeout_ms=1))
        self._is_proving(self._producer)
        self._end_proof(self._producer)
        self._clients.leave_producer(self._producer)
        self._producer = None

    def producer(self) -> SharedProducer:
        """The producer of this call; a retired one is exchanged for the next."""
        if self._producer is not None and self._producer.retired:
            self._clients.leave_producer(self._producer)
            self._producer = None
        if self._producer is None:
            self._producer = self._clients.join_producer()
        return self._producer

    @property
    def client(self) -> Client[Producer] | None:
        """The producer's client, if this call has one: to ask it what is wrong."""
        return None if self._producer is None else self._producer.client

    def describe(self, command: DescribeTopic) -> tuple[int, ...]:
        """The topic's partitions, from the producer's own metadata, which warms it for the append."""
        handle = self.producer().client.handle
        return described(handle.list_topics(command.topic, command.timeout_ms / 1000), command.topic)

    def produce(self, command: Produce) -> tuple[Report | None, ...]:
        """Hand the records to the client and wait for their reports."""
        end = time.monotonic() + command.timeout_ms / 1000
        producer = self.producer()
        self._warm(producer, command.topic, command.timeout_ms / 1000)
        self._expect(producer, command, None)
        self._send(producer, end)
        return self._flush(producer, end)

    def await_reports(self, command: AwaitReports) -> tuple[Report | None, ...]:
        """Wait on."""
        return self._flush(self._held(), time.monotonic() + command.timeout_ms / 1000)

    def withdraw(self, command: Withdraw) -> tuple[Report | None, ...]:
        """Purge the producer and retire it.

        A purge takes the records of other calls along; those know it by their reports and send them again on
        the next producer.
        """
        self.take_back()
        return self._flush(self._held(), time.monotonic() + command.timeout_ms / 1000)

    def begin(self, command: Produce, wake: Callable[[], object]) -> None:
        """Hand over at once what may be sent; `wake` is called, from any thread, when it is worth going on.

        Raises:
            BlocksError: the producer is not warm, or it does not know the topic. Nothing was sent.
        """
        if self._producer is not None and self._producer.retired:
            self._clients.leave_producer(self._producer)
            self._producer = None
        if self._producer is None:
            self._producer = self._clients.warm_producer()
        if self._producer is None or not self._producer.warm:
            raise BlocksError
        self._expect(self._producer, command, wake)
        self._send(self._producer, 0.0)

    async def wait(self, sleeper: Sleeper, seconds: float) -> tuple[Report | None, ...]:
        """Wait for the reports, so long at most, and send what may follow them. Raises as `begin` does."""
        producer, end = self._held(), time.monotonic() + seconds
        died = self._died = partial(self._dead, producer)
        producer.polling.join(died)
        try:
            while not self._reports.complete and (left := end - time.monotonic()) > 0:
                if self._proving is not None:
                    producer.proofs.extend(self._proving[0], left)
                waits_for_reports = self._sent == len(self._reports) or not self._reports.idle
                await sleeper.sleep(left if waits_for_reports else min(left, LOOK_SECONDS))
                self._send(producer, 0.0)
        finally:
            producer.polling.leave(died)
            self._died = None
        self._is_proving(producer)
        return self._reports.as_tuple()

    def send_no_more(self) -> None:
        """Let nothing follow what is on its way, even where a record that goes alone arrives now."""
        self._reports.set_rest(self._sent, UNSENT)
        self._sent = self._reports.handed

    def take_back(self) -> None:
        """Purge and retire the producer, without waiting for the reports that follow from it."""
        producer = self._held()
        self.send_no_more()
        if self._reports.complete:
            return  # nothing is on its way: another call's record went alone for all of the time, say
        self._clients.retire_producer(producer)
        producer.client.handle.purge(in_queue=True, in_flight=True, blocking=False)

    def _expect(self, producer: SharedProducer, command: Produce, wake: Callable[[], object] | None) -> None:
        """Begin an attempt: no record of it is sent yet."""
        self._end_proof(producer)  # of an earlier attempt
        self._blocks = wake is None
        self._command, self._sent = command, 0
        self._reports = Reports(len(command.records), wake)

    def _held(self) -> SharedProducer:
        if self._producer is None:
            raise AssertionError("nothing was produced")
        return self._producer

    def _warm(self, producer: SharedProducer, topic: str, timeout_seconds: float) -> None:
        """Asking for metadata twice wakes a new handle's producer-id request, which else waits 505 ms."""
        if not producer.warm:
            producer.client.handle.list_topics(topic, timeout_seconds)
            producer.client.handle.list_topics(topic, timeout_seconds)
            producer.warm = True

    def _send(self, producer: SharedProducer, end: float) -> None:
        """Hand over what may follow what is on its way. The first record to a new place goes alone."""
        command = self._command
        while not self._is_proving(producer) and command is not None and self._sent < len(command.records):
            place = place_of(command, self._sent)
            if not producer.proofs.holds(place):
                if not producer.proofs.begin(place, command.timeout_ms / 1000, self._reports.wake):
                    return  # another call's goes alone just now
                self._proving = (place, self._sent)
            if not self._hand_over(producer, command, end):
                return

    def _is_proving(self, producer: SharedProducer) -> bool:
        """Whether the record that goes alone is on its way; if it is not, what follows from its report."""
        if self._proving is None:
            return False
        place, index = self._proving
        report = self._reports[index]
        if report is None:
            return True
        self._proving = None
        if isinstance(report, Acknowledged):
            producer.proofs.add(place)
        else:
            # The rest stays unsent: a later record must not be stored without the earlier one.
            self._reports.set_rest(self._sent, report)
            self._sent = self._reports.handed
        producer.proofs.end(place)
        return False

    def _end_proof(self, producer: SharedProducer) -> None:
        """Let another call's record go alone: this one's has no report, and none is waited for."""
        proving, self._proving = self._proving, None
        if proving is not None:
            producer.proofs.end(proving[0])

    def _hand_over(self, producer: SharedProducer, command: Produce, end: float) -> bool:
        """Hand over the next record; False where it has to wait for room."""
        index = self._sent
        self._sent = self._reports.handed = index + 1
        error = self._enqueue(producer, command, index, end)
        if error is QUEUE_FULL and not self._blocks:
            self._end_proof(producer)
            self._sent = self._reports.handed = index
            return False
        if error is not None and error.code == "_FATAL" and index == 0:
            self._end_proof(producer)
            self._reports, self._command = Reports(0), None
            raise FailedError(self._cause_of_death(producer))
        if error is not None and error.kind is ErrorKind.UNKNOWN_TOPIC and index == 0:
            producer.proofs.drop(command.topic)
            if not self._blocks:
                self._end_proof(producer)
                self._sent = self._reports.handed = 0
                raise BlocksError
            error = self._enqueue_if_back(producer, command, error, end)
        if error is not None:
            # The rest stays unsent: a later record must not be stored without the earlier one.
            self._reports.set_rest(index, error)
            self._sent = self._reports.handed
        return True

    def _enqueue(
        self, producer: SharedProducer, command: Produce, index: int, end: float
    ) -> BrokerError | None:
        record: NewRecord = command.records[index]
        while True:
            try:
                producer.client.handle.produce(
                    command.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    partition=-1 if command.partition is None else command.partition,
                    on_delivery=partial(_report, self._reports, index),
                )
            except BufferError:
                pass  # the queue is full: wait until records of whatever call have left it
            except KafkaException as error:
                return broker_error(error.args[0])
            else:
                return None
            if time.monotonic() >= end:
                # Not taken yet: the machine hands over the rest again while the call has time.
                return QUEUE_FULL
            self._serve(producer, FLUSH_SLICE_SECONDS)

    def _enqueue_if_back(
        self, producer: SharedProducer, command: Produce, error: BrokerError, end: float
    ) -> BrokerError | None:
        """A handle says "unknown topic" until it is told otherwise, and for a moment after that."""
        try:
            described(
                producer.client.handle.list_topics(command.topic, end - time.monotonic()), command.topic
            )
        except (KafkaException, FailedError):
            return error
        found: BrokerError | None = error
        while found is not None and found.kind is ErrorKind.UNKNOWN_TOPIC and time.monotonic() < end:
            time.sleep(FLUSH_SLICE_SECONDS / 10)
            found = self._enqueue(producer, command, 0, end)
        return found

    def _flush(self, producer: SharedProducer, end: float) -> tuple[Report | None, ...]:
        """Wait until all of this call's reports are there, the time is over, or the producer is dead.

        One call serves the producer for all. 200 threads that flushed side by side kept both cores busy with
        it, and were late by seconds (measured).
        """
        while not self._reports.complete and (left := end - time.monotonic()) > 0:
            self._send(producer, end)
            if self._reports.idle and not self._reports.complete:
                self._reports.wait(min(left, SHARED_SLICE_SECONDS))  # another call's record goes alone
                continue
            if self._proving is not None:
                producer.proofs.extend(self._proving[0], FLUSH_SLICE_SECONDS)
            slice_seconds = min(left, SHARED_SLICE_SECONDS if producer.users > 1 else FLUSH_SLICE_SECONDS)
            if producer.serving.begin(self._reports, slice_seconds):
                try:
                    self._serve(producer, slice_seconds)
                finally:
                    producer.serving.end()
            else:
                self._serve(producer, 0)  # sends at once what lingers
                self._reports.wait(min(left, FLUSH_SLICE_SECONDS))
                producer.serving.leave(self._reports)
        self._is_proving(producer)
        return self._reports.as_tuple()

    def _serve(self, producer: SharedProducer, timeout_seconds: float) -> None:
        try:
            producer.client.handle.flush(timeout_seconds)
        except (KafkaException, SystemError) as exception:
            error = kafka_error(exception)
            if error is None:
                raise
            self._dead(producer, error)

    def _cause_of_death(self, producer: SharedProducer) -> BrokerError:
        """Why a dead client takes nothing, which it tells once, to whoever is first.

        What one was refused that served calls before may be allowed by now: then the next one is asked.
        """
        self._clients.retire_producer(producer)
        error = None
        try:
            producer.client.handle.flush(0)
        except (KafkaException, SystemError) as exception:
            error = kafka_error(exception)
            if error is None:
                raise
        if error is not None and not producer.served and broker_error(error).kind is ErrorKind.DENIED:
            return broker_error(error)
        return BrokerError(ErrorKind.TRANSIENT, "_FATAL", "the producer had died; the next one is asked")

    def _dead(self, producer: SharedProducer, error: KafkaError) -> None:
        """A fatal error: this handle will never send again. Calls to come get a new one."""
        self._clients.retire_producer(producer)
        fatal = broker_error(error)
        certain = fatal.kind is ErrorKind.DENIED
        for index, report in enumerate(self._reports.as_tuple()):
            purged = isinstance(report, BrokerError) and report.kind is ErrorKind.WITHDRAWN
            if report is None or purged:
                # Denied means that the producer never got its id, without which nothing is sent.
                unexpected = BrokerError(ErrorKind.UNEXPECTED, fatal.code, fatal.reason)
                self._reports.set(index, fatal if certain else unexpected)


def _report(reports: Reports, index: int, error: KafkaError | None, message: Message) -> None:
    """A delivery report. Of a failed one only the error counts: it may carry an offset all the same."""
    offset = message.offset()
    if error is not None:
        reports.set(index, broker_error(error))
    elif offset is None or offset < 0:
        reports.set(index, INFERRED)
    else:
        reports.set(index, Acknowledged(message.partition() or 0, offset))
