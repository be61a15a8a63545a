"""What truncating a conversation and what its named cursors need (docs/security.md), no more and no less."""

import asyncio
import inspect
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import frozen
from confluent_kafka.admin import AclOperation  # documented, but not in its __all__

from kchat.conversation import AsyncConversation, Conversation, Edge, async_conversation, conversation
from kchat.core import KchatError, Message, ReadFailed, TopicNotChanged
from kchat.io import KafkaLog
from tests.brokers.access import GROUP, TOPIC, Permission, granted
from tests.brokers.secured import GRANTEE, PLAINTEXT, SCRAM, SecuredKafka
from tests.io.test_permissions import denied

pytestmark = pytest.mark.kafka

READ, DELETE, DESCRIBE, WRITE = (
    AclOperation.READ,
    AclOperation.DELETE,
    AclOperation.DESCRIBE,
    AclOperation.WRITE,
)
TOLD = ["one", "two"]

Talk = Conversation[Message] | AsyncConversation[Message]


@frozen
class Face:
    """One face of a log: what it gives is awaited where it has to be."""

    name: str

    def ask(self, log: KafkaLog, session: str, act: Callable[[Talk], Any]) -> Any:
        if self.name == "sync":
            return act(log.conversation(session))
        return asyncio.run(self._awaited(log, session, act))

    async def _awaited(self, log: KafkaLog, session: str, act: Callable[[Talk], Any]) -> Any:
        result = act(async_conversation(log, session))
        return await result if inspect.isawaitable(result) else result


@frozen
class Begun:
    """A session with two messages and two cursors, on the secured broker."""

    cluster: SecuredKafka
    name: str

    @property
    def bootstrap(self) -> str:
        return self.cluster.listeners[PLAINTEXT]

    def may(self, *grants: tuple[Any, AclOperation, str]) -> list[Permission]:
        return [Permission(GRANTEE.name, kind, operation, name) for kind, operation, name in grants]

    def as_grantee(self) -> KafkaLog:
        return KafkaLog(self.cluster.client_config(SCRAM, user=GRANTEE))


@pytest.fixture(params=["sync", "async"])
def face(request: pytest.FixtureRequest) -> Face:
    return Face(request.param)


@pytest.fixture
def begun(secured_kafka: SecuredKafka) -> Iterator[Begun]:
    begun = Begun(secured_kafka, f"acl-{uuid.uuid4().hex}")
    with KafkaLog({"bootstrap.servers": begun.bootstrap}) as log:
        talk = conversation(log, begun.name)
        talk.append([Message("human", {"content": text}) for text in TOLD])
        for name in ("audit", "other"):
            cursor = talk.cursor(name)
            cursor.read(1)
            cursor.commit()
        yield begun
        talk.clear()


def test_who_may_delete_may_truncate(begun: Begun, face: Face) -> None:
    with granted(begun.bootstrap, begun.may((TOPIC, DELETE, begun.name))), begun.as_grantee() as log:
        face.ask(log, begun.name, lambda talk: talk.clear(keep_topic=True))
    with KafkaLog({"bootstrap.servers": begun.bootstrap}) as log:
        assert len(log.conversation(begun.name).read()) == 0


def test_who_may_only_read_and_write_may_not_truncate(begun: Begun, face: Face) -> None:
    may = begun.may((TOPIC, READ, begun.name), (TOPIC, WRITE, begun.name))
    with granted(begun.bootstrap, may), begun.as_grantee() as log:
        denied(
            lambda: face.ask(log, begun.name, lambda talk: talk.clear(keep_topic=True)),
            TopicNotChanged,
            f"needs Delete on topic '{begun.name}'",
        )
    with KafkaLog({"bootstrap.servers": begun.bootstrap}) as log:
        assert len(log.conversation(begun.name).read()) == len(TOLD)


async def _use_cursor_async(talk: Any) -> list[str]:
    cursor = talk.cursor("audit")
    page = await cursor.read(9)
    await cursor.commit()
    await cursor.seek(Edge.END)
    return [message.text for message in page.messages]


def use_cursor(talk: Any) -> Any:
    if isinstance(talk, AsyncConversation):
        return _use_cursor_async(talk)
    cursor = talk.cursor("audit")
    page = cursor.read(9)
    cursor.commit()
    cursor.seek(Edge.END)
    return [message.text for message in page.messages]


def test_a_named_cursor_needs_read_on_its_group(begun: Begun, face: Face) -> None:
    may = begun.may((TOPIC, READ, begun.name), (GROUP, READ, f"{begun.name}/audit"))
    with granted(begun.bootstrap, may), begun.as_grantee() as log:
        assert face.ask(log, begun.name, use_cursor) == TOLD[1:]


@pytest.mark.parametrize("group", ["other", None])
def test_without_it_the_error_names_the_group(begun: Begun, face: Face, group: str | None) -> None:
    may = begun.may((TOPIC, READ, begun.name), *([(GROUP, READ, f"{begun.name}/{group}")] if group else []))
    with granted(begun.bootstrap, may), begun.as_grantee() as log:
        denied(
            lambda: face.ask(log, begun.name, use_cursor),
            ReadFailed,
            f"needs Read on group '{begun.name}/audit'",
        )


def test_delete_on_its_group_is_enough_to_delete_a_cursor(begun: Begun, face: Face) -> None:
    may = begun.may((GROUP, DELETE, f"{begun.name}/audit"))
    with granted(begun.bootstrap, may), begun.as_grantee() as log:
        assert face.ask(log, begun.name, lambda talk: talk.cursor("audit").delete()) is True
    with KafkaLog({"bootstrap.servers": begun.bootstrap}) as log:
        assert log.conversation(begun.name).cursors() == ("other",)


def test_who_may_read_a_cursor_may_not_delete_it(begun: Begun, face: Face) -> None:
    may = begun.may((GROUP, READ, f"{begun.name}/audit"))
    with granted(begun.bootstrap, may), begun.as_grantee() as log:
        denied(
            lambda: face.ask(log, begun.name, lambda talk: talk.cursor("audit").delete()),
            KchatError,
            f"needs Delete on group '{begun.name}/audit'",
        )


@pytest.mark.parametrize("seen", [(), ("audit",), ("audit", "other")])
def test_the_cursors_that_one_may_describe_are_listed_and_no_others(
    begun: Begun, face: Face, seen: tuple[str, ...]
) -> None:
    may = begun.may(*((GROUP, DESCRIBE, f"{begun.name}/{name}") for name in seen))
    with granted(begun.bootstrap, may), begun.as_grantee() as log:
        assert face.ask(log, begun.name, lambda talk: talk.cursors()) == seen


def redact_last(talk: Any) -> Any:
    async def redacted() -> Any:
        return await talk.redact((await talk.last(1))[0].position)

    return redacted() if isinstance(talk, AsyncConversation) else talk.redact(talk.last(1)[0].position)


def test_a_redaction_needs_read_and_write(begun: Begun, face: Face) -> None:
    with (
        granted(begun.bootstrap, begun.may((TOPIC, READ, begun.name), (TOPIC, WRITE, begun.name))),
        begun.as_grantee() as log,
    ):
        face.ask(log, begun.name, redact_last)
    with KafkaLog({"bootstrap.servers": begun.bootstrap}) as log:
        assert len(log.conversation(begun.name).read()) == len(TOLD) - 1
    with granted(begun.bootstrap, begun.may((TOPIC, READ, begun.name))), begun.as_grantee() as log:
        denied(lambda: face.ask(log, begun.name, redact_last), KchatError, "needs Write on topic")
