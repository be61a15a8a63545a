"""Plans that are carried out with given answers: what they asked, and what they returned."""

from typing import Any

from kchat.core import Delivery, Message, Plan, Position, Progress, ReadRequest


def delivery(offset: int, *, removes: str | None = None) -> Delivery[Message]:
    data = {"content": "", "id": removes or f"m{offset}"}
    return Delivery(Message("remove" if removes else "human", data), 0, offset, offset, f"k{offset}")


def progress(begin: int, end: int, *deliveries: Delivery[Message], **fields: Any) -> Progress[Message]:
    began, positions = (Position(0, begin),), (Position(0, end),)
    return Progress(deliveries=deliveries, began=began, positions=positions, topic_id="T", **fields)


def carried_out(plan: Plan[Any], *answers: Any) -> tuple[list[ReadRequest[Message]], Any]:
    """What the plan asked, given these answers, and what it returned."""
    asked = [next(plan)]
    left = list(answers)
    try:
        while True:
            asked.append(plan.send(left.pop(0)))
    except StopIteration as end:
        assert not left, "every answer was needed"
        return [one for one in asked if isinstance(one, ReadRequest)], end.value
