"""The async twins of LangChain's conveniences for adding one message."""

from collections.abc import Awaitable, Callable

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage


class AsyncAdds:
    """What `KafkaChatMessageHistory` adds one by one. Errors are those of `aadd_messages`."""

    aadd_messages: Callable[..., Awaitable[None]]

    async def aadd_message(self, message: BaseMessage) -> None:
        """Append one message, without blocking the event loop."""
        adding = self.aadd_messages([message])
        del message
        await adding

    async def aadd_user_message(self, message: HumanMessage | str) -> None:
        """Append what the user said, without blocking the event loop."""
        adding = self.aadd_message(HumanMessage(message) if isinstance(message, str) else message)
        del message
        await adding

    async def aadd_ai_message(self, message: AIMessage | str) -> None:
        """Append what the model said, without blocking the event loop."""
        adding = self.aadd_message(AIMessage(message) if isinstance(message, str) else message)
        del message
        await adding
