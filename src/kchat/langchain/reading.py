"""The reads beyond the seed's: the last messages, those of a time, a page, and what comes, live."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import datetime

from langchain_core.messages import BaseMessage

from kchat.conversation import AsyncConversation, Conversation, Entry, Page
from kchat.conversation.asking import Asking as ConversationAsking
from kchat.conversation.ending import Ending
from kchat.conversation.remembering import Memory
from kchat.core import ChatPosition, Closed, Log
from kchat.langchain.asking import Asking


class ConversationReads:
    """What `KafkaChatMessageHistory` offers of its conversation. None of it touches the seed's place.

    Messages that a `RemoveMessage` or a redaction removes are not among what these give. Errors are those of
    `messages_from_beginning`, and ValueError where an argument makes no sense.

    Attributes:
        last_page: where the messages of the last call are, and why it ended; its `begin` and `end` are the
            positions to page on from. None before the first such call.
    """

    last_page: Page[BaseMessage] | None = None
    session_id: str

    _ask: Asking
    _ending: Ending
    _log: Log
    _memory: Memory

    @property
    def conversation(self) -> Conversation[BaseMessage]:
        """The session without LangChain's base class: every read, positions, cursors, redaction."""
        return Conversation(self._open_log(), self._conversing())

    @property
    def async_conversation(self) -> AsyncConversation[BaseMessage]:
        """`conversation`, for an event loop: its calls are awaited."""
        return AsyncConversation(self._open_log(), self._conversing())

    def messages_last(self, count: int) -> list[BaseMessage]:
        """The newest `count` messages; the cost follows the count."""
        return self._paged(self.conversation.last(count))

    async def amessages_last(self, count: int) -> list[BaseMessage]:
        """`messages_last`, without blocking the event loop."""
        return self._paged(await self.async_conversation.last(count))

    def messages_since(self, since: datetime | None, until: datetime | None = None) -> list[BaseMessage]:
        """The messages appended at `since` or later, and before `until`; both have a time zone."""
        return self._paged(self.conversation.since(since, until))

    async def amessages_since(
        self, since: datetime | None, until: datetime | None = None
    ) -> list[BaseMessage]:
        """`messages_since`, without blocking the event loop."""
        return self._paged(await self.async_conversation.since(since, until))

    def messages_before(self, position: ChatPosition, count: int) -> list[BaseMessage]:
        """The newest `count` messages before a position: `last_page.begin`, say."""
        return self._paged(self.conversation.before(position, count))

    async def amessages_before(self, position: ChatPosition, count: int) -> list[BaseMessage]:
        """`messages_before`, without blocking the event loop."""
        return self._paged(await self.async_conversation.before(position, count))

    def messages_after(self, position: ChatPosition, count: int) -> list[BaseMessage]:
        """The first `count` messages after a position: `last_page.end`, say."""
        return self._paged(self.conversation.after(position, count))

    async def amessages_after(self, position: ChatPosition, count: int) -> list[BaseMessage]:
        """`messages_after`, without blocking the event loop."""
        return self._paged(await self.async_conversation.after(position, count))

    def messages_window(
        self, tokens_max: int, count: Callable[[Sequence[BaseMessage]], int]
    ) -> list[BaseMessage]:
        """The newest messages that fit into so many tokens; never begins with a tool's lone result."""
        return self._paged(self.conversation.window(tokens_max, count))

    async def amessages_window(
        self, tokens_max: int, count: Callable[[Sequence[BaseMessage]], int]
    ) -> list[BaseMessage]:
        """`messages_window`, without blocking the event loop."""
        return self._paged(await self.async_conversation.window(tokens_max, count))

    def follow(
        self,
        *,
        new_only: bool = False,
        messages_max: int | None = None,
        seconds_max: float | None = None,
        wait_for_session: bool = False,
    ) -> Iterator[BaseMessage]:
        """The messages that are there and then those that come; `Conversation.follow` says more.

        It ends when the history is closed, and gives no message after that.
        """
        following = self.conversation.follow(
            new_only=new_only,
            messages_max=messages_max,
            seconds_max=seconds_max,
            wait_for_session=wait_for_session,
        )
        return self._until_closed(following)

    def afollow(
        self,
        *,
        new_only: bool = False,
        messages_max: int | None = None,
        seconds_max: float | None = None,
        wait_for_session: bool = False,
    ) -> AsyncIterator[BaseMessage]:
        """`follow`, without blocking the event loop."""
        following = self.async_conversation.follow(
            new_only=new_only,
            messages_max=messages_max,
            seconds_max=seconds_max,
            wait_for_session=wait_for_session,
        )
        return self._auntil_closed(following)

    def _until_closed(self, following: Iterator[Entry[BaseMessage]]) -> Iterator[BaseMessage]:
        for entry in following:
            if self._ending.over:  # in the midst of a batch
                return
            yield entry.message

    async def _auntil_closed(
        self, following: AsyncIterator[Entry[BaseMessage]]
    ) -> AsyncIterator[BaseMessage]:
        async for entry in following:
            if self._ending.over:
                return
            yield entry.message

    def _open_log(self) -> Log:
        if self._ending.over:
            raise Closed(
                "this history was closed", session=self.session_id, next_step="make a new one for the session"
            )
        return self._log

    def _paged(self, page: Page[BaseMessage]) -> list[BaseMessage]:
        self.last_page = page
        return page.messages

    def _conversing(self) -> ConversationAsking[BaseMessage]:
        return self._ask.conversing(self._memory, self._ending)
