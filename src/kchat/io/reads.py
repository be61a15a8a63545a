"""Performs the commands of a read on consumers."""

import time
from contextlib import suppress
from operator import methodcaller

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from kchat.core import (
    BrokerError,
    Command,
    DescribeTopic,
    ErrorKind,
    Fetch,
    FindOffsets,
    Headers,
    ListOffsets,
    Position,
    Record,
    Watermarks,
)
from kchat.io.clients import Client, Clients, serve
from kchat.io.failing import FailedError
from kchat.io.pool import Pool
from kchat.io.translate import broker_error

TAIL_SECONDS_MAX = 0.01
"""How long a waiting read tries to get a tail before it looks with a reader."""

LOWEST, HIGHEST = -2, -1
"""In place of a time, in Kafka's ListOffsets request. `get_watermark_offsets` asks for one partition a time:
with 3 partitions and 0.3 s to the broker no slice was long enough, and no read came to its end."""

LOOK_SECONDS = 0.05
"""How long such a look may take: an answer that nothing is there comes within a millisecond."""


SILENT_SECONDS_MAX = 4.0
"""A consumer that answered nothing for so long is not used again. After a broker was killed and restarted one
of eight did not answer for 40 s (measured on 2.16.1), and calls leased it again and again, as the warmest."""

_read_headers = methodcaller("headers")
"""Not a call in Python code, which the interpreter specializes so that it looks for no exception there."""


class Reads:
    """One call's consumers: leased when first needed, given back when the call is over."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._reader: Client[Consumer] | None = None
        self._tail: Client[Consumer] | None = None
        # Where each assigned consumer stands: a fetch that goes on there needs no new assignment.
        self._standing: dict[int, dict[int, int]] = {}
        self._late: list[BrokerError] = []
        self._lows: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._ahead: tuple[Watermarks, ...] = ()

    def close(self) -> None:
        """Give the consumers back."""
        self._give_back_reader()
        tail, self._tail = self._tail, None
        if tail is not None:
            # Its last fetch waits on at the broker for up to 500 ms, and the next read would wait for that.
            self._standing.pop(id(tail), None)
            self._clients.tails.discard(tail)

    def client(self, command: Command) -> Client[Consumer] | None:
        """The client that performs this command, if it is leased by now: to ask it what is wrong."""
        return self._tail if isinstance(command, Fetch) and command.wait else self._reader

    def reader(self, timeout_seconds: float) -> Client[Consumer]:
        """The consumer for reads that end."""
        if self._reader is None:
            self._reader = self._clients.readers.lease("", timeout_seconds)
        if self._reader is None:
            raise FailedError(BrokerError(ErrorKind.TRANSIENT, "POOL_EXHAUSTED", "all readers are in use"))
        return self._reader

    def tail(self, timeout_seconds: float) -> Client[Consumer] | None:
        """The consumer for reads that wait, if one is to be had. A reader would ask without a pause."""
        if self._tail is None:
            self._tail = self._clients.tails.lease("", timeout_seconds)
        return self._tail

    def describe(self, command: DescribeTopic) -> tuple[int, ...]:
        """The topic's partitions, from this very consumer's metadata, which warms it for the read."""
        seconds = command.timeout_ms / 1000
        return described(self.reader(seconds).handle.list_topics(command.topic, seconds), command.topic)

    def forget_ends(self) -> None:
        """What was listed ahead is not believed any more."""
        self._ends, self._ahead = {}, ()

    def list_ends(self, command: DescribeTopic, seconds: float) -> None:
        """Ask for the high watermarks that the machine will ask for next. What fails is asked for then."""
        self.forget_ends()
        with suppress(FailedError, KafkaException):
            self._ends = _listed(self.reader(seconds), command.topic, command.listed_next, HIGHEST, seconds)

    def take_lows(self, lows: dict[int, int]) -> None:
        """The low watermarks that were asked for meanwhile."""
        ends, self._ends = self._ends, {}
        self._ahead = tuple(
            # Retention may have moved the low one behind a high one that was asked for before it.
            Watermarks(partition, min(lows[partition], high), high)
            for partition, high in ends.items()
            if lows.get(partition, -1) >= 0  # no answer, while a partition has no leader
        )

    def list_offsets(self, command: ListOffsets) -> tuple[Watermarks, ...]:
        """Both watermarks of each partition; the high one is the last stable offset, for read_committed."""
        ahead, self._ahead = self._ahead, ()
        if ahead and {w.partition for w in ahead} == set(command.partitions):
            return ahead
        end = time.monotonic() + command.timeout_ms / 1000
        reader = self.reader(command.timeout_ms / 1000)

        def left() -> float:
            return max(0.001, end - time.monotonic())

        def listed(which: int) -> dict[int, int]:
            return _listed(reader, command.topic, command.partitions, which, left())

        def watermarks() -> tuple[Watermarks, ...]:
            # The low one first: retention may move it while the high one is asked for, and never beyond that.
            # Where the first answer takes most of a slice, the next slice is for the second one.
            if self._lows.keys() != set(command.partitions):
                self._lows = listed(LOWEST)
            highs = listed(HIGHEST)
            lows, self._lows = self._lows, {}
            return tuple(Watermarks(partition, lows[partition], highs[partition]) for partition in lows)

        try:
            return watermarks()
        except KafkaException as error:
            if broker_error(error.args[0]).kind is not ErrorKind.UNKNOWN_TOPIC:
                raise
        # A topic that was created again: this consumer remembers that it was gone until it is told. Or a
        # denied one: only its metadata says so. Not inside the `except`: see `Topics`.
        described(reader.handle.list_topics(command.topic, left()), command.topic)
        return watermarks()

    def find_offsets(self, command: FindOffsets) -> tuple[Position, ...]:
        """The first record of each partition that is of the time or later; none where there is none."""
        seconds = command.timeout_ms / 1000
        asked = [TopicPartition(command.topic, p, command.time_ms) for p in command.partitions]
        answered = self.reader(seconds).handle.offsets_for_times(asked, timeout=seconds)
        for place in answered:
            if place.error is not None:
                raise KafkaException(place.error)
        # -1 is the end, as it is when the broker looks: the end that the machine knows is older.
        return tuple(Position(place.partition, place.offset) for place in answered if place.offset >= 0)

    def fetch(self, command: Fetch) -> tuple[tuple[Record, ...], tuple[Position, ...]]:
        """What is there from the positions on, at most `records_max`; with `wait`, what comes."""
        seconds = command.timeout_ms / 1000
        if not command.wait:
            return self._fetch(self.reader(seconds), command, seconds)
        self._give_back_reader()  # it would go on asking the broker without a pause while the tail waits
        tail = self.tail(TAIL_SECONDS_MAX)
        if tail is not None:
            return self._fetch(tail, command, seconds)
        # All tails are in use: look with a reader now and then, rather than not at all.
        found = self._fetch(self.reader(seconds), command, min(seconds, LOOK_SECONDS))
        self._give_back_reader()
        if not found[0]:
            time.sleep(max(0.0, seconds - LOOK_SECONDS))
        return found

    def _fetch(
        self, client: Client[Consumer], command: Fetch, seconds: float
    ) -> tuple[tuple[Record, ...], tuple[Position, ...]]:
        if self._late:
            raise FailedError(self._late.pop())
        standing = self._stand(client, command)
        # Where it stands is not known before what came is sorted: an error on the way, and the next fetch
        # assigns again. It would go on behind records that nobody got.
        self._standing[id(client)] = {}
        # poll, then consume what is there: consume alone waits for all that it was asked for (measured).
        first = client.handle.poll(seconds)
        if first is None:
            self._standing[id(client)] = standing
            return (), ()
        more = client.handle.consume(command.records_max - 1, 0) if command.records_max > 1 else []
        records, standing = self._sorted(command.topic, [first, *more], standing)
        self._standing[id(client)] = standing
        return records, tuple(Position(p, offset) for p, offset in sorted(standing.items()))

    def _stand(self, client: Client[Consumer], command: Fetch) -> dict[int, int]:
        """Assign, unless the consumer already stands at these positions; tell where it stands.

        Numeric offsets only: the symbolic ones cost 500 ms on a new consumer (measured).
        """
        standing = self._standing.get(id(client), {})
        wanted = {position.partition: position.offset for position in command.positions}
        if all(standing.get(partition) == offset for partition, offset in wanted.items()):
            return standing
        self._standing[id(client)] = {}  # should Ctrl-C come now, it is known to be assigned all the same
        client.handle.assign([TopicPartition(command.topic, p, offset) for p, offset in wanted.items()])
        return wanted

    def _sorted(
        self, topic: str, messages: list[Message], standing: dict[int, int]
    ) -> tuple[tuple[Record, ...], dict[int, int]]:
        """The records, and where the consumer stands behind them: nowhere, after an error."""
        records: list[Record] = []
        standing = dict(standing)
        for message in messages:
            error, partition = message.error(), message.partition()
            if message.topic() not in (topic, None):
                continue  # "out of range" of the read before: the client keeps it beyond unassign (measured)
            if error is None:
                record = record_of(message)
                records.append(record)
                standing[record.partition] = record.offset + 1
            elif error.code() == KafkaError._PARTITION_EOF and partition is not None:
                # Its offset, not position(), which is -1001 when a read began at the end (measured).
                standing[partition] = message.offset() or 0
            elif error.code() != KafkaError.GROUP_AUTHORIZATION_FAILED:
                # That one comes although nothing of the group is used, and the records still follow.
                self._late.append(attributed(broker_error(error), partition))
        if self._late:
            standing.clear()
            if not records:
                raise FailedError(self._late.pop())
        return tuple(records), standing

    def _give_back_reader(self) -> None:
        reader, self._reader = self._reader, None
        if reader is not None:
            self._give_back(self._clients.readers, reader)

    def _give_back(self, pool: Pool[Client[Consumer]], client: Client[Consumer]) -> None:
        """Return it without an assignment: one at wait 0 costs the broker 80 % of a core (measured)."""
        if self._standing.pop(id(client), None) is not None:
            try:
                client.handle.unassign()
            except (KafkaException, RuntimeError):
                pool.discard(client)
                return
        if client.silent is not None and client.silent[1] - client.silent[0] > SILENT_SECONDS_MAX:
            pool.discard(client)
            return
        serve(client)
        pool.give_back("", client)


def _listed(
    client: Client[Consumer], topic: str, partitions: tuple[int, ...], which: int, seconds: float
) -> dict[int, int]:
    """The lowest or the highest offset of each partition."""
    asked = [TopicPartition(topic, partition, which) for partition in partitions]
    begun = time.monotonic()
    try:
        answered = client.handle.offsets_for_times(asked, timeout=seconds)
    except KafkaException as error:
        if broker_error(error.args[0]).kind is ErrorKind.TIMED_OUT:
            since = begun if client.silent is None else client.silent[0]
            client.silent = (since, time.monotonic())
        raise
    client.silent = None
    for place in answered:
        if place.error is not None:
            raise KafkaException(place.error)
        if place.offset < 0:  # without an error, while a partition has no leader (measured)
            raise KafkaException(KafkaError(KafkaError.LEADER_NOT_AVAILABLE))
    return {place.partition: place.offset for place in answered}


def attributed(error: BrokerError, partition: int | None) -> BrokerError:
    """The error with its partition."""
    return BrokerError(error.kind, error.code, error.reason, partition)


def described(metadata: object, topic: str) -> tuple[int, ...]:
    """The partitions in an answer of `list_topics`; its error for this topic is raised."""
    found = metadata.topics[topic]  # type: ignore[attr-defined]  # the client types it as Any or Object
    if found.error is not None:
        raise KafkaException(found.error)
    return tuple(sorted(found.partitions))


def record_of(message: Message) -> Record:
    """A consumed message as the core's record."""
    return Record(
        partition=message.partition() or 0,
        offset=message.offset() or 0,
        timestamp_ms=message.timestamp()[1],
        key=message.key(),
        value=message.value(),
        headers=_headers_of(message),
    )


def _headers_of(message: Message) -> Headers:
    """The headers; none, where the client cannot tell them.

    Kafka takes any bytes for a header's name. On those that are no UTF-8 the client gives a result and sets
    an exception all the same (2.16.1), which Python reports wherever it looks next.
    """
    try:
        # A list of pairs, of what was fetched; the client's types speak of dicts and texts, too.
        return tuple(_read_headers(message) or ())
    except SystemError as error:
        if isinstance(error.__cause__, UnicodeDecodeError):
            return ()
        raise
