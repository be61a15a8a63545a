"""`KafkaChatMessageHistory`: the API of langchain_community's class of that name, on kchat's core."""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, NoReturn, Self

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from kchat.conversation.arguments import age, switch, whole
from kchat.conversation.computing import are_large, at_once_or_aside
from kchat.conversation.ending import Ending
from kchat.conversation.ids import new_message_id
from kchat.conversation.remembering import memory_of
from kchat.core import (
    AppendRequest,
    AppendUnknown,
    CorruptRecord,
    KchatError,
    Log,
    ReadOutcome,
    ReadRequest,
    Replayed,
    Sealed,
    TopicSettings,
    acknowledged,
    place,
    provisioned,
)
from kchat.io import SharedLog, share_log
from kchat.langchain.adding import AsyncAdds
from kchat.langchain.arguments import CorruptPolicy, message_types, policy, properties
from kchat.langchain.asking import MESSAGES_MAX_DEFAULT, SECONDS_MAX_DEFAULT, Asking
from kchat.langchain.handing import Judged, handed
from kchat.langchain.messages import decoder, encoder
from kchat.langchain.reading import ConversationReads
from kchat.langchain.stepping import Heeding, Stepping, aread_in_steps, read_in_steps
from kchat.langchain.streaming import BATCH_MAX_DEFAULT, astream, stream

DEFAULT_TTL_MS = 604_800_000
"""Seven days, in milliseconds: as the other two, the seed's default."""
DEFAULT_REPLICATION_FACTOR = 1
"""One replica: the broker that has it is the only one."""
DEFAULT_PARTITION = 3
"""Three partitions, of which a session uses one."""


class KafkaChatMessageHistory(AsyncAdds, ConversationReads, BaseChatMessageHistory):
    """Chat message history of one session, kept in an Apache Kafka topic.

    The successor of langchain_community's class, with the same members. Reading is stateful as it was there:
    `messages` continues after the last message that was read, and the place is remembered in Kafka, in the
    consumer group named like the topic. For `RunnableWithMessageHistory` pass `replay=True`: then `messages`
    is the whole conversation every time, and the place is left alone.

    Construction does no I/O; the topic is created by the first append. Histories of the same cluster and
    `config` share their connections, so one a request costs nothing.

    Args:
        session_id: names the conversation. A legal topic name is the topic; any other text is escaped.
        bootstrap_servers: "host:port", several separated by commas.
        ttl_ms: `retention.ms` of a topic that is created, -1 to keep for ever. Default 7 days.
        replication_factor: replicas of a topic that is created. With 1, losing one broker loses the messages.
        partition: number of partitions of a topic that is created. A session uses one of them.
        replay: `messages` is the whole conversation every time, in objects it keeps: do not change them.
        on_corrupt: "raise" ends a read at a record that is no message with `CorruptRecord`; "skip" reads
            around it and reports it in `skipped`.
        allowed_types: types of messages, {"human", "ai"} say; None for all. A message of another type is
            refused when it is added, and one that is in the topic is no message: `on_corrupt` decides.
        provision: create a missing topic, and delete it when told to `clear`. False for topics that an
            administrator creates and deletes (docs/security.md): then a missing one is an error.
        max_age: show no message whose record timestamp is older than this when the read begins, exact to the
            millisecond; None for any age. Kafka's own retention (`ttl_ms`) drops whole segments, much later.
            The place moves over what is too old as over what was returned.
        config: properties of librdkafka by their names: security, compression, any other. Those that would
            break a promise are refused (`kchat.io.REFUSED`).
        log: run on this log: a `KafkaLog` that you keep open, or a `kchat.testing.FakeBroker`. The history
            does not close it. `bootstrap_servers` and `config` are then not used.

    Raises:
        InvalidSessionId: the id cannot be a topic. It is a ValueError.
        InvalidConfig: a property is refused. It is a ValueError.
        ValueError: another argument makes no sense.
    """

    def __init__(
        self,
        session_id: str,
        bootstrap_servers: str,
        ttl_ms: int = DEFAULT_TTL_MS,
        replication_factor: int = DEFAULT_REPLICATION_FACTOR,
        partition: int = DEFAULT_PARTITION,
        *,
        replay: bool = False,
        on_corrupt: CorruptPolicy = "raise",
        allowed_types: Collection[str] | None = None,
        provision: bool = True,
        max_age: timedelta | None = None,
        config: Mapping[str, Any] | None = None,
        log: Log | None = None,
    ) -> None:
        sealed = Sealed(config)
        del config
        placement = place(session_id)
        types = message_types(allowed_types)
        settings = TopicSettings(
            partitions=whole(partition, "partition", 1, (1 << 31) - 1),
            replication_factor=replication_factor,
            ttl_ms=ttl_ms,
        )
        provided, max_age_ms, if_corrupt = switch(provision, "provision"), age(max_age), policy(on_corrupt)
        self._topic = placement.topic
        self.session_id = session_id
        self.bootstrap_servers = bootstrap_servers
        self.replay: bool = switch(replay, "replay")
        self.last_outcome: ReadOutcome[BaseMessage] | None = None
        """How the last read ended, and what it saw: `Complete`, `Partial` with its limit, or `Failed`."""
        self.skipped: tuple[CorruptRecord, ...] = ()
        """The records that the last read went around, with `on_corrupt="skip"`."""
        self.skipped_total: int = 0
        """How many records all reads of this history went around."""
        self._marked = False
        self._heeding = Heeding()
        self._replayed: Replayed[BaseMessage] = Replayed()
        self._share: SharedLog | None = None
        if log is None:
            self._share = share_log(properties(bootstrap_servers, sealed))
            log = self._share.log
        elif not hasattr(log, "read"):
            raise ValueError(f"log must be a KafkaLog or a FakeBroker, not {type(log).__name__}")
        self._log = log
        self._ask = Asking(
            session_id=session_id,
            placement=placement,
            settings=settings if provided else None,
            decoder=decoder(types),
            on_corrupt=if_corrupt,
            encode=encoder(placement.key, new_message_id, types),
            max_age_ms=max_age_ms,
            log=log,
        )
        self._memory = memory_of(log, placement, self._ask.decoder)
        self._ending = Ending()

    def __repr__(self) -> str:
        if not hasattr(self, "session_id"):
            return "<KafkaChatMessageHistory>"  # as a traceback out of its construction shows it
        return f"<KafkaChatMessageHistory {self.session_id!a} in topic {self._topic}>"

    __str__ = __repr__  # the base class would read the whole conversation, and print it

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a KafkaChatMessageHistory cannot be pickled or copied: it has connections and passwords;"
            " build one per process"
        )

    # Reading

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]  # the seed and its base class disagree too
        """The next messages after the last one read: at most 5, within 5 s. All of them with `replay`.

        Those it keeps, and gives again: copy one to change it. Raises as `messages_from_last_consumed` does.
        """
        return self._read(self._messages_request())

    async def aget_messages(self) -> list[BaseMessage]:
        """`messages`, without blocking the event loop."""
        return await self._aread(self._messages_request())

    def messages_from_beginning(
        self,
        max_message_count: int | None = MESSAGES_MAX_DEFAULT,
        max_time_sec: float | None = SECONDS_MAX_DEFAULT,
    ) -> list[BaseMessage]:
        """Reset to the beginning and return messages; the next read continues after them.

        Args:
            max_message_count: how many at most; None for no limit. With 0 nothing is asked or moved.
            max_time_sec: how long at most, in seconds; None for as long as the broker answers.

        Returns:
            The messages in order. At the end of the log the read ends at once; see `last_outcome`.

        Raises:
            CorruptRecord: a record is no message, and `on_corrupt` is "raise". The place is where it was.
            ReadFailed: the broker cannot be reached, denies, or did not answer in time.
            ValueError: a limit makes no sense.
        """
        return self._read(self._ask.first_ones(max_message_count, max_time_sec))

    async def amessages_from_beginning(
        self,
        max_message_count: int | None = MESSAGES_MAX_DEFAULT,
        max_time_sec: float | None = SECONDS_MAX_DEFAULT,
    ) -> list[BaseMessage]:
        """`messages_from_beginning`, without blocking the event loop."""
        return await self._aread(self._ask.first_ones(max_message_count, max_time_sec))

    def messages_from_last_consumed(
        self,
        max_message_count: int | None = MESSAGES_MAX_DEFAULT,
        max_time_sec: float | None = SECONDS_MAX_DEFAULT,
    ) -> list[BaseMessage]:
        """Continue after the last message that was read, by any process that reads this session's place.

        Arguments, result and errors as in `messages_from_beginning`.
        """
        return self._read(self._ask.next_ones(max_message_count, max_time_sec))

    async def amessages_from_last_consumed(
        self,
        max_message_count: int | None = MESSAGES_MAX_DEFAULT,
        max_time_sec: float | None = SECONDS_MAX_DEFAULT,
    ) -> list[BaseMessage]:
        """`messages_from_last_consumed`, without blocking the event loop."""
        return await self._aread(self._ask.next_ones(max_message_count, max_time_sec))

    def messages_from_latest(
        self,
        max_message_count: int | None = MESSAGES_MAX_DEFAULT,
        max_time_sec: float | None = SECONDS_MAX_DEFAULT,
    ) -> list[BaseMessage]:
        """Reset to the end and wait for new messages until a limit; the next read continues after them.

        Arguments, result and errors as in `messages_from_beginning`; one of the limits must be given.
        """
        return self._read(self._ask.coming_ones(max_message_count, max_time_sec))

    async def amessages_from_latest(
        self,
        max_message_count: int | None = MESSAGES_MAX_DEFAULT,
        max_time_sec: float | None = SECONDS_MAX_DEFAULT,
    ) -> list[BaseMessage]:
        """`messages_from_latest`, without blocking the event loop."""
        return await self._aread(self._ask.coming_ones(max_message_count, max_time_sec))

    def stream_messages(self, batch_max: int = BATCH_MAX_DEFAULT) -> Iterator[BaseMessage]:
        """The whole conversation, message by message, however long: at most `batch_max` are in memory.

        The place is left alone. Messages that are appended meanwhile come, too; `skipped` and `last_outcome`
        are those of the last batch. Raises as `messages_from_beginning` does, after what lies before it.
        """
        read, request = self._open_log().read, self._ask.batch(batch_max)
        return stream(read, self._judged, self._took, request, self._memory)

    def astream_messages(self, batch_max: int = BATCH_MAX_DEFAULT) -> AsyncIterator[BaseMessage]:
        """`stream_messages`, without blocking the event loop."""
        aread, request = self._open_log().aread, self._ask.batch(batch_max)
        return astream(aread, self._judged, self._took, request, self._memory)

    # Appending

    def add_messages(self, messages: Sequence[BaseMessage], flush_timeout_seconds: float = 5.0) -> None:
        """Append messages; returns when all in-sync replicas have every one of them.

        All are encoded and checked before the first is sent.

        Args:
            messages: LangChain messages, of its own classes.
            flush_timeout_seconds: how long to wait for the acknowledgements. A leader's death takes a
                cluster with default settings 10 to 12 s to mend (measured): allow more to sit that out.

        Raises:
            InvalidMessage: a message would not read back equal; nothing was sent. It is an AppendRefused.
            AppendRefused: nothing is stored, and nothing will be.
            AppendUnknown: some may be stored; `resend` is safe.
            ValueError: the time limit makes no sense.
        """
        sealed = Sealed(messages)
        del messages
        self._append(self._append_request(sealed, flush_timeout_seconds))

    async def aadd_messages(
        self, messages: Sequence[BaseMessage], flush_timeout_seconds: float = 5.0
    ) -> None:
        """`add_messages`, without blocking the event loop. Do not change the messages before it returns."""
        large = are_large(messages)
        sealed = Sealed(tuple(messages) if large else messages)  # the list may change while it is encoded
        del messages
        encode = partial(self._append_request, sealed, flush_timeout_seconds)
        await self._aappend(await at_once_or_aside(encode, large=large))

    def resend(self, error: AppendUnknown, flush_timeout_seconds: float = 5.0) -> None:
        """Append the records of an `AppendUnknown` again; a reader drops the second copy of each.

        It may end as `AppendUnknown` again; never as `AppendRefused`, for the first attempt may be stored.

        Raises:
            AppendUnknown: some may be stored; resend again.
            ValueError: the error is not of this session, or out of a pickle; a type is not allowed here.
            Closed: the history was closed before.
        """
        self._append(self._ask.again(error, flush_timeout_seconds))

    async def aresend(self, error: AppendUnknown, flush_timeout_seconds: float = 5.0) -> None:
        """`resend`, without blocking the event loop."""
        await self._aappend(self._ask.again(error, flush_timeout_seconds))

    # Ending

    def clear(self, *, keep_topic: bool = False) -> None:
        """Delete the topic, and wait until it is gone. The next append creates it again.

        With `keep_topic` only its messages are deleted (DeleteRecords), and `provision=False` allows it.

        Raises:
            TopicNotChanged: the broker does not allow it, or it did not happen within 10 s; with
                `provision=False` always, and nothing is asked.
        """
        outcome = self._open_log().provision(self._ask.clear(keep_topic=keep_topic))
        provisioned(outcome, session=self.session_id, topic=self._topic)

    async def aclear(self, *, keep_topic: bool = False) -> None:
        """`clear`, without blocking the event loop."""
        outcome = await self._open_log().aprovision(self._ask.clear(keep_topic=keep_topic))
        provisioned(outcome, session=self.session_id, topic=self._topic)

    def close(self) -> None:
        """Release this history's share of the connections; the last one to do so ends them. Idempotent."""
        self._ending.end()
        if self._share is not None:
            self._share.release()

    async def aclose(self) -> None:
        """`close`, without blocking the event loop."""
        self._ending.end()
        if self._share is not None:
            await self._share.arelease()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # What sync and async have in common afterwards

    def _messages_request(self) -> ReadRequest[BaseMessage]:
        if self.replay:
            return self._ask.whole(self._replayed)
        return self._ask.next_ones(MESSAGES_MAX_DEFAULT, SECONDS_MAX_DEFAULT)

    def _append_request(
        self, messages: Sealed[Sequence[BaseMessage]], flush_timeout_seconds: float
    ) -> AppendRequest:
        records = self._ask.records(messages, self._open_log().record_bytes_max)
        return self._ask.append(records, flush_timeout_seconds)

    def _read(self, request: ReadRequest[BaseMessage]) -> list[BaseMessage]:
        return read_in_steps(self._open_log(), self._stepping(request))

    async def _aread(self, request: ReadRequest[BaseMessage]) -> list[BaseMessage]:
        return await aread_in_steps(self._open_log(), self._stepping(request))

    def _stepping(self, request: ReadRequest[BaseMessage]) -> Stepping:
        return Stepping(
            request, self._memory, self._heeding, lambda: self._log.now_ms, self._judged, self._took
        )

    def _append(self, request: AppendRequest) -> None:
        outcome = self._open_log().append(request)
        acknowledged(outcome, session=self.session_id, topic=request.topic)

    async def _aappend(self, request: AppendRequest) -> None:
        outcome = await self._open_log().aappend(request)
        acknowledged(outcome, session=self.session_id, topic=request.topic)

    def _judged(self, request: ReadRequest[BaseMessage], outcome: ReadOutcome[BaseMessage]) -> Judged:
        """What there is to hand out. Nothing changes here: the caller may be gone before it is done."""
        try:
            return outcome, handed(self._ask, request, outcome, marked=self._marked)
        except KchatError as error:
            return outcome, error

    def _took(self, judged: Judged) -> list[BaseMessage]:
        """What a read hands to the caller, and what it leaves to be asked about."""
        outcome, found = judged
        self.last_outcome, self.skipped = outcome, ()
        if isinstance(found, KchatError):
            raise found
        self.skipped, self._marked = found.skipped, found.marked
        self.skipped_total += len(found.skipped)
        self._replayed = found.replayed or self._replayed
        return found.messages
