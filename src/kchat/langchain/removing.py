"""`RemoveMessage`: a message that it removes is not handed out, and neither is the marker that did it."""

from collections.abc import Iterable, Sequence

from langchain_core.messages import BaseMessage

from kchat.core import Delivery, Removals
from kchat.core.removals import names_of
from kchat.core.wire import is_removal


def any_removal(messages: Iterable[BaseMessage]) -> bool:
    """Whether there is a marker among them."""
    return any(map(is_removal, messages))


def settled(deliveries: Sequence[Delivery[BaseMessage]], *, whole: bool) -> list[BaseMessage]:
    """A piece of a conversation without what is removed in it.

    A marker of a message that is not in this piece is handed on: who reads piece by piece has that message.
    """
    visible = Removals.among(deliveries).visible(deliveries)
    if whole or len(visible) == len(deliveries):
        return [delivery.message for delivery in visible]
    shown = {id(delivery) for delivery in visible}
    here = {
        name
        for delivery in deliveries
        for name in names_of(delivery.message, delivery.rank, delivery.message_id)
        if not is_removal(delivery.message)
    }
    return [
        delivery.message
        for delivery in deliveries
        if id(delivery) in shown or (is_removal(delivery.message) and delivery.message.id not in here)
    ]
