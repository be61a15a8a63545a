"""What is said in the conversations that are measured: turns of a question and a longer answer."""

import uuid

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

QUESTION = "Which of the two is the right one for us, and what would it cost to change it later? "
ANSWER = (
    "It depends on how often you read. Where a conversation is read at every turn, keep it in order and in"
    " one place; where it is searched, keep an index as well. Changing it later means to copy what is there,"
    " which takes about a minute for a million messages, and to point the readers at the copy. "
)


def conversation(count: int, first: int = 0) -> list[BaseMessage]:
    """So many messages, a question and an answer by turns; each says its number.

    Args:
        count: how many.
        first: the number of the first one, even.
    """
    return [
        HumanMessage(f"{QUESTION}({number})") if number % 2 == 0 else AIMessage(f"{ANSWER}({number})")
        for number in range(first, first + count)
    ]


def session_name(what: str) -> str:
    """A name that no other run has, and a legal topic, table and key."""
    return f"bench_{what}_{uuid.uuid4().hex[:12]}"
