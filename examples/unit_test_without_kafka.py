"""A unit test of an application function, without Kafka: on a fake broker, with a fault.

Run it with pytest, or as it is.
"""

from langchain_core.messages import BaseMessage

from kchat.core import AppendUnknown
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker, LostAnswer


def answer(history: KafkaChatMessageHistory, question: str) -> str:
    """The application: it stores the question and the answer, and none of them twice."""
    reply = f"You have asked {len(question)} characters."
    for append, text in ((history.add_user_message, question), (history.add_ai_message, reply)):
        try:
            append(text)
        except AppendUnknown as unknown:
            history.resend(unknown)  # safe: a reader drops a second copy
    return reply


def conversation(broker: FakeBroker) -> list[BaseMessage]:
    """What another process reads."""
    return KafkaChatMessageHistory("s", "unused:9092", replay=True, log=broker).messages


def test_question_and_answer_are_stored() -> None:
    """The application as it runs on a good day."""
    broker = FakeBroker()
    history = KafkaChatMessageHistory("s", "unused:9092", log=broker)
    reply = answer(history, "Hello?")
    assert [message.content for message in conversation(broker)] == ["Hello?", reply]


def test_an_append_whose_answer_is_lost_is_stored_once() -> None:
    """The application as it runs when the broker dies between storing and answering."""
    broker = FakeBroker()
    history = KafkaChatMessageHistory("s", "unused:9092", log=broker)
    history.add_user_message("before")
    # Of the next append: asking for the topic goes well; the records are stored, the answer is lost.
    broker.plan += [None, LostAnswer()]
    reply = answer(history, "Hello?")
    assert [message.content for message in conversation(broker)] == ["before", "Hello?", reply]
    # The log has the question twice, and its reader has it once.
    assert sum(len(partition.records) for partition in broker.cluster.topics["s"].partitions) == 4


if __name__ == "__main__":
    test_question_and_answer_are_stored()
    test_an_append_whose_answer_is_lost_is_stored_once()
    print("both tests passed, without Kafka")
