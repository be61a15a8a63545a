"""The seed's calls as requests to the core: what both faces have in common before anything is done."""

from collections.abc import Callable, Sequence

from attrs import frozen
from langchain_core.messages import BaseMessage

from kchat.conversation.arguments import oldest_ms, switch, whole
from kchat.conversation.asking import Asking as ConversationAsking
from kchat.conversation.asking import encoded_list
from kchat.conversation.ending import Ending
from kchat.conversation.remembering import Memory
from kchat.core import (
    AppendRequest,
    AppendUnknown,
    Corrupt,
    Failed,
    FromBeginning,
    FromCommitted,
    FromEnd,
    Limit,
    Log,
    NewRecord,
    OnCorrupt,
    Partial,
    Placement,
    ReadFailed,
    ReadOutcome,
    ReadRequest,
    Record,
    RemoveTopic,
    Replayed,
    Sealed,
    Start,
    TopicNotChanged,
    TopicSettings,
    TruncateTopic,
    Unstorable,
)
from kchat.langchain.arguments import count, milliseconds
from kchat.langchain.messages import LangChainDecoder

MESSAGES_MAX_DEFAULT = 5
SECONDS_MAX_DEFAULT = 5.0
"""The seed's documented limits of one read."""

PARTITIONS_EXPECTED_MAX = 100
"""Of more partitions a session would not ask ahead."""

CLEAR_SECONDS_MAX = 10.0
"""How long `clear` waits until the topic is gone; a deletion takes 31 ms on one broker (measured)."""


@frozen(kw_only=True)
class Asking:
    """What the requests of one session share.

    Without `settings` the topic is somebody else's to create and to delete. `log` tells the time, by which a
    message is too old.
    """

    session_id: str
    placement: Placement
    settings: TopicSettings | None
    decoder: LangChainDecoder
    on_corrupt: OnCorrupt
    encode: Callable[[BaseMessage], NewRecord | Unstorable]
    max_age_ms: int | None
    log: Log

    def conversing(self, memory: Memory, ending: Ending) -> ConversationAsking[BaseMessage]:
        """The same session for the reads of `kchat.conversation`."""
        return ConversationAsking(
            session=self.session_id,
            placement=self.placement,
            settings=self.settings,
            decoder=self.decoder,
            encode=self.encode,
            on_corrupt=self.on_corrupt,
            max_age_ms=self.max_age_ms,
            timestamp_ms=lambda: self.log.timestamp_ms,
            memory=memory,
            ending=ending,
        )

    def whole(self, replayed: Replayed[BaseMessage] | None) -> ReadRequest[BaseMessage]:
        """The whole conversation, behind what is known of it; no cursor is asked or moved."""
        return self._read(FromBeginning(), replayed=replayed)

    def batch(self, messages_max: int) -> ReadRequest[BaseMessage]:
        """The first messages of the conversation; no cursor is asked or moved."""
        return self._read(FromBeginning(), messages_max=whole(messages_max, "batch_max", 1))

    def next_ones(
        self, max_message_count: int | None, max_time_sec: float | None
    ) -> ReadRequest[BaseMessage]:
        """From the cursor on."""
        return self._cursor(FromCommitted(self.placement.group), max_message_count, max_time_sec)

    def first_ones(
        self, max_message_count: int | None, max_time_sec: float | None
    ) -> ReadRequest[BaseMessage]:
        """From the beginning on; the cursor then stands after what was read."""
        return self._cursor(FromBeginning(), max_message_count, max_time_sec)

    def coming_ones(
        self, max_message_count: int | None, max_time_sec: float | None
    ) -> ReadRequest[BaseMessage]:
        """What comes after the end; the cursor moves there."""
        if max_message_count is None and max_time_sec is None:
            raise ValueError(
                "messages_from_latest needs max_message_count or max_time_sec: it would never end"
            )
        return self._cursor(FromEnd(), max_message_count, max_time_sec, follow=True)

    def records(
        self, messages: Sealed[Sequence[BaseMessage]], record_bytes_max: int
    ) -> tuple[NewRecord, ...]:
        """All messages of a call, encoded and checked."""
        return encoded_list(
            messages,
            self.encode,
            one=BaseMessage,
            advice="put the message in a list, or use add_message",
            session=self.session_id,
            record_bytes_max=record_bytes_max,
        )

    def append(self, records: tuple[NewRecord, ...], flush_timeout_seconds: float) -> AppendRequest:
        """Append records; a missing topic is created, if there are settings for it."""
        wait_ms_max = milliseconds(flush_timeout_seconds, "flush_timeout_seconds", or_none="")
        if wait_ms_max is None:
            raise ValueError(
                "flush_timeout_seconds must be a number of seconds: an append always has a limit"
            )
        return AppendRequest(
            topic=self.placement.topic,
            records=records,
            settings=self.settings,
            partition=self.placement.append_partition,
            wait_ms_max=max(1, wait_ms_max),
        )

    def again(self, error: object, flush_timeout_seconds: float) -> AppendRequest:
        """Append the records of an error of this session once more. Raises as `resendable` does."""
        return self.append(self.resendable(error).records, flush_timeout_seconds)

    def resendable(self, error: object) -> AppendUnknown:
        """An error of this session that still has its records, all of types that are allowed here.

        Raises:
            ValueError: it is another error, it came out of a pickle, or a record is of a type that is not
                allowed here. Not `AppendRefused`: the first attempt may have stored it.
        """
        if not isinstance(error, AppendUnknown) or error.topic != self.placement.topic:
            raise ValueError(
                f"resend takes an AppendUnknown of session {self.session_id!a}, not {type(error).__name__}"
                f"{f' of {error.session!a}' if isinstance(error, AppendUnknown) else ''}"
            )
        if not error.records:
            raise ValueError(
                "this error was pickled, and what was said does not travel in a pickle:"
                " resend in the process that appended"
            )
        for index, new in enumerate(error.records):
            judged = self.decoder.neutral.decode(Record(0, 0, 0, new.key, new.value, new.headers))
            if isinstance(judged, Corrupt):
                raise ValueError(
                    f"message {index} of this error comes from a history that allows more: {judged.reason}"
                )
        return error

    def clear(self, *, keep_topic: bool) -> RemoveTopic | TruncateTopic:
        """Delete the topic, or what is in it."""
        wait_ms_max = int(CLEAR_SECONDS_MAX * 1000)
        if switch(keep_topic, "keep_topic"):
            return TruncateTopic(topic=self.placement.topic, wait_ms_max=wait_ms_max)
        if self.settings is None:
            raise TopicNotChanged(
                "the topic was not deleted: with provision=False it is not this history's to delete,"
                " since it could not create it again",
                session=self.session_id,
                topic=self.placement.topic,
                next_step="have it deleted, and created again, by whoever created it",
            )
        return RemoveTopic(topic=self.placement.topic, wait_ms_max=wait_ms_max)

    def check_found(self, outcome: ReadOutcome[BaseMessage]) -> None:
        """Without provision a missing topic is no empty conversation: nobody could have begun it.

        Raises:
            ReadFailed: the read found no topic.
        """
        not_asked = isinstance(outcome, Partial) and outcome.limit is Limit.COUNT
        failed = isinstance(outcome, Failed)
        if self.settings is None and not (outcome.progress.positions or not_asked or failed):
            raise ReadFailed(
                "there is no such topic, and with provision=False no append creates it",
                session=self.session_id,
                topic=self.placement.topic,
                next_step="have it created, or correct the session id",
            )

    @property
    def _partitions_expected(self) -> tuple[int, ...]:
        """Those that the topic has if this history created it; a number beyond reason is no expectation."""
        count = self.settings.partitions if self.settings else 0
        return tuple(range(count)) if count <= PARTITIONS_EXPECTED_MAX else ()

    def _cursor(
        self, start: Start, max_message_count: int | None, max_time_sec: float | None, *, follow: bool = False
    ) -> ReadRequest[BaseMessage]:
        return self._read(
            start,
            messages_max=count(max_message_count, "max_message_count"),
            wait_ms_max=milliseconds(max_time_sec, "max_time_sec"),
            follow=follow,
            commit_to=self.placement.group,
        )

    def _read(
        self,
        start: Start,
        *,
        messages_max: int | None = None,
        wait_ms_max: int | None = None,
        follow: bool = False,
        commit_to: str | None = None,
        replayed: Replayed[BaseMessage] | None = None,
    ) -> ReadRequest[BaseMessage]:
        return ReadRequest(
            topic=self.placement.topic,
            start=start,
            decoder=self.decoder,
            key=self.placement.key_filter,
            partition=self.placement.partition,
            on_corrupt=self.on_corrupt,
            messages_max=messages_max,
            wait_ms_max=wait_ms_max,
            follow=follow,
            commit_to=commit_to,
            since_ms=None if self.max_age_ms is None else oldest_ms(self.log.timestamp_ms, self.max_age_ms),
            with_removals=True,
            replayed=replayed,
            topic_expected=self.settings is None and not follow,
            partitions_expected=self._partitions_expected,
        )
