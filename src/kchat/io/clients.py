"""The clients of one log: created at first use, shared by all its calls, ended once.

One producer, one admin client, and bounded pools of consumers: readers, tails (which wait for new records),
cursors (one consumer group each).
"""

import time
from _thread import start_new_thread
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from sys import getrefcount
from threading import Lock
from typing import Any, Generic, TypeVar

from attrs import define, field
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from kchat.core import Closed, InvalidConfig, Sealed
from kchat.io.config import CURSOR, EVERY_CLIENT, PRODUCER, READER, SAMPLER, TAIL, WATCHER, Config
from kchat.io.polling import Polling
from kchat.io.pool import Pool
from kchat.io.proofs import Proofs
from kchat.io.reports import Serving
from kchat.io.translate import Complaints, kafka_error

READERS_MAX = 8
TAILS_MAX = 16
CURSORS_MAX = 8
"""Bounds of the pools. A consumer has 2 connections and 4 threads (measured); a call needs it briefly."""

CLOSE_SECONDS_MAX = 1.0
"""How long `close` waits for the clients to end; they go on ending by themselves after that."""

DROP_SECONDS_MAX = 10.0
"""How long a client that is dropped may still be in somebody's hands, who is about to leave it."""

Places = frozenset[tuple[str, int, int]]
"""What one commit sets: topic, partition and offset of each place."""

H = TypeVar("H", Producer, Consumer, AdminClient)


@define(eq=False)
class Client(Generic[H]):
    """A client of Kafka, and what its callbacks told: complaints, and how commits went.

    `unanswered` are the commits that it may still make, now or much later. `silent` is since when, and until
    when, a consumer was asked for offsets in vain; None after an answer.
    """

    handle: H
    complaints: Complaints
    commits: list[tuple[KafkaError | None, list[TopicPartition]]] = field(factory=list)
    unanswered: list[Places] = field(factory=list)
    silent: tuple[float, float] | None = None


@define(eq=False)
class SharedProducer:
    """The producer that appends share.

    A call that has to withdraw its records can only purge all: then this one is `retired`, the calls that
    lost theirs with it send them again on the next one, and the last call to leave ends it.
    """

    client: Client[Producer]
    serving: Serving = field(factory=Serving)
    proofs: Proofs = field(factory=Proofs)
    polling: Polling = field(init=False)
    users: int = 0
    retired: bool = False
    ended: bool = False
    warm: bool = False
    served: bool = False

    def __attrs_post_init__(self) -> None:
        self.polling = Polling(self.client.handle)


class Clients:
    """All clients of one log in one process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self._lock = Lock()
        self._producer: SharedProducer | None = None
        self._admin: Client[AdminClient] | None = None
        self._ending: list[Lock] = []
        self._closed = False
        self.readers: Pool[Client[Consumer]] = Pool(READERS_MAX, lambda _: self._consumer(READER), self._end)
        self.tails: Pool[Client[Consumer]] = Pool(TAILS_MAX, lambda _: self._consumer(TAIL), self._end)
        self.cursors: Pool[Client[Consumer]] = Pool(
            CURSORS_MAX, lambda group: self._consumer(CURSOR, **{"group.id": group}), self._end
        )

    def admin(self) -> Client[AdminClient]:
        """The admin client; it is safe to use from several threads at once."""
        with self._lock:
            if self._closed:
                raise Closed("the log was closed", next_step="open a new one")
            if self._admin is None:
                complaints = Complaints(self.config.servers)
                self._admin = self._made(AdminClient, self.config.for_client(EVERY_CLIENT), complaints)
            return self._admin

    def serve_admin(self) -> None:
        """Let the admin client write its log, which it keeps until somebody polls; its calls do not."""
        admin = self._admin
        if admin is not None:
            serve(admin)

    def join_producer(self) -> SharedProducer:
        """The producer for one call, which must `leave_producer` in the end."""
        with self._lock:
            if self._closed:
                raise Closed("the log was closed", next_step="open a new one")
            if self._producer is None:
                complaints = Complaints(self.config.servers)
                client = self._made(Producer, self.config.for_client(PRODUCER), complaints)
                self._producer = SharedProducer(client)
            self._producer.users += 1
            return self._producer

    def warm_producer(self) -> SharedProducer | None:
        """The same for an event loop: None where it is not warm, or somebody makes clients just now."""
        if not self._lock.acquire(blocking=False):
            return None
        try:
            if self._producer is None or not self._producer.warm:
                return None
            self._producer.users += 1
            return self._producer
        finally:
            self._lock.release()

    def leave_producer(self, producer: SharedProducer) -> None:
        """The call is over. The last one to leave a retired producer ends it."""
        with self._lock:
            producer.served = True
            producer.users -= 1
            over = self._is_over(producer)
        if over:
            self._end_producer(producer)

    def forget_topic(self, topic: str) -> None:
        """A topic was created or deleted: what was known of it is not true of the next one."""
        producer = self._producer
        if producer is not None:
            producer.proofs.drop(topic)

    def retire_producer(self, producer: SharedProducer) -> None:
        """No further call gets this one."""
        with self._lock:
            producer.retired = True
            if self._producer is producer:
                self._producer = None

    def watcher(self) -> Client[Consumer]:
        """A consumer that watches; whoever makes it ends it."""
        return self._consumer(WATCHER)

    def sampler(self) -> Client[Consumer]:
        """A consumer for a few records of many topics; whoever makes it ends it."""
        return self._consumer(SAMPLER)

    def end_watcher(self, client: Client[Consumer]) -> None:
        """End a watcher or a sampler beside the caller."""
        self._end(client)

    def close(self) -> None:
        """End every client that no call is using; the others end with their calls."""
        with self._lock:
            self._closed = True
            # The list has the only reference: Ctrl-C while a client is freed would be a SystemError.
            admins, self._admin = [self._admin], None
            producer, self._producer = self._producer, None
            if producer is not None:
                producer.retired = True
            over = producer is not None and self._is_over(producer)
        for pool in (self.readers, self.tails, self.cursors):
            pool.close()
        if producer is not None and over:
            self._end_producer(producer)
        self._beside(admins.clear)
        until = time.monotonic() + CLOSE_SECONDS_MAX
        for ended in list(self._ending):
            if ended.acquire(timeout=max(0.0, until - time.monotonic())):
                ended.release()

    def _is_over(self, producer: SharedProducer) -> bool:
        """Whether whoever asks, holding the lock, is the one to end this producer."""
        over = producer.retired and producer.users == 0 and not producer.ended
        producer.ended = producer.ended or over
        return over

    def _end(self, client: Client[Consumer]) -> None:
        """End a client beside the caller: that may take until its last request has timed out."""
        handles = [client.handle]
        self._beside(partial(_drop, handles) if client.unanswered else partial(_ended, client.handle))

    def _end_producer(self, producer: SharedProducer) -> None:
        """The same, when no thread fetches its reports any more."""

        def end() -> None:
            producer.polling.close()
            _ended(producer.client.handle)

        self._beside(end)

    def _beside(self, end: Callable[[], None]) -> None:
        """Run it on a thread of its own; `close` waits for it for a while."""
        ended = Lock()

        def run() -> None:
            try:
                end()
            finally:
                ended.release()

        # Not a Thread: Ctrl-C in its start() or join(), which wait in Python code, breaks their locks.
        ended.acquire()
        start_new_thread(run, ())
        self._ending = [lock for lock in self._ending if lock.locked()] + [ended]

    def _consumer(self, kind: Mapping[str, Any], **more: Any) -> Client[Consumer]:
        complaints = Complaints(self.config.servers)
        commits: list[tuple[KafkaError | None, list[TopicPartition]]] = []

        def on_commit(error: KafkaError | None, partitions: list[TopicPartition]) -> None:
            commits.append((error, partitions))

        client = self._made(Consumer, self.config.for_client(kind, on_commit=on_commit, **more), complaints)
        client.commits = commits
        return client

    def _made(
        self,
        kind: Callable[[dict[str, Any]], H],
        properties: Sealed[dict[str, Any]],
        complaints: Complaints,
    ) -> Client[H]:
        try:
            handle = kind({**properties.content, "error_cb": complaints})
        except (KafkaException, SystemError, TypeError, ValueError) as error:
            told = kafka_error(error)
            # The client names the property, and may repeat its value: that can be a secret.
            text = self.config.without_secrets(str(error) if told is None else told.str()).strip()
        else:
            return Client(handle, complaints)
        # Raised here: the client's own error has the properties in its frames, and shall not be the context.
        raise InvalidConfig(
            f"the Kafka client does not take these settings: {text}",
            next_step="correct the property in config=",
        )


def serve(client: "Client[Producer] | Client[AdminClient] | Client[Consumer]") -> object:
    """Let a client call back and write its log; what an idle consumer is told is returned.

    A producer that died of a fatal error tells so here, once: its next append is refused all the same.
    """
    try:
        return client.handle.poll(0)
    except (KafkaException, SystemError) as exception:
        kafka_error(exception)  # raises Ctrl-C, which is not the client's
        return None


def _drop(handles: list[Consumer]) -> None:
    """Free a consumer without closing it, which would make its unanswered commits after all.

    They would set the cursor back over what others have read since (measured). The client frees a consumer
    that nobody refers to any more, and waits for it: so the last reference has to be the one here.
    """
    end = time.monotonic() + DROP_SECONDS_MAX
    while getrefcount(handles[0]) > 2 and time.monotonic() < end:  # the list's, and the argument's
        time.sleep(0.001)
    handles.clear()


def _ended(handle: Producer | Consumer) -> None:
    # A client that died of a fatal error tells so even now, and nobody is left to hear it.
    with suppress(KafkaException, SystemError):
        handle.close()
