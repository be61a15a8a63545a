"""Performs the commands that list and delete consumer groups, on the admin client."""

from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from kchat.core import BrokerError, DeleteGroup, ErrorKind, ListGroups
from kchat.io.asked import Asked
from kchat.io.capabilities import Capabilities
from kchat.io.clients import Clients
from kchat.io.failing import FailedError
from kchat.io.topics import request_seconds

UNSUPPORTED = BrokerError(ErrorKind.UNSUPPORTED, "UNSUPPORTED", "this broker has no such operation")


class Groups:
    """One call's use of the shared admin client for consumer groups."""

    def __init__(self, clients: Clients, capabilities: Capabilities) -> None:
        self._clients = clients
        self._capabilities = capabilities

    def names(self, command: ListGroups) -> tuple[str, ...]:
        """The groups that begin so. An error of one broker is an error: its groups would be missing."""
        handle, limit = self._admin(), request_seconds(command)
        listed = _answered(
            lambda left: handle.list_consumer_groups(request_timeout=limit).result(left), limit
        )
        for error in listed.errors:
            raise error if isinstance(error, KafkaException) else KafkaException(error)
        return tuple(g.group_id for g in listed.valid if g.group_id.startswith(command.prefix))

    def delete(self, command: DeleteGroup) -> bool:
        """Delete a group; whether there was one."""
        handle, limit, group = self._admin(), request_seconds(command), command.group

        def ask(seconds: float) -> object:
            return handle.delete_consumer_groups([group], request_timeout=limit)[group].result(seconds)

        try:
            _answered(ask, limit)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.GROUP_ID_NOT_FOUND:
                raise
            return False
        return True

    def _admin(self) -> AdminClient:
        if not self._capabilities.groups:
            raise FailedError(UNSUPPORTED)
        return self._clients.admin().handle


def _answered(ask: Callable[[float], Any], seconds: float) -> Any:
    """Ask, and give the answer. Waiting for it hears Ctrl-C."""
    asked = Asked(ask)
    asked.start(seconds)
    return asked.result(seconds)
