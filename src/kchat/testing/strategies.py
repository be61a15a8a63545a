"""Hypothesis strategies for conversations and for what happens to them. Needs the extra `kchat[testing]`.

All that is drawn is data, so a failing example prints and shrinks:

    @given(logs(), fault_plans())
    def test_my_reader_skips_nothing(log, plan):
        broker = log.broker(plan)
        assert my_reader(broker) == list(log.messages)
"""

import string
from collections.abc import Collection
from typing import Any

from attrs import frozen
from hypothesis import strategies as st

from kchat.core import (
    MESSAGE_TYPES,
    CommittedOffset,
    Decoder,
    ErrorKind,
    FromBefore,
    FromBeginning,
    FromBookmark,
    FromCommitted,
    FromEnd,
    FromPositions,
    JsonDecoder,
    Message,
    NewRecord,
    OnCorrupt,
    Position,
    ReadRequest,
    Start,
    encode,
    merge,
)
from kchat.testing import faults
from kchat.testing.broker import FakeBroker
from kchat.testing.cluster import EPOCH_MS
from kchat.testing.faults import Fault, FaultPlan

TOPIC_DEFAULT = "chat"
KEY_DEFAULT = b"session"

TRAPS = "\x00\ud800\udfff\u2028\r\ufeff"
"""Characters that codecs stumble over: lone surrogates, a line end of JavaScript's, a byte order mark."""

PASSING_FAULTS: st.SearchStrategy[Fault] = st.one_of(
    st.builds(faults.Delay, st.integers(1, 50)),
    st.just(faults.NoAnswer()),
    st.just(faults.LostAnswer()),
    st.builds(faults.Refuse, st.sampled_from([ErrorKind.TRANSIENT, ErrorKind.TIMED_OUT])),
    st.builds(faults.ShortFetch, st.integers(1, 3)),
    st.just(faults.FalseLow()),
    st.builds(faults.Gap, st.integers(1, 3)),
)
"""What a healthy cluster does now and then. It removes and adds no message, though an append may end as
`Unknown`."""

ANY_FAULTS: st.SearchStrategy[Fault] = st.one_of(
    PASSING_FAULTS,
    st.builds(faults.Refuse, st.sampled_from(ErrorKind)),
    st.builds(faults.PartlyStored, st.integers(0, 3)),
    st.builds(faults.TakenAlong, st.integers(0, 3)),
    st.builds(faults.Foreign, st.integers(1, 3)),
    st.builds(faults.Expire, st.integers(1, 3)),
    st.just(faults.Remove()),
    st.just(faults.Recreate()),
)
"""All that `kchat.testing` knows: other programs that write and delete, retention, denials."""


def json_values(*, leaves_max: int = 10) -> st.SearchStrategy[Any]:
    """JSON values that a message keeps: any text (lone surrogates too), any finite number, nested.

    Example: `@given(json_values())` draws `{"é": [None, 1e-300, 2**70]}`.
    """
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    # JSON would join these two into one character, so the codec refuses them side by side.
    text = st.text() | st.text(TRAPS).filter(lambda drawn: "\ud800\udfff" not in drawn)
    return st.recursive(
        leaves | text,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=leaves_max,
    )


def messages(types: Collection[str] = MESSAGE_TYPES) -> st.SearchStrategy[Message]:
    """Messages of these types, with text or blocks as content and other fields of any JSON.

    Example: `@given(st.lists(messages({"human", "ai"})))` draws a conversation.
    """
    block = st.fixed_dictionaries(
        {"type": st.just("text"), "text": st.text()}, optional={"extras": json_values()}
    )
    content = st.text() | st.lists(st.text() | block, max_size=3)
    fields = st.dictionaries(st.text(string.ascii_lowercase, min_size=1), json_values(), max_size=3)
    data = st.builds(lambda content, more: {**more, "content": content}, content, fields)
    return st.builds(Message, st.sampled_from(sorted(types)), data)


@frozen
class Slot:
    """One offset of a drawn partition: a message, bytes that are none, or None for a gap."""

    content: Message | bytes | None
    timestamp_ms: int = 0


@frozen(kw_only=True)
class DrawnLog:
    """A topic as it was drawn: the slots of each partition, and how many of them retention took."""

    topic: str
    key: bytes
    partitions: tuple[tuple[Slot, ...], ...]
    expired: tuple[int, ...]

    def broker(self, plan: FaultPlan = ()) -> FakeBroker:
        """A new fake broker that holds this log, with these faults ahead."""
        broker = FakeBroker(plan)
        topic = broker.cluster.create(self.topic, partitions=len(self.partitions))
        for partition, slots, expired in zip(topic.partitions, self.partitions, self.expired, strict=True):
            for offset, slot in enumerate(slots):
                value, headers = self._stored(slot, f"{partition.number}-{offset}")
                if value is None:
                    partition.skip(1)
                else:
                    partition.append(self.key, value, headers, slot.timestamp_ms)
            partition.remove_before(expired)
        return broker

    @property
    def messages(self) -> tuple[Message, ...]:
        """The model: what a read from the beginning hands out, in its order, if it skips poison."""
        topic = self.broker().cluster.topics[self.topic]
        records, _ = merge({p.number: p.records for p in topic.partitions}, all_known=True)
        contents = [self.partitions[record.partition][record.offset].content for record in records]
        return tuple(content for content in contents if isinstance(content, Message))

    def _stored(self, slot: Slot, message_id: str) -> tuple[bytes | None, tuple[Any, ...]]:
        if not isinstance(slot.content, Message):
            return slot.content, ()
        record = encode(slot.content, key=self.key, message_id=message_id)
        if not isinstance(record, NewRecord):
            raise AssertionError(f"messages() draws what can be stored: {record}")
        return record.value, record.headers


def partitions(
    *, size_max: int = 6, poison: bool = True, gaps: bool = True
) -> st.SearchStrategy[tuple[Slot, ...]]:
    """The slots of one partition: messages, poison and gaps, with a clock that may go backwards.

    Example: `@given(partitions(poison=False))` draws a partition that every reader can read.
    """
    # Short ones: a log is drawn for its order and its gaps, `messages()` for what a codec must keep.
    plain = st.builds(Message, st.sampled_from(["human", "ai"]), st.builds(_text_only, st.text(max_size=3)))
    contents: list[st.SearchStrategy[Message | bytes | None]] = [plain, plain]
    if poison:
        contents.append(st.sampled_from([b"", b"not a message", b"\xff", b'{"type": "human"}']))
    if gaps:
        contents.append(st.none())
    slot = st.builds(Slot, st.one_of(contents), st.integers(0, 5))
    return st.lists(slot, max_size=size_max).map(tuple)


def _text_only(text: str) -> dict[str, Any]:
    return {"content": text}


@st.composite
def logs(
    draw: st.DrawFn,
    *,
    topic: str = TOPIC_DEFAULT,
    key: bytes = KEY_DEFAULT,
    partitions_max: int = 3,
    poison: bool = True,
    gaps: bool = True,
) -> DrawnLog:
    """A topic of one session, in one or several partitions, of which retention may have taken some.

    Example: `@given(logs(partitions_max=1))` draws what kchat itself writes: one key, one partition.
    """
    one = partitions(poison=poison, gaps=gaps)
    drawn = draw(st.lists(one, min_size=1, max_size=partitions_max).map(tuple))
    expired = tuple(draw(st.integers(0, len(slots))) for slots in drawn)
    return DrawnLog(topic=topic, key=key, partitions=drawn, expired=expired)


def fault_plans(
    faults: st.SearchStrategy[Fault] = PASSING_FAULTS, *, size_max: int = 10
) -> st.SearchStrategy[FaultPlan]:
    """Faults for the commands to come, one or none each; after the last one the broker is well.

    Args:
        faults: what may happen: `PASSING_FAULTS`, `ANY_FAULTS`, or your own choice.
        size_max: for so many commands at most.

    Example: `@given(fault_plans(st.just(NoAnswer()), size_max=2))` draws up to two lost requests.
    """
    return st.lists(st.none() | faults, max_size=size_max).map(tuple)


def read_requests(
    *,
    topic: str = TOPIC_DEFAULT,
    key: bytes | None = None,
    group: str | None = None,
    decoder: Decoder[Any] | None = None,
    partitions_max: int = 3,
) -> st.SearchStrategy[ReadRequest[Any]]:
    """Reads of one session that end by themselves: any start, any limits, either policy for poison.

    Positions may be beyond the end or in partitions that are not there: those reads fail, typed. The cursor
    is used and moved only where a `group` is named.

    Example: `@given(read_requests(group="chat"))` draws reads that share a cursor.
    """
    position = st.builds(Position, st.integers(0, partitions_max - 1), st.integers(0, 8))
    named = st.lists(position, max_size=partitions_max, unique_by=lambda p: p.partition).map(tuple)
    bookmark = named.map(lambda places: tuple(CommittedOffset(p.partition, p.offset) for p in places))
    times = st.none() | st.integers(EPOCH_MS, EPOCH_MS + 50)
    starts: list[st.SearchStrategy[Start]] = [
        st.just(FromBeginning()),
        st.just(FromEnd()),
        st.builds(FromPositions, named),
        st.builds(FromBefore, st.integers(1, 20), st.none() | named),
        st.builds(FromBookmark, bookmark),
    ]
    if group is not None:
        starts.append(st.just(FromCommitted(group)))
    return st.one_of(starts).flatmap(
        lambda start: st.builds(
            ReadRequest,
            topic=st.just(topic),
            start=st.just(start),
            decoder=st.just(JsonDecoder() if decoder is None else decoder),
            key=st.just(key),
            partition=st.none() | st.integers(0, partitions_max - 1),
            messages_max=st.none() | st.integers(0, 10),
            wait_ms_max=st.none() | st.integers(0, 5_000),
            on_corrupt=st.sampled_from(OnCorrupt),
            since_ms=times,
            until_ms=times,
            commit_to=st.sampled_from([None] if isinstance(start, FromBefore) else [None, group]),
        )
    )
