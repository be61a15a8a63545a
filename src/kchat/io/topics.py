"""Performs the commands that concern topics on the admin client."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient, NewTopic

from kchat.core import BrokerError, CreateTopic, DeleteTopic, DescribeTopic, ErrorKind
from kchat.io.capabilities import Capabilities
from kchat.io.clients import Client, Clients
from kchat.io.config import EVERY_CLIENT
from kchat.io.failing import FailedError
from kchat.io.translate import Complaints


class Topics:
    """One call's use of the shared admin client."""

    def __init__(self, clients: Clients, capabilities: Capabilities) -> None:
        self._clients = clients
        self._capabilities = capabilities

    @property
    def client(self) -> Client[AdminClient]:
        """The admin client: to ask it what is wrong."""
        return self._clients.admin()

    def describe(self, command: DescribeTopic) -> tuple[tuple[int, ...], str]:
        """The topic's partitions and its id."""
        seconds = command.timeout_ms / 1000
        futures = self.client.handle.describe_topics(
            TopicCollection([command.topic]), request_timeout=_request_seconds(seconds)
        )
        description = _answer(futures[command.topic], seconds)
        partitions = tuple(sorted(partition.id for partition in description.partitions))
        return partitions, str(description.topic_id)

    def create(self, command: CreateTopic) -> None:
        """Create a topic."""
        if not self._capabilities.create_topics:
            self._create_by_name(command)
            return
        seconds = command.timeout_ms / 1000
        new = NewTopic(
            command.topic,
            num_partitions=command.settings.partitions,
            replication_factor=command.settings.replication_factor,
            config={"retention.ms": str(command.settings.ttl_ms)},
        )
        futures = self.client.handle.create_topics([new], request_timeout=_request_seconds(seconds))
        _answer(futures[command.topic], seconds)

    def delete(self, command: DeleteTopic) -> None:
        """Delete a topic."""
        if not self._capabilities.create_topics:
            raise FailedError(
                BrokerError(ErrorKind.UNSUPPORTED, "UNSUPPORTED", "this broker has no DeleteTopics")
            )
        seconds = command.timeout_ms / 1000
        futures = self.client.handle.delete_topics([command.topic], request_timeout=_request_seconds(seconds))
        _answer(futures[command.topic], seconds)

    def _create_by_name(self, command: CreateTopic) -> None:
        """A broker without CreateTopics creates what it is asked for, with partitions of its own choice."""
        config = self._clients.config
        properties = config.for_client(EVERY_CLIENT) | {"allow.auto.create.topics": True}
        properties["error_cb"] = Complaints(config.servers)
        AdminClient(properties).list_topics(command.topic, timeout=command.timeout_ms / 1000)


def _request_seconds(seconds: float) -> float:
    """The client takes no request timeout below a millisecond."""
    return max(seconds, 0.001)


def _answer(future: "Future[Any]", seconds: float) -> Any:
    """The result of an admin future. Waiting for it hears Ctrl-C, unlike the client's blocking calls."""
    try:
        return future.result(timeout=seconds)
    except (FutureTimeoutError, TimeoutError):
        raise FailedError(
            BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "the request was not answered")
        ) from None
