"""Performs the commands that concern topics on the admin client."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from confluent_kafka import KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from kchat.core import BrokerError, Command, CreateTopic, DeleteRecords, DeleteTopic, DescribeTopic, ErrorKind
from kchat.io.asked import Asked
from kchat.io.capabilities import Capabilities
from kchat.io.clients import Client, Clients
from kchat.io.config import EVERY_CLIENT
from kchat.io.failing import FailedError
from kchat.io.translate import Complaints, broker_error

LOOK_AROUND_SECONDS = 0.1
"""How long an admin request that was not answered asks for the cluster's metadata; it takes 2 ms."""


class Topics:
    """One call's use of the shared admin client."""

    def __init__(self, clients: Clients, capabilities: Capabilities) -> None:
        self._clients = clients
        self._capabilities = capabilities
        self._deletion: Asked | None = None
        self.lows: dict[int, int] = {}
        """The low watermarks that a description has asked for along with it."""

    def close(self) -> None:
        """Nothing to give back; the admin client writes its log now."""
        self._clients.serve_admin()

    @property
    def client(self) -> Client[AdminClient]:
        """The admin client: to ask it what is wrong."""
        return self._clients.admin()

    def describe(
        self, command: DescribeTopic, meanwhile: Callable[[], object] = lambda: None
    ) -> tuple[tuple[int, ...], str]:
        """The topic's partitions and its id. Something else may be done until the answer comes."""
        handle, limit = self.client.handle, request_seconds(command)
        topics = TopicCollection([command.topic])
        earliest = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
        wanted = {TopicPartition(command.topic, p): earliest for p in command.listed_next}
        lowest: dict[int, int] = {}
        self.lows = lowest  # an answer to an earlier try may still come, and goes nowhere

        def ask(seconds: float) -> Any:
            described = handle.describe_topics(topics, request_timeout=limit)[command.topic]
            lows = handle.list_offsets(wanted, request_timeout=limit) if wanted else {}
            description = described.result(seconds)
            with suppress(KafkaException):  # the machine asks for them once more
                lowest.update({place.partition: low.result(seconds).offset for place, low in lows.items()})
            return description

        description = self._answer(Asked(ask), command, meanwhile)
        partitions = tuple(sorted(partition.id for partition in description.partitions))
        return partitions, str(description.topic_id)

    def create(self, command: CreateTopic) -> None:
        """Create a topic."""
        if not self._capabilities.create_topics:
            self._create_by_name(command)
            return
        new = NewTopic(
            command.topic,
            num_partitions=command.settings.partitions,
            replication_factor=command.settings.replication_factor,
            # Where topics are compacted by default, all messages but the last would go: they share their key.
            config={"cleanup.policy": "delete", "retention.ms": str(command.settings.ttl_ms)},
        )
        handle, limit = self.client.handle, request_seconds(command)
        asked = Asked(
            lambda left: handle.create_topics([new], request_timeout=limit)[command.topic].result(left)
        )
        self._answer(asked, command)

    def delete(self, command: DeleteTopic) -> None:
        """Delete a topic."""
        if not self._capabilities.create_topics:
            raise FailedError(
                BrokerError(ErrorKind.UNSUPPORTED, "UNSUPPORTED", "this broker has no DeleteTopics")
            )
        handle, limit = self.client.handle, request_seconds(command)
        topics = [command.topic]
        self._deletion = Asked(
            lambda left: handle.delete_topics(topics, request_timeout=limit)[command.topic].result(left)
        )
        self._answer(self._deletion, command)

    def deleted(self, seconds: float) -> bool:
        """Whether the last deletion is accepted; waits for its answer, should it be under way."""
        return self._deletion is not None and self._deletion.answered(seconds)

    def delete_records(self, command: DeleteRecords) -> None:
        """Delete the records before positions."""
        if not self._capabilities.delete_records:
            raise FailedError(
                BrokerError(ErrorKind.UNSUPPORTED, "UNSUPPORTED", "this broker has no DeleteRecords")
            )
        handle, limit = self.client.handle, request_seconds(command)
        wanted = [TopicPartition(command.topic, p.partition, p.offset) for p in command.before]

        def ask(seconds: float) -> None:
            for deleted in handle.delete_records(wanted, request_timeout=limit).values():
                deleted.result(seconds)

        self._answer(Asked(ask), command)

    def _answer(
        self,
        asked: Asked,
        command: CreateTopic | DeleteTopic | DescribeTopic | DeleteRecords,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> Any:
        """Ask, and give the answer. Waiting for it hears Ctrl-C, unlike the client's blocking calls."""
        seconds = command.timeout_ms / 1000
        end = time.monotonic() + seconds
        asked.start(seconds)
        meanwhile()
        try:
            return asked.result(max(0.0, end - time.monotonic()))
        except (FailedError, KafkaException) as error:
            failed = error
        # Not above: a client that fails inside an `except` keeps the error that is handled there for ever,
        # and so the frames of its traceback, and so this very client with its threads (measured).
        if isinstance(failed, FailedError) or broker_error(failed.args[0]).kind is ErrorKind.TIMED_OUT:
            self._look_around(command.topic)
        try:
            raise failed
        finally:
            del failed

    def _look_around(self, topic: str) -> None:
        """Ask any broker who the controller is: the client goes on asking one that hangs (measured)."""
        with suppress(KafkaException):
            self.client.handle.list_topics(topic, timeout=LOOK_AROUND_SECONDS)

    def _create_by_name(self, command: CreateTopic) -> None:
        """A broker without CreateTopics creates what it is asked for, with partitions of its own choice."""
        config = self._clients.config
        own = {"allow.auto.create.topics": True, "error_cb": Complaints(config.servers)}
        client = AdminClient(config.for_client(EVERY_CLIENT, **own).content)
        client.list_topics(command.topic, timeout=command.timeout_ms / 1000)


def request_seconds(command: Command) -> float:
    """The client takes no request timeout below a millisecond."""
    return max(command.timeout_ms / 1000, 0.001)
