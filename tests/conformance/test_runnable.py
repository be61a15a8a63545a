"""LangChain's RunnableWithMessageHistory on `replay=True`: the model sees all that was said, once."""

import asyncio

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory

from kchat.langchain import KafkaChatMessageHistory
from tests.conformance.conftest import Open

TURNS = 10

# The class is deprecated in langchain-core 1.6.4 and works until 2.0: applications that use it are why
# `replay` exists. Nothing else may warn.
pytestmark = pytest.mark.filterwarnings(
    "ignore:RunnableWithMessageHistory is deprecated"
    ":langchain_core._api.deprecation.LangChainDeprecationWarning"
)


@pytest.mark.parametrize("face", ["invoke", "ainvoke"])
def test_ten_turns_leave_twenty_messages_and_the_model_sees_all_earlier_ones(
    open_history: Open, face: str
) -> None:
    seen: list[list[BaseMessage]] = []
    expected: list[BaseMessage] = []

    def model(messages: list[BaseMessage]) -> AIMessage:
        seen.append(list(messages))
        return AIMessage(f"answer {len(seen)}")

    def session(session_id: str) -> KafkaChatMessageHistory:
        assert session_id == "ignored"
        return open_history(replay=True)

    chain = RunnableWithMessageHistory(RunnableLambda(model), session)
    config = RunnableConfig(configurable={"session_id": "ignored"})
    with asyncio.Runner() as runner:
        for turn in range(1, TURNS + 1):
            question = HumanMessage(f"question {turn}")
            if face == "invoke":
                answer = chain.invoke([question], config)
            else:
                answer = runner.run(chain.ainvoke([question], config))
            expected.append(question)
            assert seen[-1] == expected
            expected.append(AIMessage(f"answer {turn}"))
            assert answer == expected[-1]

    whole = open_history(replay=True)
    assert whole.messages == expected
    assert len(expected) == 2 * TURNS
    assert whole.last_outcome is not None
    assert len({delivery.message_id for delivery in whole.last_outcome.progress.deliveries}) == 2 * TURNS
    assert whole.last_outcome.progress.duplicates == 0
