"""What is said in `kchat demo`."""

from collections.abc import Sequence

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

ARRIVING = HumanMessage("This was appended by another thread while a read was waiting.")
ASYNC = AIMessage("And this without blocking the event loop.")
"""Two more, which the demo appends while it reads: from another thread, and with `aadd_messages`."""


def default_conversation() -> list[BaseMessage]:
    """A question, a tool call with its answer, and some more, so that it takes two reads of five."""
    return [
        HumanMessage("Will I need an umbrella in Lima tomorrow?"),
        AIMessage("", tool_calls=[{"name": "forecast", "args": {"city": "Lima", "days": 1}, "id": "call-1"}]),
        ToolMessage("overcast, 17 °C, no rain", tool_call_id="call-1", name="forecast"),
        AIMessage("No: overcast, but dry, at 17 °C."),
        HumanMessage("And a jacket?"),
        AIMessage("A light one, for the evening."),
    ]


def said_conversation(texts: Sequence[str]) -> list[BaseMessage]:
    """These texts, the user's and the model's in turn."""
    return [HumanMessage(text) if turn % 2 == 0 else AIMessage(text) for turn, text in enumerate(texts)]
