"""`Cursor`: an independent reader of a session, by blocking calls."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

from attrs import frozen

from kchat.conversation.cursors import CursorAsking, Edge
from kchat.conversation.page import Page
from kchat.core import ChatPosition, CursorGone, FitRequest, Log, WatchRequest, carry_out, provisioned
from kchat.core.plans import Ask

M = TypeVar("M")


def answering(log: Log) -> Callable[[Ask], Any]:
    """What answers a plan's questions, by blocking calls."""

    def answer(asked: Ask) -> Any:
        match asked:
            case WatchRequest():
                return log.watch(asked)
            case FitRequest():
                return asked.answer()
            case _:
                return log.read(asked)

    return answer


@frozen(repr=False, eq=False)
class Cursor(Generic[M]):
    """A reader whose place is kept in Kafka: at least once, by an explicit `commit`.

    One object is for one thread at a time. Two readers of one name each get all that comes after the place;
    the last commit wins.
    """

    _log: Log
    _ask: CursorAsking[M]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._ask.name!a} of {self._ask.ask.session!a}>"

    @property
    def name(self) -> str:
        """Its name."""
        return self._ask.name

    def read(self, count: int = 100, wait_seconds: float = 0.0) -> Page[M]:
        """The next messages after those that this object read, at first after the committed place.

        Where there are none, or no session yet, it waits for at most `wait_seconds`. A removal of a message
        that came before is handed out, as a message of the type "remove", and counts as one; so it is by an
        object that begins at a committed place, also for a message that nobody got. Raises as
        `Conversation.read` does.
        """
        return self._ask.took(carry_out(self._ask.read(count, wait_seconds), answering(self._log)))

    def commit(self) -> None:
        """Store the place behind all that was read: the next reader of this name goes on there.

        Raises:
            ReadFailed: it is not known to be stored; what was read may come again.
            CursorConflict: a consumer has joined the cursor's group.
        """
        carry_out(self._ask.commit(), answering(self._log))

    def seek(self, target: ChatPosition | datetime | Edge) -> None:
        """Move the cursor, and store its new place.

        It moves to a position's message, which comes next then, to the first message of a time, to
        `Edge.BEGINNING` or to `Edge.END`.

        Raises:
            InvalidPosition, PositionGone: as `Conversation.after` does.
            ReadFailed: it was not moved, or is not known to be.
        """
        carry_out(self._ask.seek(target), answering(self._log))
        self._ask.moved()

    def delete(self) -> bool:
        """Forget the stored place; whether there was one, as far as the last answer tells.

        Raises:
            TopicNotChanged: the broker did not do it.
        """
        outcome = self._log.provision(self._ask.remove())
        ask = self._ask.ask
        gone = provisioned(outcome, session=ask.session, topic=ask.placement.topic)
        self._ask.moved()
        return isinstance(gone, CursorGone) and gone.deleted
