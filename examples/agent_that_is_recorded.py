"""A LangChain agent whose conversation is kept: a middleware brings the past and records what is new.

Every step is recorded before the model is asked again, tool calls and their results too: an agent that dies
at work leaves what it has done. The model is canned and needs no key. Besides kchat[langchain]: langchain.
"""

from collections.abc import Sequence
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, AgentState
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, RemoveMessage, ToolCall
from langchain_core.tools import tool
from langgraph.graph.message import REMOVE_ALL_MESSAGES

from kchat.core import AppendUnknown
from kchat.io import EmbeddedKafka
from kchat.langchain import KafkaChatMessageHistory


class Recording(AgentMiddleware):
    """Puts what was said before in front of the question, and appends what the agent adds."""

    def __init__(self, history: KafkaChatMessageHistory) -> None:
        super().__init__()
        self.history = history  # with replay=True, and kept: reading it again fetches only what is new

    def before_agent(self, state: AgentState[Any], runtime: Any) -> dict[str, Any]:  # noqa: ARG002
        """The model is to see the whole conversation."""
        everything = RemoveMessage(id=REMOVE_ALL_MESSAGES)
        return {"messages": [everything, *self.history.messages, *state["messages"]]}

    def before_model(self, state: AgentState[Any], runtime: Any) -> None:  # noqa: ARG002
        """Append what is new: the question, and what tools have answered."""
        kept = {message.id for message in self.history.messages}  # LangGraph gives every message an id
        try:
            self.history.add_messages([m for m in state["messages"] if m.id not in kept])
        except AppendUnknown as unknown:
            self.history.resend(unknown)  # safe: a reader drops a second copy

    after_agent = before_model  # the answer


class Canned(GenericFakeChatModel):
    """A model that says what it was told to say."""

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> BaseChatModel:  # noqa: ARG002
        """It needs none: what it calls is canned, too."""
        return self


@tool
def multiply(a: int, b: int) -> int:
    """The product of two numbers."""
    return a * b


def main() -> None:
    """Ask two questions, each of a new agent: all that the second one knows is in the log."""
    call = ToolCall(name="multiply", args={"a": 6, "b": 7}, id="call-1")
    first = [AIMessage("I multiply.", tool_calls=[call]), AIMessage("42.")]
    turns = {"What is 6 times 7?": first, "Are you sure?": [AIMessage("I computed it.")]}
    with EmbeddedKafka() as embedded, embedded.log() as log:
        for question, answers in turns.items():
            history = KafkaChatMessageHistory("support-17", log.servers, replay=True, log=log)
            agent = create_agent(Canned(messages=iter(answers)), [multiply], middleware=[Recording(history)])
            seen = agent.invoke({"messages": [HumanMessage(question)]})["messages"]
            print(f"{question} {seen[-1].text} ({len(seen)} messages seen)")
        for message in KafkaChatMessageHistory("support-17", log.servers, replay=True, log=log).messages:
            print(f"{message.type:>6}: {message.text}")


if __name__ == "__main__":
    main()
