"""Public calls with arguments that work: a case exchanges one of them for a hostile value. The history's."""

import asyncio
import inspect
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from attrs import define, field
from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import AppendUnknown, ChatPosition, KchatError, Message, NewRecord, Position, encode, place
from kchat.io import KafkaLog
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker
from tests.proof.hostile_values import HostileError

ALLOWED = (ValueError, TypeError, KchatError, HostileError)
"""How a call may refuse: HostileError is what the methods of a hostile object raise, unchanged."""

SHORT_SECONDS = 0.4
APPEND_SECONDS = 2.5

Arguments = dict[str, Any]


@define
class Caller:
    """Somebody with a session of its own, who keeps the texts of all messages that the library gives."""

    servers: str
    session: str = field(factory=lambda: f"hostile-{uuid.uuid4().hex[:10]}")
    given: list[str] = field(factory=list)

    def took(self, *results: Any) -> None:
        """Keep the texts of messages, in whatever they came."""
        for result in results:
            if isinstance(result, BaseMessage):
                self.given.append(str(result.content))
            elif isinstance(result, Message):
                self.given.append(result.text)
            elif isinstance(result, list | tuple):
                self.took(*result)
            elif hasattr(result, "progress"):
                self.took(*result.progress.messages)

    def log(self) -> KafkaLog:
        return KafkaLog({"bootstrap.servers": self.servers})

    def history(self, **arguments: Any) -> KafkaChatMessageHistory:
        own: Arguments = {"session_id": self.session, "bootstrap_servers": self.servers, "partition": 1}
        return KafkaChatMessageHistory(**(own | arguments))

    def add_and_read(self, log: KafkaLog | FakeBroker) -> None:
        history = self.history(log=log, replay=True)
        history.add_messages([HumanMessage("x")], SHORT_SECONDS)
        self.took(history.messages_from_beginning(5, SHORT_SECONDS))


Invoke = Callable[[Caller, Arguments], object]


@define
class Call:
    """One call.

    Attributes:
        parameters: what can be exchanged.
        invoke: makes the call; its second argument is what is exchanged.
        plain: what has no argument that works by itself, and one that does.
        online: whether it asks the broker.
    """

    parameters: tuple[str, ...]
    invoke: Invoke
    plain: Arguments = field(factory=dict)
    online: bool = False

    @classmethod
    def of(cls, called: Any, invoke: Invoke, *, online: bool = False, **plain: Any) -> "Call":
        """With the parameters that the callable has: one that is new is a case by itself."""
        some = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
        named = inspect.signature(called).parameters.values()
        parameters = tuple(p.name for p in named if p.kind not in some and p.name != "self")
        return cls(parameters, invoke, plain, online)


def history_calls() -> Iterator[tuple[str, Call]]:
    """The history's construction, its methods, and its config."""
    yield "KafkaChatMessageHistory", Call.of(KafkaChatMessageHistory, _use_history, online=True)
    for name in dir(KafkaChatMessageHistory):
        found = getattr(KafkaChatMessageHistory, name)
        if not name.startswith("_") and callable(found):
            yield (
                f"KafkaChatMessageHistory.{name}",
                Call.of(found, _method(name), online=True, **_plain(name)),
            )
    yield "config", Call(("key", *PROPERTIES), _configured, online=True)


def _use_history(caller: Caller, changed: Arguments) -> None:
    """What is added is read, once, and is gone when it is cleared."""
    with caller.history(**changed) as history:
        mine = f"mine {uuid.uuid4().hex}"
        history.add_messages([HumanMessage(mine)], APPEND_SECONDS)
        caller.took(history.messages_from_beginning(None, APPEND_SECONDS))
        if mine not in caller.given:
            raise AssertionError(f"what was added is not read: {caller.given}")
        if changed.get("provision", True):
            history.clear()
            caller.took(history.messages_from_beginning(None, APPEND_SECONDS))
        if caller.given.count(mine) != 1:
            raise AssertionError("a cleared session still has its message")


def _method(name: str) -> Invoke:
    def invoke(caller: Caller, changed: Arguments) -> None:
        with caller.history(replay=True) as history:
            history.add_user_message("first")
            result = getattr(history, name)(**(_arguments(name, caller) | changed))
            caller.took(_ended(result))

    return invoke


def _ended(result: Any) -> Any:
    """What a call gives in the end: awaited, or followed to its limit."""
    if inspect.iscoroutine(result):
        return asyncio.run(result)
    if isinstance(result, AsyncIterator):
        return asyncio.run(_collected(result))
    return list(result) if isinstance(result, Iterator) else result


async def _collected(result: AsyncIterator[Any]) -> list[Any]:
    return [each async for each in result]


def _plain(name: str) -> Arguments:
    if name.endswith("add_message"):
        return {"message": HumanMessage("x")}
    if name.endswith(("add_user_message", "add_ai_message")):
        return {"message": "x"}
    return {}


def _arguments(name: str, caller: Caller) -> Arguments:
    """What works, where the call has no such defaults; a read that waits does not wait for long."""
    if "messages_from" in name:
        return {"max_message_count": 1, "max_time_sec": SHORT_SECONDS}
    if name.endswith("add_messages"):
        return {"messages": [HumanMessage("x")], "flush_timeout_seconds": APPEND_SECONDS}
    if name.endswith("follow"):
        return {"messages_max": 1, "seconds_max": SHORT_SECONDS}
    if name.endswith(("messages_last", "messages_since", "messages_window")):
        working: dict[str, Arguments] = {
            "last": {"count": 2},
            "since": {"since": None, "until": None},
            "window": {"tokens_max": 9, "count": len},
        }
        return working[name.rpartition("_")[2]]
    if name.endswith(("messages_before", "messages_after")):
        return {"position": ChatPosition(caller.session, None, (Position(0, 1),)), "count": 2}
    if name.endswith("resend"):
        placement = place(caller.session)
        record = encode(Message("human", {"content": "x"}), key=placement.key, message_id="id")
        records = (record,) if isinstance(record, NewRecord) else ()
        return {"error": AppendUnknown("x", records=records, topic=placement.topic)}
    return {}


LOADS_A_LIBRARY = ".".join(("plugin", "library", "paths"))
"""A property by which librdkafka loads a shared library."""

PROPERTIES = (
    *("client.id", "client.rack", "security.protocol", "sasl.mechanism", "sasl.username", "sasl.password"),
    *("sasl.oauthbearer.config", "ssl.ca.location", "ssl.ca.pem", "ssl.key.password", "message.max.bytes"),
    *("ssl.endpoint.identification.algorithm", "queue.buffering.max.messages", "linger.ms", "group.id"),
    *("compression.type", "socket.timeout.ms", "broker.address.family", "statistics.interval.ms", "stats_cb"),
    *("topic.metadata.refresh.interval.ms", "throttle_cb", "log_cb", "oauth_cb", "logger", "log_level"),
    *("debug", LOADS_A_LIBRARY, "enable.random.seed", "builtin.features", "fetch.error.backoff.ms"),
    *("metadata.broker.list", "resolve_cb", "socket_cb", "connect_cb", "opaque", "test.mock.num.brokers"),
)
"""Properties of librdkafka whose values are exchanged; `key` stands for a property's name.

All are its own names.
"""


def _configured(caller: Caller, changed: Arguments) -> None:
    own: Arguments = {"bootstrap.servers": caller.servers}
    with KafkaLog(own | ({changed["key"]: "x"} if "key" in changed else changed)) as log:
        caller.add_and_read(log)
