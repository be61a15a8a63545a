"""A LangChain chain that remembers: RunnableWithMessageHistory on Kafka.

It runs on the cluster that KCHAT_BOOTSTRAP names, else on an embedded one: librdkafka's mock cluster.
(LangChain calls RunnableWithMessageHistory deprecated, and keeps it until its version 2.)
"""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import RunnableLambda
from langchain_core.runnables.history import RunnableWithMessageHistory

from kchat.io import EmbeddedKafka, KafkaLog
from kchat.langchain import KafkaChatMessageHistory


def model(prompt: PromptValue) -> AIMessage:
    """A model that needs no key: it says what it was shown."""
    asked = [str(message.content) for message in prompt.to_messages() if isinstance(message, HumanMessage)]
    return AIMessage(f"That is question {len(asked)}; the first was {asked[0]!r}.")


PROMPT = ChatPromptTemplate.from_messages(
    [("system", "You remember everything."), MessagesPlaceholder("history"), ("human", "{question}")]
)


@contextmanager
def opened() -> Iterator[KafkaLog]:
    """One log for all sessions of the process."""
    bootstrap = os.environ.get("KCHAT_BOOTSTRAP")
    if bootstrap:
        with KafkaLog({"bootstrap.servers": bootstrap}) as log:
            yield log
    else:
        with EmbeddedKafka() as embedded, embedded.log() as log:
            yield log


def main() -> None:
    """Ask three questions, each in a chain call of its own."""
    with opened() as log:

        def history(session_id: str) -> KafkaChatMessageHistory:
            # replay=True: the chain wants the whole conversation every time, not what came since.
            return KafkaChatMessageHistory(session_id, log.servers, replay=True, log=log)

        chain = RunnableWithMessageHistory(
            PROMPT | RunnableLambda(model),
            history,
            input_messages_key="question",
            history_messages_key="history",
        )
        session_id = f"example-{uuid.uuid4().hex[:8]}"
        for question in ("What is a log?", "And a topic?", "What did I ask first?"):
            reply = chain.invoke({"question": question}, {"configurable": {"session_id": session_id}})
            print(f"{question}\n    {reply.content}")
        print(f"{len(history(session_id).messages)} messages in session {session_id}, at {log.servers}")


if __name__ == "__main__":
    main()
