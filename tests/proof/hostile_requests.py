"""Calls of the core, the log and the fake broker, with arguments that work; requests are performed."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from kchat import conversation, core, io, langchain, testing
from kchat.core import Message, NewRecord, place
from kchat.io import AsyncKafkaLog, EmbeddedKafka, KafkaLog, share_log
from kchat.langchain import KafkaChatMessageHistory, LangChainDecoder
from kchat.testing import FakeBroker
from tests.proof.hostile_calls import APPEND_SECONDS, Arguments, Call, Caller, Invoke, history_calls
from tests.proof.hostile_conversations import conversation_calls
from tests.proof.hostile_messages import message_calls

APPEND_MS = int(1000 * APPEND_SECONDS)
LOG_METHODS = (
    *("read", "read_for", "aread_for", "append", "provision", "aread", "aappend", "aprovision"),
    *("watch", "awatch"),
)


def _log_calls() -> Iterator[tuple[str, Call]]:
    yield "KafkaLog", Call.of(KafkaLog, _make_log, online=True)
    for name in LOG_METHODS:
        yield f"KafkaLog.{name}", Call.of(getattr(KafkaLog, name), _log_method(name), online=True)
    yield "EmbeddedKafka", Call.of(EmbeddedKafka, lambda _, __: EmbeddedKafka().close())
    yield "EmbeddedKafka.log", Call(("client.id",), _use_embedded, online=True)
    yield "share_log", Call.of(share_log, _share, online=True)
    yield "Capabilities", Call.of(io.Capabilities, lambda _, changed: io.Capabilities(**changed))
    yield "FakeBroker", Call.of(FakeBroker, _use_fake)
    yield "LangChainDecoder", Call.of(LangChainDecoder, _decode_read, online=True)


def _make_log(caller: Caller, changed: Arguments) -> None:
    own: Arguments = {"config": {"bootstrap.servers": caller.servers}}
    with KafkaLog(**(own | changed)) as log:
        caller.add_and_read(log)


def _log_method(name: str) -> Invoke:
    def invoke(caller: Caller, changed: Arguments) -> None:
        own: Arguments = {"request": core.EnsureTopic(**_ensuring(caller))}
        if name.endswith("append"):
            own = {"request": core.AppendRequest(**_appending(caller))}
        elif name.endswith("read"):
            own = {"request": core.ReadRequest(**_reading(caller))}
        elif name.endswith("watch"):
            own = {"request": core.WatchRequest(**_watching(caller))}
        elif name.endswith("read_for"):
            own = {"request": core.ReadRequest(**_reading(caller)), "receive": str}
            own |= {"judge": str} if name.startswith("a") else {}
        with caller.log() as log:
            result = getattr(log, name)(**(own | changed))
            caller.took(asyncio.run(result) if inspect.iscoroutine(result) else result)

    return invoke


def _use_embedded(caller: Caller, changed: Arguments) -> None:
    with EmbeddedKafka() as embedded, embedded.log(**changed) as log:
        caller.add_and_read(log)


def _share(caller: Caller, changed: Arguments) -> None:
    own: Arguments = {"properties": {"bootstrap.servers": caller.servers}}
    share = share_log(**(own | changed))
    caller.add_and_read(share.log)
    share.release()


def _use_fake(_: Caller, changed: Arguments) -> None:
    history = KafkaChatMessageHistory("fake", "unused", log=FakeBroker(**changed), replay=True)
    history.add_user_message("x")
    if [message.content for message in history.messages] != ["x"]:
        raise AssertionError("what was added is not read")


def _decode_read(caller: Caller, changed: Arguments) -> None:
    _append(caller, {})
    _read(caller, {"decoder": LangChainDecoder(**changed), "on_corrupt": core.OnCorrupt.SKIP})


# Requests


def _reading(caller: Caller) -> Arguments:
    return {
        "topic": caller.session,
        "start": core.FromBeginning(),
        "decoder": core.JsonDecoder(),
        "messages_max": 5,
        "wait_ms_max": 400,
    }


def _new_record(caller: Caller, changed: Arguments) -> NewRecord:
    own: Arguments = {"key": caller.session.encode(), "value": b"{}", "headers": ()}
    return NewRecord(**(own | changed))


def _appending(caller: Caller) -> Arguments:
    records = (_new_record(caller, {}),)
    settings = core.TopicSettings(partitions=1)
    return {"topic": caller.session, "records": records, "settings": settings, "wait_ms_max": APPEND_MS}


def _watching(caller: Caller) -> Arguments:
    return {"topic": caller.session, "positions": (core.Position(0, 0),), "wait_ms_max": 100}


def _watch(caller: Caller, changed: Arguments) -> None:
    with caller.log() as log:
        log.watch(core.WatchRequest(**(_watching(caller) | changed)))


def _conversing(caller: Caller, changed: Arguments) -> None:
    with caller.log() as log:
        own: Arguments = {"session_id": caller.session}
        talk = log.conversation(**(own | changed))
        talk.append([Message("human", {"content": "x"})], APPEND_SECONDS)
        caller.took(talk.read().messages)


def _awaiting(caller: Caller, changed: Arguments) -> None:
    async def last() -> object:
        own: Arguments = {"config": {"bootstrap.servers": caller.servers}}
        async with AsyncKafkaLog(**(own | changed)) as log:
            return (await log.conversation(caller.session).last(1)).messages

    caller.took(asyncio.run(last()))


def _ensuring(caller: Caller) -> Arguments:
    return {"topic": caller.session, "settings": core.TopicSettings(partitions=1), "wait_ms_max": APPEND_MS}


def _removing(caller: Caller) -> Arguments:
    return {"topic": caller.session, "wait_ms_max": APPEND_MS}


def _performed(make: Callable[..., Any], own: Callable[[Caller], Arguments], perform: str) -> Invoke:
    def invoke(caller: Caller, changed: Arguments) -> None:
        request = make(**(own(caller) | changed))
        with caller.log() as log:
            caller.took(getattr(log, perform)(request))

    return invoke


_read = _performed(core.ReadRequest, _reading, "read")
_append = _performed(core.AppendRequest, _appending, "append")


def _request_calls() -> Iterator[tuple[str, Call]]:
    yield "ReadRequest", Call.of(core.ReadRequest, _read, online=True)
    yield "AppendRequest", Call.of(core.AppendRequest, _append, online=True)
    ensure = _performed(core.EnsureTopic, _ensuring, "provision")
    yield "EnsureTopic", Call.of(core.EnsureTopic, ensure, online=True)
    remove = _performed(core.RemoveTopic, _removing, "provision")
    yield "RemoveTopic", Call.of(core.RemoveTopic, remove, online=True)
    truncate = _performed(core.TruncateTopic, _removing, "provision")
    yield "TruncateTopic", Call.of(core.TruncateTopic, truncate, online=True)
    listing = _performed(core.ListCursors, lambda _: {"prefix": "hostile"}, "provision")
    yield "ListCursors", Call.of(core.ListCursors, listing, online=True)
    forget = _performed(core.RemoveCursor, lambda caller: {"group": caller.session}, "provision")
    yield "RemoveCursor", Call.of(core.RemoveCursor, forget, online=True)
    yield "TopicSettings", _in_request(core.TopicSettings, _append, "settings", partitions=1)
    yield "FromCommitted", _in_request(core.FromCommitted, _read, "start", group="some-group")
    yield "FromPositions", _in_request(core.FromPositions, _read, "start", positions=())
    yield "FromBefore", _in_request(core.FromBefore, _read, "start", offsets=1)
    yield "FromBookmark", _in_request(core.FromBookmark, _read, "start", offsets=())
    yield "WatchRequest", Call.of(core.WatchRequest, _watch, online=True)
    yield "KafkaLog.conversation", Call.of(KafkaLog.conversation, _conversing, online=True)
    yield "AsyncKafkaLog", Call.of(AsyncKafkaLog, _awaiting, online=True)
    positions = _in_request(core.Position, _read, "start", partition=0, offset=0, wrap=_at)
    yield "Position", positions
    yield (
        "NewRecord",
        Call.of(
            NewRecord, lambda c, changed: _append(c, {"records": (_new_record(c, changed),)}), online=True
        ),
    )
    yield "place_in", Call.of(core.place_in, _read_placed, online=True)


def _at(position: core.Position) -> core.FromPositions:
    return core.FromPositions((position,))


def _in_request(
    make: Callable[..., Any],
    perform: Invoke,
    field: str,
    *,
    wrap: Callable[[Any], Any] = lambda made: made,
    **own: Any,
) -> Call:
    """A value that a request has."""
    return Call.of(make, lambda c, changed: perform(c, {field: wrap(make(**(own | changed)))}), online=True)


def _read_placed(caller: Caller, changed: Arguments) -> None:
    own: Arguments = {"topic": caller.session, "session_id": "x"}
    placement = core.place_in(**(own | changed))
    _read(caller, {"topic": placement.topic, "key": placement.key_filter})


# Functions and values of the core, which ask nobody


def _pure_calls() -> Iterator[tuple[str, Call]]:
    message = Message("human", {"content": "x"})
    yield "place", Call.of(place, _place, session_id="x")
    yield "is_legal_topic", _pure(core.is_legal_topic, name="x")
    yield "session_id_of", _pure(core.session_id_of, topic="x")
    yield "find_unstorable", _pure(core.find_unstorable, value=1)
    yield "encode", _pure(core.encode, message=message, key=b"", message_id="x")
    yield "JsonDecoder", _pure(core.JsonDecoder, then=_decode_some)
    yield "Message", _pure(Message, then=_encode, type="human", data={})
    yield (
        "ChatPosition.parse",
        _pure(core.ChatPosition.parse, text=str(core.ChatPosition("x", None, (core.Position(0, 1),)))),
    )
    yield "Record", _pure(core.Record, then=core.JsonDecoder().decode, partition=0, offset=0, timestamp_ms=0)


def _pure(make: Callable[..., Any], *, then: Callable[[Any], object] = lambda made: made, **own: Any) -> Call:
    return Call.of(make, lambda _, changed: then(make(**(own | changed))))


def _decode_some(decoder: core.JsonDecoder) -> object:
    value = b'{"type": "human", "data": {"content": "x"}}'
    return decoder.decode(core.Record(0, 0, 0, b"", value, ()))


def _encode(message: Message) -> object:
    return core.encode(message, key=b"", message_id="x")


def _place(_: Caller, changed: Arguments) -> None:
    session_id = changed["session_id"]
    placement = place(session_id)
    if not core.is_legal_topic(placement.topic) or placement.topic.startswith("__"):
        raise AssertionError(f"a session is placed in topic {placement.topic!a}")
    if core.session_id_of(placement.topic) != str.__str__(session_id):
        raise AssertionError(f"the topic {placement.topic!a} stands for another session")


CALLS = dict(
    [
        *history_calls(),
        *conversation_calls(),
        *message_calls(),
        *_log_calls(),
        *_request_calls(),
        *_pure_calls(),
    ]
)

_GIVEN = """
Acknowledged AppendOutcome AppendRefused AppendUnknown Appended AwaitReports BrokerError Budget
Closed Command CommitOffsets CommittedFetched CommittedOffset Complete Corrupt CorruptRecord
CreateTopic CursorConflict CursorMemory Decoder DeleteTopic Delivery DescribeTopic ErrorKind Event
Failed Failure Fetch FetchCommitted Fetched FromBeginning FromEnd Headers InvalidConfig
InvalidMessage InvalidSessionId KchatError Limit ListOffsets Log OffsetsCommitted OffsetsListed
OnCorrupt Partial Placement Produce Produced Progress Replayed continued ProvisionOutcome
ProvisionRequest ReadFailed ReadOutcome Refused Report RequestFailed Sealed Start TopicCreated
TopicDeleted TopicDescribed
TopicFailed TopicGone TopicNotChanged TopicReady Unknown Unstorable Watermarks Withdraw acknowledged
arun corrupt_record decoding_fault delivered encoded merge provisioned run SharedLog Delay Expire
FakeCluster FakePartition FakeTopic FalseLow Fault FaultPlan Foreign Gap LostAnswer NoAnswer
PartlyStored Recreate Refuse Remove ShortFetch TakenAlong
ChatPosition FindOffsets Following InvalidPosition Known OffsetsFound Paging Plan PositionGone Removals Slice
CursorGone CursorsListed DeleteGroup DeleteRecords GroupDeleted GroupsListed ListGroups RecordsDeleted
TopicTruncated acarry_out carry_out followed in_order newest newest_fitting onward place_name read_error
record_name settled_batch settled_read FitRequest Fitted RemovalsKnown Subject Ending
AsyncConversation AsyncCursor Conversation Cursor Edge Ended Entry Page
"""
GIVEN = frozenset(_GIVEN.split())
"""Public names that take nothing of a user's: what the library gives, the words of its machines, and what a
test builds its faults of."""


def uncovered() -> set[str]:
    """Public callables that no case calls, and that are not said to need none."""
    public = {
        name
        for module in (conversation, core, io, langchain, testing)
        for name in module.__all__
        if callable(getattr(module, name))
    }
    return public - CALLS.keys() - GIVEN
