"""Performs a machine's commands: one `Call` for each call of the log, on the log's shared clients."""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from threading import Lock
from typing import assert_never

from attrs import evolve
from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from kchat.core import (
    PASSING,
    AwaitReports,
    BrokerError,
    Command,
    CommitOffsets,
    CommittedFetched,
    CommittedOffset,
    CreateTopic,
    DeleteGroup,
    DeleteRecords,
    DeleteTopic,
    DescribeTopic,
    ErrorKind,
    Event,
    Fetch,
    FetchCommitted,
    Fetched,
    FindOffsets,
    GroupDeleted,
    GroupsListed,
    ListGroups,
    ListOffsets,
    OffsetsCommitted,
    OffsetsFound,
    OffsetsListed,
    Produce,
    Produced,
    RecordsDeleted,
    Report,
    RequestFailed,
    TopicCreated,
    TopicDeleted,
    TopicDescribed,
    Withdraw,
)
from kchat.io.appends import Appends
from kchat.io.capabilities import Capabilities
from kchat.io.certificates import certificate_fault
from kchat.io.clients import Client, Clients, serve
from kchat.io.config import logger
from kchat.io.cursors import Cursors
from kchat.io.failing import FailedError
from kchat.io.groups import Groups
from kchat.io.permissions import naming_permission
from kchat.io.reads import Reads
from kchat.io.topics import Topics
from kchat.io.translate import broker_error, kafka_error

AnyClient = Client[Producer] | Client[AdminClient] | Client[Consumer]

UNDO_MS_MAX = 800
"""How long an abandoned call tries to move its cursor back, 0.8 ms where the broker is well, or waits for its
deletion, 31 ms (measured)."""

LOOK_SECONDS = 0.002
"""How long it waits before it tries again, or looks again whether the deleted topic is gone."""


def now_ms() -> int:
    """The clock of all events: monotonic, whole milliseconds."""
    return time.monotonic_ns() // 1_000_000


class Call:
    """One call: performs its commands one after the other, and gives back what it used.

    `close` may come from another thread, after an abandoned `perform`: it waits for that one to return.
    """

    def __init__(self, clients: Clients, capabilities: Capabilities, *, appending: bool) -> None:
        self._clients = clients
        self._config = clients.config
        self._capabilities = capabilities
        self._reads = Reads(clients)
        self._cursors = Cursors(clients)
        self._appends = Appends(clients)
        self._topics = Topics(clients, capabilities)
        self._groups = Groups(clients, capabilities)
        self._appending = appending
        self._lock = Lock()
        self._last: Command | None = None
        self._deleting: DeleteTopic | None = None
        self._abandoned = False
        self._began_at: str | None = None  # the cursor that this call has asked for its place
        self._stood: tuple[CommittedOffset, ...] | None = None
        self._produced: Produce | None = None

    def perform(self, command: Command) -> Event:
        """Do what the machine asks for. Errors of the broker and the client are events, not exceptions."""
        with self._lock:
            if self._abandoned:  # while the command was waiting for a thread
                return RequestFailed(at_ms=now_ms(), error=GIVEN_UP)
            self._last = command
            return self._ask(command)

    @property
    def appends(self) -> Appends:
        """This call's records."""
        return self._appends

    def begin(self, command: Produce, wake: Callable[[], object]) -> None:
        """Hand over records without waiting for their reports. Raises as `Appends.begin`, and FailedError."""
        self._last = self._produced = command
        self._appends.begin(command, wake)

    def reported(self, command: Command, reports: tuple[Report | None, ...]) -> Event:
        """What the reports mean that have come for what was begun."""
        return self._answered(command, self._reported(reports))

    @property
    def complained(self) -> bool:
        """Whether the producer has said that something is wrong: then `reported` takes longer."""
        client = self._appends.client
        return client is not None and client.complaints.any

    def failed(self, command: Command, error: BrokerError) -> Event:
        """What it means that a command failed."""
        return RequestFailed(at_ms=now_ms(), error=self._explained(command, error))

    def abandon(self) -> None:
        """Close, when the caller is gone without an outcome.

        A cursor that was moved for it is moved back. A deletion that is under way is waited for: it must not
        take what the caller appends next.
        """
        with self._lock:
            self._abandoned = True
            if isinstance(self._last, CommitOffsets):
                self._undo(self._last)
            elif self._deleting is not None:
                self._see_gone(self._deleting)
        self.close()

    def _undo(self, done: CommitOffsets) -> None:
        end_ms = now_ms() + UNDO_MS_MAX
        with suppress(KafkaException):
            self._cursors.settle(done.group, UNDO_MS_MAX / 2_000)
        while (left_ms := end_ms - now_ms()) > 0:
            before = done.before if self._stood is None else self._stood
            undone = self._ask(evolve(done, offsets=before, timeout_ms=left_ms, backoff_ms=0))
            if not isinstance(undone, RequestFailed):
                return
            if undone.error.kind not in PASSING:
                break
            time.sleep(LOOK_SECONDS)
        logger.warning("the cursor of %s may stand behind messages nobody got", done.group)

    def _standing(self, command: CommitOffsets) -> tuple[CommittedOffset, ...]:
        """Where the cursor stands that is about to be moved: a read that does not begin there did not ask.

        Only needed to move it back; not to know it is no reason not to move it.
        """
        partitions = tuple(offset.partition for offset in command.offsets)
        question = FetchCommitted(
            group=command.group, topic=command.topic, partitions=partitions, timeout_ms=command.timeout_ms
        )
        try:
            stored = self._cursors.fetch_committed(question)
        except (FailedError, KafkaException):
            return command.before
        found = {offset.partition: offset for offset in stored}
        # Nothing stored cannot be stored: it means the beginning.
        return tuple(found.get(partition, CommittedOffset(partition, 0)) for partition in partitions)

    def _see_gone(self, deletion: DeleteTopic) -> None:
        end_ms = now_ms() + UNDO_MS_MAX
        if not self._topics.deleted(UNDO_MS_MAX / 1000):
            return
        while (left_ms := end_ms - now_ms()) > 0:
            looked = self._ask(DescribeTopic(topic=deletion.topic, with_id=True, timeout_ms=left_ms))
            if isinstance(looked, RequestFailed) and looked.error.kind is ErrorKind.UNKNOWN_TOPIC:
                return
            time.sleep(LOOK_SECONDS)

    def _ask(self, command: Command) -> Event:
        if command.backoff_ms:
            time.sleep(command.backoff_ms / 1000)
        begun = time.monotonic()
        try:
            event = self._perform(command)
        except FailedError as failed:
            error = failed.error
        except (KafkaException, SystemError, TypeError) as exception:
            told = kafka_error(exception)
            if told is None:
                raise
            # A call that used all its time may say "_TRANSPORT": it is a time-out all the same.
            timed_out = time.monotonic() - begun >= command.timeout_ms * 0.9 / 1000
            error = broker_error(told, timed_out=timed_out)
        else:
            return self._answered(command, event)
        return self.failed(command, error)

    def close(self) -> None:
        """Give back the clients; withdraw what was sent and not reported."""
        with self._lock, ExitStack() as stack:
            for used in (self._appends, self._cursors, self._reads, self._topics):
                stack.callback(used.close)  # one that fails keeps none of the others

    def _perform(self, command: Command) -> Event:
        match command:
            case DescribeTopic():
                return self._describe(command)
            case CreateTopic():
                self._clients.forget_topic(command.topic)
                self._topics.create(command)
                return TopicCreated(at_ms=now_ms())
            case DeleteTopic():
                self._deleting = command
                self._topics.delete(command)
                self._clients.forget_topic(command.topic)
                return TopicDeleted(at_ms=now_ms())
            case DeleteRecords():
                self._topics.delete_records(command)
                return RecordsDeleted(at_ms=now_ms())
            case ListGroups():
                return GroupsListed(at_ms=now_ms(), groups=self._groups.names(command))
            case DeleteGroup():
                return GroupDeleted(at_ms=now_ms(), deleted=self._groups.delete(command))
            case ListOffsets():
                watermarks = self._reads.list_offsets(command)
                return OffsetsListed(at_ms=now_ms(), watermarks=watermarks)
            case FindOffsets():
                if not self._capabilities.times:
                    raise FailedError(NO_TIMES)
                return OffsetsFound(at_ms=now_ms(), positions=self._reads.find_offsets(command))
            case FetchCommitted():
                committed = self._cursors.fetch_committed(command)
                self._began_at = command.group
                return CommittedFetched(at_ms=now_ms(), committed=committed)
            case Fetch():
                records, positions = self._reads.fetch(command)
                return Fetched(at_ms=now_ms(), records=records, positions=positions)
            case CommitOffsets():
                if self._stood is None and self._began_at != command.group:
                    self._stood = self._standing(command)
                self._cursors.commit(command)
                return OffsetsCommitted(at_ms=now_ms())
            case Produce():
                self._produced = command
                return self._reported(self._appends.produce(command))
            case AwaitReports():
                return self._reported(self._appends.await_reports(command))
            case Withdraw():
                return self._reported(self._appends.withdraw(command))
            case _:
                assert_never(command)

    def _reported(self, reports: tuple[Report | None, ...]) -> Produced:
        """The reports; those of a denial say what the user needs."""
        produced = self._produced
        if produced is None:
            raise AssertionError("nothing was produced")
        named = tuple(
            naming_permission(produced, report) if isinstance(report, BrokerError) else report
            for report in reports
        )
        return Produced(at_ms=now_ms(), reports=named)

    def _describe(self, command: DescribeTopic) -> Event:
        if self._admin_describes(command) and command.listed_next:
            # Three requests at once, in the time of the slowest one.
            partitions, topic_id = self._topics.describe(command, lambda: self._ask_ahead(command))
            self._reads.take_lows(self._topics.lows)
            return TopicDescribed(at_ms=now_ms(), partitions=partitions, topic_id=topic_id)
        if self._admin_describes(command):
            partitions, topic_id = self._topics.describe(command)
            return TopicDescribed(at_ms=now_ms(), partitions=partitions, topic_id=topic_id)
        asked = self._appends.describe if self._appending else self._reads.describe
        return TopicDescribed(at_ms=now_ms(), partitions=asked(command))

    def _ask_ahead(self, command: DescribeTopic) -> None:
        """Ask for what the machine will ask for next."""
        end = time.monotonic() + command.timeout_ms / 1000
        self._reads.forget_ends()  # of an earlier try
        # The cursor first: another reader may move it meanwhile, beyond ends that were listed before.
        if command.committed_next is None or self._cursors.fetch_ahead(command):
            self._reads.list_ends(command, max(0.001, end - time.monotonic()))

    def _admin_describes(self, command: DescribeTopic) -> bool:
        return command.with_id and self._capabilities.topic_ids

    def _answered(self, command: Command, event: Event) -> Event:
        client = self._client(command)
        if client is None:
            return event
        if isinstance(command, AwaitReports) and isinstance(event, Produced) and None in event.reports:
            # Nothing came, and the client said why while it was waiting: the machine should know.
            cause = self._cause(client, SILENCE)
            return event if cause is SILENCE else RequestFailed(at_ms=now_ms(), error=cause)
        if isinstance(event, Fetched) and not (event.records or event.positions):
            # The same where records are there and do not come; while a read waits, silence needs no cause.
            waits = isinstance(command, Fetch) and command.wait
            cause = self._cause(client, SILENCE)
            return event if waits or cause is SILENCE else RequestFailed(at_ms=now_ms(), error=cause)
        if not isinstance(event, Produced):
            client.complaints.forget()
        return event

    def _explained(self, command: Command, error: BrokerError) -> BrokerError:
        client = self._client(command)
        if client is None:
            return naming_permission(command, error)
        if error.kind is ErrorKind.TIMED_OUT and not isinstance(command, Fetch):
            # error_cb runs inside poll alone. A fetch has polled, and would lose a record to another poll.
            serve(client)
        return naming_permission(command, self._cause(client, error))

    def _cause(self, client: AnyClient, error: BrokerError) -> BrokerError:
        """The error with what the client complained of, and with what is wrong with a certificate."""
        cause = client.complaints.explain(error)
        fault = certificate_fault(self._config, cause.reason) if cause.kind is ErrorKind.DENIED else None
        if fault is None:
            return cause
        return evolve(cause, reason=f"the broker's certificate is refused: {fault} ({cause.reason})")

    def _client(self, command: Command) -> AnyClient | None:
        """The client that performed a command, to ask it what is wrong."""
        match command:
            case CreateTopic() | DeleteTopic() | DeleteRecords() | ListGroups() | DeleteGroup():
                return self._topics.client
            case Produce() | AwaitReports() | Withdraw():
                return self._appends.client
            case DescribeTopic() if self._admin_describes(command):
                return self._topics.client
            case DescribeTopic() if self._appending:
                return self._appends.client
            case FetchCommitted(group=group) | CommitOffsets(group=group):
                return self._cursors.client(group)
            case _:
                return self._reads.client(command)


NO_TIMES = BrokerError(ErrorKind.UNSUPPORTED, "UNSUPPORTED", "this broker finds no offsets by time")
GIVEN_UP = BrokerError(ErrorKind.WITHDRAWN, "_STATE", "the caller is gone")
SILENCE = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "no answer yet")
