"""What a conversation's calls ask for, as plans and requests: all that both faces have in common."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

from attrs import evolve, field, frozen

from kchat.conversation import arguments
from kchat.conversation.ending import Ending
from kchat.conversation.ids import new_message_id
from kchat.conversation.page import Ended, Page, page_of
from kchat.conversation.placing import placing
from kchat.conversation.remembering import Memory
from kchat.core import (
    Acknowledged,
    AppendRequest,
    AppendUnknown,
    ChatPosition,
    Decoder,
    Failed,
    FromBeginning,
    FromEnd,
    FromPositions,
    InvalidMessage,
    Known,
    Message,
    NewRecord,
    OnCorrupt,
    Paging,
    Partial,
    Placement,
    Plan,
    Position,
    PositionGone,
    ReadOutcome,
    ReadRequest,
    RemoveTopic,
    Sealed,
    Slice,
    Start,
    TopicSettings,
    TruncateTopic,
    Unstorable,
    corrupt_record,
    encode,
    encoded,
    newest,
    newest_fitting,
    onward,
    place_name,
    read_error,
    record_name,
)
from kchat.core.counting import Count
from kchat.core.failures import BrokerError, ErrorKind
from kchat.core.wire import REMOVE_TYPE, is_removal

M = TypeVar("M")

CLEAR_MS_MAX = 10_000
"""How long a `clear` waits until it is done; a deletion takes 31 ms on one broker (measured)."""

NOT_SEEN = BrokerError(
    ErrorKind.TIMED_OUT,
    "_TIMED_OUT",
    "the message at this position was not seen in time; nothing was appended",
)


@frozen(kw_only=True)
class Asking(Generic[M]):
    """One session, and how it is read and written.

    Attributes:
        ending: when it is over, followers end.
    """

    session: str
    placement: Placement
    settings: TopicSettings | None
    decoder: Decoder[M]
    encode: Callable[[M], NewRecord | Unstorable]
    on_corrupt: OnCorrupt
    max_age_ms: int | None
    timestamp_ms: Callable[[], int]
    memory: Memory
    ending: Ending = field(factory=Ending)

    # Reading

    def whole(self) -> Plan[Page[M]]:
        """All messages."""
        return self._page(lambda known: onward(self._request(), known=known), lambda _: Ended.END)

    def last(self, count: int) -> Plan[Page[M]]:
        """The newest messages."""
        if arguments.whole(count, "count") == 0:
            return _nothing()
        page = Paging(messages_max=count)
        return self._page(lambda known: newest(self._request(), page, known), _backwards)

    def before(self, position: Any, count: int) -> Plan[Page[M]]:
        """The newest messages before a position."""
        place = arguments.position_of(self.session, position)
        if arguments.whole(count, "count") == 0:
            return _nothing(place)
        page = Paging(messages_max=count, before=place.before, topic_id=place.topic_id)
        return self._page(lambda known: newest(self._request(), page, known), _backwards)

    def after(self, position: Any, count: int) -> Plan[Page[M]]:
        """The first messages after a position."""
        place = arguments.position_of(self.session, position)
        if arguments.whole(count, "count") == 0:
            return _nothing(place)
        request = self._request(FromPositions(place.after, place.topic_id))
        return self._page(lambda known: onward(request, count, known), _forwards)

    def since(self, since: Any, until: Any, count: int | None) -> Plan[Page[M]]:
        """The messages of a stretch of time."""
        since_ms = None if since is None else arguments.timestamp(since, "since")
        until_ms = None if until is None else arguments.timestamp(until, "until")
        if count is not None and arguments.whole(count, "count") == 0:
            return _nothing()
        request = evolve(self._request(since_ms=since_ms), until_ms=until_ms)

        def ended(found: Slice[M]) -> Ended:
            full = count is not None and len(found.deliveries) >= count
            return _forwards(found) if full or not found.newer else Ended.POSITION

        return self._page(lambda known: onward(request, count, known, ends_in_time=True), ended)

    def window(self, tokens_max: int, count: Count[M]) -> Plan[Page[M]]:
        """The newest messages that fit a budget."""
        if arguments.whole(tokens_max, "tokens_max") == 0:
            return _nothing()
        if not callable(count):
            raise ValueError("count must be a function from a list of messages to their tokens")

        def ended(found: Slice[M]) -> Ended:
            return Ended.BUDGET if found.older else Ended.BEGINNING

        return self._page(lambda known: newest_fitting(self._request(), tokens_max, count, known), ended)

    def request(self, start: Start) -> ReadRequest[M]:
        """A read of this session from there on: for followers and cursors."""
        return self._request(start)

    # Appending and editing

    def records(self, messages: Sealed[Any], record_bytes_max: int) -> tuple[NewRecord, ...]:
        """All messages of a call, encoded and checked."""
        return encoded_list(
            messages,
            self.encode,
            one=Message,
            advice="put the message in a list",
            session=self.session,
            record_bytes_max=record_bytes_max,
        )

    def append(self, records: tuple[NewRecord, ...], seconds_max: float) -> AppendRequest:
        """Append records; a missing topic is created, if there are settings for it."""
        return AppendRequest(
            topic=self.placement.topic,
            records=records,
            settings=self.settings,
            partition=self.placement.append_partition,
            wait_ms_max=max(1, arguments.milliseconds(seconds_max, "seconds_max")),
        )

    def again(self, error: object, seconds_max: float) -> AppendRequest:
        """Append the records of an error of this session once more.

        Raises:
            ValueError: it is another error, or it came out of a pickle.
        """
        if not isinstance(error, AppendUnknown) or error.topic != self.placement.topic or not error.records:
            raise ValueError(
                f"resend takes an AppendUnknown of session {self.session!a}, in the process that appended,"
                f" not {type(error).__name__}"
            )
        return self.append(error.records, seconds_max)

    def placed(
        self, places: tuple[Acknowledged, ...], resent: tuple[NewRecord, ...]
    ) -> Plan[tuple[ChatPosition, ...]]:
        """The positions of appended messages. The append did not say which topic this is: it is asked.

        Where that is not answered in time, the positions do not say it: the messages are stored all the same.
        `resent` are their records where some may be stored twice: the first copies are the messages.
        """
        return placing(self.session, self._request(FromEnd()), places, resent)

    def marker(self, position: Any, seconds_max: float) -> Plan[NewRecord]:
        """The record that removes the message at a position, which must be there."""
        place = arguments.position_of(self.session, position)
        record = place.record
        if record is None:
            raise self._no_message()
        wait_ms_max = max(1, arguments.milliseconds(seconds_max, "seconds_max"))
        return self._marker(place, record, wait_ms_max)

    def _marker(self, place: ChatPosition, record: Position, wait_ms_max: int) -> Plan[NewRecord]:
        outcome: ReadOutcome[M] = yield evolve(
            self._request(FromPositions((record,), place.topic_id)),
            partition=record.partition,
            messages_max=1,
            on_corrupt=OnCorrupt.SKIP,
            since_ms=None,
            wait_ms_max=wait_ms_max,
        )
        if isinstance(outcome, Failed):
            raise read_error(outcome.failure, self.session, self.placement.topic)
        found = next(iter(outcome.progress.deliveries), None)
        if found is None and isinstance(outcome, Partial):
            raise read_error(NOT_SEEN, self.session, self.placement.topic)
        if found is None or found.offset != record.offset or is_removal(found.message):
            raise self._no_message()
        # By its own id where it has one: the topic may be another one by the time the marker is in it.
        name = place_name(record) if found.message_id is None else record_name(found.message_id)
        message = Message(REMOVE_TYPE, {"content": "", "id": name})
        new = encode(message, key=self.placement.key, message_id=new_message_id())
        if isinstance(new, Unstorable):
            raise AssertionError(new)
        return new

    def marking(self, record: NewRecord, seconds_max: float, spent_ms: int) -> AppendRequest:
        """Append a marker, in what its read has left of the caller's time."""
        return self.append((record,), max(0.0, seconds_max - spent_ms / 1000))

    def _no_message(self) -> PositionGone:
        return PositionGone(
            "there is no message at this position",
            session=self.session,
            topic=self.placement.topic,
            next_step="give the position of a message, as its entry tells it",
        )

    def clear(self, *, keep_topic: bool) -> RemoveTopic | TruncateTopic:
        """Delete the topic, or what is in it."""
        if keep_topic:
            return TruncateTopic(topic=self.placement.topic, wait_ms_max=CLEAR_MS_MAX)
        return RemoveTopic(topic=self.placement.topic, wait_ms_max=CLEAR_MS_MAX)

    # What reads have in common

    def _request(self, start: Start | None = None, *, since_ms: int | None = None) -> ReadRequest[M]:
        bounds = [since_ms] if since_ms is not None else []
        if self.max_age_ms is not None:
            bounds.append(arguments.oldest_ms(self.timestamp_ms(), self.max_age_ms))
        return ReadRequest(
            topic=self.placement.topic,
            start=start or FromBeginning(),
            decoder=self.decoder,
            key=self.placement.key_filter,
            partition=self.placement.partition,
            on_corrupt=self.on_corrupt,
            since_ms=max(bounds, default=None),
            topic_expected=self.settings is None,
        )

    def _page(
        self,
        read: Callable[[Known], Plan[tuple[Slice[M], Known] | Failed[M]]],
        ended: Callable[[Slice[M]], Ended],
    ) -> Plan[Page[M]]:
        before = self.memory.known
        found = yield from read(before)
        if isinstance(found, Failed):
            raise read_error(found.failure, self.session, self.placement.topic)
        page, known = found
        self.memory.learn(before, known)
        return self.page(page, ended(page))

    def page(self, found: Slice[M], ended: Ended) -> Page[M]:
        """What the caller gets of a slice."""
        topic = self.placement.topic
        skipped = tuple(corrupt_record(c, session=self.session, topic=topic) for c in found.skipped)
        return page_of(self.session, found, ended, skipped)


def encoded_list(
    messages: Sealed[Any],
    encode_one: Callable[[Any], NewRecord | Unstorable],
    *,
    one: type,
    advice: str,
    session: str,
    record_bytes_max: int,
) -> tuple[NewRecord, ...]:
    """All messages of a call, encoded and checked; `one` message alone is no list of them.

    Raises:
        InvalidMessage: it is no list, or holds a message that cannot be stored.
    """
    given = type(messages.content)
    # A list by its very type first: to ask abstract classes costs 20 us, as much as the encoding.
    if given is not list and (
        issubclass(given, one | str | bytes | Mapping) or not issubclass(given, Iterable)
    ):
        raise InvalidMessage(
            f"a list of messages is needed here, not {given.__name__}",
            index=0,
            session=session,
            next_step=advice,
        )
    # Encoded by map, for then no message has a name in a frame that raises.
    return encoded(
        tuple(map(encode_one, messages.content)),
        lambda record: record,
        session=session,
        record_bytes_max=record_bytes_max,
    )


def _nothing(place: ChatPosition | None = None) -> Plan[Page[Any]]:
    """No messages, without asking for any."""
    yield from ()
    return Page(ended=Ended.COUNT, begin=place, end=place)


def _backwards(found: Slice[Any]) -> Ended:
    return Ended.COUNT if found.older else Ended.BEGINNING


def _forwards(found: Slice[Any]) -> Ended:
    return Ended.COUNT if found.newer else Ended.END
