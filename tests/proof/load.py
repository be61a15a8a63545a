"""Writers and readers of one session, as an application would have them, until a moment comes."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import AppendRefused, AppendUnknown, KchatError
from kchat.langchain import KafkaChatMessageHistory
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name, Told

LIMIT_SECONDS = 5.0
"""The limit of every call here: the default of `add_messages` and of `messages`."""

RESENDS_MAX = 12
"""How often one append is tried: a minute of a broker that does not come back."""

JOIN_SECONDS_MAX = 90.0
"""How long a worker may take to end after its last call; one that does not is a hang."""


def append_one(
    history: KafkaChatMessageHistory,
    ledger: Ledger,
    names: list[Name],
    figures: Figures,
    limit_seconds: float = LIMIT_SECONDS,
    make: Callable[[str], BaseMessage] = HumanMessage,
) -> Told:
    """Append until it is acknowledged or refused; what is unknown is resent, as the documentation says."""
    messages = [make(str(name)) for name in names]
    ledger.enter(names, Told.UNKNOWN)
    unknown: AppendUnknown | None = None
    for _ in range(RESENDS_MAX):
        try:
            with figures.call(limit_seconds):
                if unknown is None:
                    history.add_messages(messages, limit_seconds)
                else:
                    history.resend(unknown, limit_seconds)
        except AppendUnknown as error:
            unknown = error
            figures.add(unknown=1)
        except AppendRefused:
            if unknown is None:
                ledger.enter(names, Told.REFUSED)
                return Told.REFUSED
            time.sleep(0.1)  # the first attempt may be stored: it stays unknown until a resend goes through
        else:
            ledger.enter(names, Told.ACKNOWLEDGED)
            figures.add(acknowledged=len(names))
            return Told.ACKNOWLEDGED
    return Told.UNKNOWN


def write_turns(
    history: KafkaChatMessageHistory,
    ledger: Ledger,
    writer: str,
    figures: Figures,
    until: float,
    *,
    turn: int = 2,
    pause_seconds: float = 0.0,
) -> None:
    """Append turn after turn until the moment `until` of the monotonic clock."""
    number = 0
    while time.monotonic() < until:
        names = [Name(writer, number, place) for place in range(turn)]
        if append_one(history, ledger, names, figures) is Told.REFUSED:
            time.sleep(0.05)
        number += 1
        time.sleep(pause_seconds)


class Seen(list[str]):
    """What the reads of one cursor gave, in their order, less what may come again.

    A read whose commit was not answered says so (`Progress.unmoved`), and what it gave may come again: that
    is not a duplicate, in whichever later read it comes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._repeats: set[str] = set()

    def read(self, history: KafkaChatMessageHistory, count: int | None) -> tuple[int, bool]:
        """Read on; how many messages came, and whether the cursor stands behind them."""
        texts = [str(m.content) for m in history.messages_from_last_consumed(count, LIMIT_SECONDS)]
        self.extend(text for text in texts if text not in self._repeats)
        outcome = history.last_outcome
        moved = outcome is None or outcome.progress.unmoved is None
        if not moved:
            self._repeats.update(texts)
        return len(texts), moved


def follow_cursor(
    history: KafkaChatMessageHistory,
    seen: Seen,
    figures: Figures,
    until: float,
    *,
    count: int | None = 5,
) -> None:
    """Read on from the session's cursor, call after call, until the moment `until`."""
    while time.monotonic() < until:
        try:
            with figures.call(LIMIT_SECONDS):
                came, _ = seen.read(history, count)
        except KchatError:
            time.sleep(0.05)
            continue
        if not came:
            time.sleep(0.01)


def replay(history: KafkaChatMessageHistory, figures: Figures, tries: int = 10) -> list[str]:
    """The whole conversation, once the broker answers; the history must have `replay=True`."""
    for _ in range(tries):
        try:
            with figures.call(60.0):
                return [str(message.content) for message in history.messages]
        except KchatError:
            time.sleep(0.5)
    figures.add(hangs=1)
    figures.went_wrong("the conversation cannot be read back after the faults have ended")
    return []


def drain_cursor(history: KafkaChatMessageHistory, seen: Seen, figures: Figures) -> None:
    """Read what is left behind the cursor, until there is nothing new."""
    came, moved = 1, True
    while came or not moved:
        with figures.call(LIMIT_SECONDS):
            came, moved = seen.read(history, None)


@contextmanager
def running(figures: Figures, *workers: Callable[[], None]) -> Iterator[None]:
    """Run workers beside the body, which injects the faults; afterwards all must have ended by themselves."""

    def guarded(worker: Callable[[], None]) -> None:
        try:
            worker()
        except BaseException as error:
            figures.went_wrong(f"a worker died of {type(error).__name__}: {error}")

    threads = [Thread(target=guarded, args=(worker,), daemon=True) for worker in workers]
    for thread in threads:
        thread.start()
    yield
    end = time.monotonic() + JOIN_SECONDS_MAX
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
        if thread.is_alive():
            figures.add(hangs=1)
