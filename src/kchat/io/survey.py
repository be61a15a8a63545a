"""Questions about a whole cluster: its topics, where they begin and end, their settings, who may do what.

Each is a few requests, however many topics there are. The client has no DescribeLogDirs (2.16.1), so what a
topic takes on disk cannot be asked for.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    KafkaException,
    Message,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (  # documented, but not all in its __all__
    AdminClient,
    ConfigResource,
    OffsetSpec,
    ResourceType,
)

from kchat.core import BrokerError, ErrorKind, ReadFailed, Record, Sealed
from kchat.core.edge import NEXT_STEPS, NEXT_STEPS_BY_CODE
from kchat.io.asked import TIMED_OUT, Asked
from kchat.io.certificates import certificate_fault
from kchat.io.clients import Client, Clients, serve
from kchat.io.config import Config
from kchat.io.failing import FailedError
from kchat.io.permissions import needing, reading, seeing
from kchat.io.reads import record_of
from kchat.io.shapes import ClusterShape, TopicShape, cluster_shape, topic_shape
from kchat.io.translate import broker_error

K = TypeVar("K")
V = TypeVar("V")

ANSWER_SECONDS_MAX = 10.0
"""How long one question may take; a thousand topics take 0.6 s (measured)."""

CONNECT_SECONDS_MAX = 5.0
"""How long the first one may take: a cluster that does not answer is known after this."""

LOOK_SECONDS = 0.2
"""How long an answer is waited for before it is looked whether the broker refuses this client."""

POLL_SECONDS_MAX = 0.1
"""How long a poll may wait: Ctrl-C is heard after it."""

Place = tuple[str, int]
"""A topic and a partition of it."""


class Survey:
    """Asks a cluster, with clients of its own. Building one does no I/O; close it.

    Every question raises `ReadFailed` where it is not answered at all; what is not answered for one topic
    alone is a `BrokerError` in that topic's place.

    Raises:
        InvalidConfig: as `KafkaLog` does.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = Config.of(Sealed(config))
        self._clients = Clients(self._config)
        self.requests: int = 0
        """How many requests of the admin client were made, to bound them in tests."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clients.close()

    def topics(self, seconds_max: float = CONNECT_SECONDS_MAX) -> dict[str, tuple[int, ...]]:
        """The partitions of each topic that this user may see."""
        handle = self._admin.handle
        metadata = self._answer(lambda seconds: handle.list_topics(timeout=seconds), seconds_max)
        return {
            name: tuple(sorted(topic.partitions))
            for name, topic in metadata.topics.items()
            if topic.error is None
        }

    def hidden(self, topic: str) -> ReadFailed | None:
        """Why this user may not see a topic that is not among `topics`; None where it is not there."""
        told = self.shapes([topic])[topic]
        if isinstance(told, BrokerError) and told.kind is ErrorKind.DENIED:
            return self._failed(needing(told, seeing(topic)))
        return None

    def ends(self, places: Iterable[Place]) -> dict[Place, tuple[int, int] | BrokerError]:
        """The low and the high watermark of partitions, as a reader of committed records has them."""
        lows, highs = self._offsets(places, OffsetSpec.earliest(), OffsetSpec.latest())  # type: ignore[no-untyped-call]
        return {
            place: _first_error(lows[place], highs[place]) or (lows[place].offset, highs[place].offset)
            for place in lows
        }

    def times(self, places: Iterable[Place]) -> dict[Place, tuple[int | None, int | None] | BrokerError]:
        """The timestamps of the first record and of the newest one; None where a partition has none."""
        firsts, newest = self._offsets(places, OffsetSpec.for_timestamp(0), OffsetSpec.max_timestamp())  # type: ignore[no-untyped-call]
        return {
            place: _first_error(firsts[place], newest[place])
            or (_time(firsts[place].timestamp), _time(newest[place].timestamp))
            for place in firsts
        }

    def topic_settings(self, topics: Iterable[str]) -> dict[str, dict[str, str] | BrokerError]:
        """The settings of topics, by Kafka's names."""
        return self._settings(ResourceType.TOPIC, topics)

    def broker_settings(self, brokers: Iterable[int]) -> dict[int, dict[str, str] | BrokerError]:
        """The settings of brokers, by Kafka's names; secret ones are empty. A request for each broker."""
        names = [str(broker) for broker in brokers]
        return {int(name): told for name, told in self._settings(ResourceType.BROKER, names).items()}

    def shapes(self, topics: Iterable[str]) -> dict[str, TopicShape | BrokerError]:
        """Replicas of topics, and what this user may do with them."""
        handle, names = self._admin.handle, list(topics)
        described = self._answers(
            lambda seconds: handle.describe_topics(
                TopicCollection(names), include_authorized_operations=True, request_timeout=seconds
            )
        )
        return {
            name: found if isinstance(found, BrokerError) else topic_shape(found)
            for name, found in described.items()
        }

    def cluster(self) -> ClusterShape:
        """The brokers, and what this user may do with the cluster."""
        handle = self._admin.handle
        asked = self._answers(
            lambda seconds: {
                "": handle.describe_cluster(include_authorized_operations=True, request_timeout=seconds)
            }
        )
        found = asked[""]
        if isinstance(found, BrokerError):
            raise self._failed(found)
        return cluster_shape(found)

    def listen(self) -> None:
        """Let the client write its log, which it keeps until it is polled."""
        serve(self._admin)

    def newest(
        self, starts: Mapping[Place, int], seconds_max: float
    ) -> tuple[dict[Place, list[Record]], frozenset[Place]]:
        """The records from these offsets on, all partitions at once; and which were read to their end.

        Of a partition that is denied, or gone meanwhile, nothing is known.
        """
        found: dict[Place, list[Record]] = {place: [] for place in starts}
        ended = set()
        for place, told in self._consumed(starts, seconds_max):
            match told:
                case Record():
                    found[place].append(told)
                case None:
                    ended.add(place)
                case BrokerError():
                    found.pop(place, None)
        return found, frozenset(ended)

    def records(self, starts: Mapping[Place, int], seconds_max: float) -> Iterator[Record]:
        """Every committed record from these offsets on, to the end of each partition, as it is.

        Raises:
            ReadFailed: a partition is denied, or its end was not reached in time.
        """
        ended = set()
        for place, told in self._consumed(starts, seconds_max):
            match told:
                case Record():
                    yield told
                case None:
                    ended.add(place)
                case BrokerError():
                    raise self._failed(needing(told, reading(place[0])))
        if len(ended) < len(starts):
            raise self._failed(TIMED_OUT)

    def _consumed(
        self, starts: Mapping[Place, int], seconds_max: float
    ) -> Iterator[tuple[Place, Record | BrokerError | None]]:
        """What comes from the starts on: records, None at the end of a partition, or why it ends early."""
        if not starts:
            return
        sampler, end = self._clients.sampler(), time.monotonic() + seconds_max
        try:
            sampler.handle.assign([TopicPartition(*place, offset) for place, offset in starts.items()])
            open_places = set(starts)
            while open_places and time.monotonic() < end:
                # poll, then consume what is there: consume alone waits for all it was asked for (measured).
                first = sampler.handle.poll(POLL_SECONDS_MAX)
                for message in [] if first is None else [first, *sampler.handle.consume(1_000, 0)]:
                    place, told = _told(message)
                    if place in open_places:
                        yield place, told
                        if not isinstance(told, Record):
                            open_places.discard(place)
        finally:
            with suppress(KafkaException, RuntimeError):
                sampler.handle.unassign()
            self._clients.end_watcher(sampler)

    @property
    def _admin(self) -> Client[AdminClient]:
        return self._clients.admin()

    def _offsets(self, places: Iterable[Place], *specs: Any) -> list[dict[Place, Any]]:
        """What ListOffsets says of each partition, for each of several questions at once."""
        handle, asked = self._admin.handle, [TopicPartition(*place) for place in places]
        level = IsolationLevel.READ_COMMITTED

        def ask(seconds: float) -> dict[tuple[int, Place], Future[Any]]:
            return {
                (index, (place.topic, place.partition)): answer
                for index, spec in enumerate(specs)
                for place, answer in handle.list_offsets(
                    dict.fromkeys(asked, spec), isolation_level=level, request_timeout=seconds
                ).items()
            }

        if not asked:
            return [{} for _ in specs]
        answers = self._answers(ask, len(specs))
        return [{place: a for (i, place), a in answers.items() if i == index} for index in range(len(specs))]

    def _settings(self, kind: Any, names: Iterable[str]) -> dict[str, dict[str, str] | BrokerError]:
        handle, resources = self._admin.handle, [ConfigResource(kind, name) for name in names]
        if not resources:
            return {}
        # The client takes one broker in a call: it is that broker who answers.
        calls = [[one] for one in resources] if kind is ResourceType.BROKER else [resources]
        answers = self._answers(
            lambda seconds: {
                resource.name: answer
                for call in calls
                for resource, answer in handle.describe_configs(call, request_timeout=seconds).items()
            },
            len(calls),
        )
        return {
            name: found
            if isinstance(found, BrokerError)
            else {setting.name: setting.value or "" for setting in found.values()}
            for name, found in answers.items()
        }

    def _answers(self, ask: Callable[[float], Mapping[K, Future[V]]], requests: int = 1) -> dict[K, Any]:
        """All answers of a question, an error in place of one that failed.

        Raises:
            ReadFailed: not one of them was answered, for no access list said no.
        """

        def all_of(seconds: float) -> dict[K, Any]:
            return {key: _result(future, seconds) for key, future in ask(seconds).items()}

        self.requests += requests - 1
        answers: dict[K, Any] = self._answer(all_of, ANSWER_SECONDS_MAX)
        errors = [answer for answer in answers.values() if isinstance(answer, BrokerError)]
        if (
            errors
            and len(errors) == len(answers)
            and errors[0].kind in {ErrorKind.TIMED_OUT, ErrorKind.TRANSIENT}
        ):
            raise self._failed(errors[0])
        return answers

    def _answer(self, ask: Callable[[float], V], seconds: float) -> V:
        """One answer. It is waited for on another thread, so that Ctrl-C is heard."""
        self.requests += 1
        asked = Asked(ask)
        asked.start(seconds)
        end = time.monotonic() + seconds
        while not asked.over(LOOK_SECONDS) and time.monotonic() < end:
            self._look_for_refusal()
        try:
            answer: V = asked.result(LOOK_SECONDS)
        except FailedError as failed:
            error = failed.error
        except KafkaException as failed:
            error = broker_error(failed.args[0])
        else:
            return answer
        raise self._failed(error)

    def _look_for_refusal(self) -> None:
        """A wrong password looks like silence; the client says what it is only where it is asked.

        Raises:
            ReadFailed: asking on cannot help.
        """
        serve(self._admin)
        if self._admin.complaints.explain(TIMED_OUT).kind is ErrorKind.DENIED:
            raise self._failed(TIMED_OUT)

    def _failed(self, error: BrokerError) -> ReadFailed:
        """The error with the cause that the client told on the way."""
        serve(self._admin)
        cause = self._admin.complaints.explain(error)
        fault = certificate_fault(self._config, cause.reason) if cause.kind is ErrorKind.DENIED else None
        told = f"the broker's certificate is refused: {fault} ({cause.reason})" if fault else cause.reason
        return ReadFailed(
            f"the cluster was not asked to the end: {told}",
            next_step=NEXT_STEPS_BY_CODE.get(cause.code, NEXT_STEPS[cause.kind]),
            code=cause.code,
        )


def _result(future: "Future[V]", seconds: float) -> "V | BrokerError":
    try:
        return future.result(seconds)
    except KafkaException as failed:
        return broker_error(failed.args[0])


def _first_error(*answers: Any) -> BrokerError | None:
    return next((answer for answer in answers if isinstance(answer, BrokerError)), None)


def _time(timestamp_ms: int) -> int | None:
    return timestamp_ms if timestamp_ms >= 0 else None


def _told(message: Message) -> tuple[Place, Record | BrokerError | None]:
    place, error = (message.topic() or "", message.partition() or 0), message.error()
    if error is None:
        return place, record_of(message)
    return place, None if error.code() == KafkaError._PARTITION_EOF else broker_error(error)
