"""The steps of `kchat demo`: a conversation is appended, then read back in every way the history offers."""

import asyncio
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import assert_never

from attrs import field, frozen
from langchain_core.messages import BaseMessage

from kchat.cli.demo_messages import ARRIVING, ASYNC
from kchat.core import (
    Complete,
    Delivery,
    ErrorKind,
    Failed,
    KchatError,
    Limit,
    Log,
    Partial,
    ReadFailed,
    ReadOutcome,
    TopicNotChanged,
)
from kchat.langchain import KafkaChatMessageHistory

BATCHES_MAX = 100
"""Reads of five that follow the cursor: a session that was there before may hold any number of messages."""

NOTHING_SECONDS = 0.3
"""How long the demo waits where nothing will come, to show a time limit."""

ARRIVAL_SECONDS_MAX = 5.0
"""How long it waits where another thread appends a message."""

FAILED = "failed"


@frozen(kw_only=True)
class Step:
    """One call of the history, how it ended and how long it took.

    `appended` counts what an append sent; `deliveries` is what a read handed out.
    """

    call: str
    about: str
    ended: str
    took_ms: float
    appended: int | None = None
    deliveries: tuple[Delivery[BaseMessage], ...] | None = field(default=None, repr=False)


class Demo:
    """One session, and every way to append to it and to read it back."""

    def __init__(self, session_id: str, bootstrap_servers: str, log: Log) -> None:
        self._history = KafkaChatMessageHistory(session_id, bootstrap_servers, log=log)
        # One for each replay: the outcome of a second one tells what is new since the first.
        self._replaying, self._replaying_async = (
            KafkaChatMessageHistory(session_id, bootstrap_servers, replay=True, log=log) for _ in range(2)
        )

    def steps(self, messages: Sequence[BaseMessage]) -> Generator[Step]:
        """Make the calls one after the other. A call that fails is a step too, and then raises.

        Raises:
            KchatError: as the calls of the history do.
        """
        history = self._history
        yield from _append(
            f"add_messages({_counted(messages)})",
            "returns when all in-sync replicas have every message; the first call connects",
            len(messages),
            lambda: history.add_messages(messages),
        )
        yield from self._cursor_steps()
        yield from self._latest_steps()
        yield from _read(
            self._replaying,
            "messages, with replay=True",
            "the whole conversation, every time; the place stays where it is",
            lambda: self._replaying.messages,
        )
        yield from self._async_steps()

    def clear(self) -> Step:
        """Delete the session's topic; a broker without DeleteTopics is no error here."""
        about, ended = "deletes the session's topic, and waits until it is gone", "gone"
        began = time.perf_counter()
        try:
            self._history.clear()
        except TopicNotChanged as error:
            if error.code != ErrorKind.UNSUPPORTED.name:
                raise
            about, ended = error.what, "not possible here"
        return Step(call="clear()", about=about, ended=ended, took_ms=_ms_since(began))

    def _cursor_steps(self) -> Iterator[Step]:
        history = self._history
        about = "continues after the last message read, five at most"
        for _ in range(BATCHES_MAX):
            yield from _read(history, "messages", about, lambda: history.messages)
            if isinstance(history.last_outcome, Complete):
                break
        yield from _read(history, "messages, again", about, lambda: history.messages)
        yield from _read(
            history,
            "messages_from_beginning(2)",
            "goes back to the first message, and reads two at most",
            lambda: history.messages_from_beginning(2),
        )
        yield from _read(
            history,
            "messages_from_last_consumed(None)",
            "continues after those two, with no limit but five seconds",
            lambda: history.messages_from_last_consumed(None),
        )

    def _latest_steps(self) -> Iterator[Step]:
        history = self._history
        yield from _read(
            history,
            f"messages_from_latest(None, {NOTHING_SECONDS})",
            f"waits for new messages, {NOTHING_SECONDS} seconds at most, while nobody appends any",
            lambda: history.messages_from_latest(None, NOTHING_SECONDS),
        )
        began = time.perf_counter()
        yield from _read(
            history,
            "messages_from_last_consumed()",
            "continues at the place, which the waiting moved to the end",
            history.messages_from_last_consumed,
        )
        # Only what is appended after a read saw the end is new to it, and that takes less than a whole read.
        after_seconds = 0.1 + 2 * _ms_since(began) / 1000
        with _arriving(history, ARRIVING, after_seconds):
            yield from _read(
                history,
                f"messages_from_latest(1, {ARRIVAL_SECONDS_MAX})",
                f"waits for one message, which another thread appends after {after_seconds:.1f} seconds",
                lambda: history.messages_from_latest(1, ARRIVAL_SECONDS_MAX),
            )

    def _async_steps(self) -> Iterator[Step]:
        with asyncio.Runner() as runner:
            runner.get_loop()  # so that its making is not in the first call's time
            yield from _append(
                "await aadd_messages(1 message)",
                "the same without blocking the event loop",
                1,
                lambda: runner.run(self._history.aadd_messages([ASYNC])),
            )
            yield from _read(
                self._replaying_async,
                "await aget_messages(), with replay=True",
                "the whole conversation again",
                lambda: runner.run(self._replaying_async.aget_messages()),
            )


def _append(call: str, about: str, appended: int, append: Callable[[], None]) -> Iterator[Step]:
    began = time.perf_counter()
    append()
    yield Step(call=call, about=about, ended="acknowledged", took_ms=_ms_since(began), appended=appended)


def _read(
    history: KafkaChatMessageHistory, call: str, about: str, read: Callable[[], list[BaseMessage]]
) -> Iterator[Step]:
    failure: ReadFailed | None = None
    began = time.perf_counter()
    try:
        read()
    except ReadFailed as error:
        failure = error
    took_ms = _ms_since(began)
    outcome = history.last_outcome
    if outcome is None:
        raise AssertionError("a read leaves its outcome")
    yield Step(
        call=call, about=about, ended=_ended(outcome), took_ms=took_ms, deliveries=outcome.progress.deliveries
    )
    if failure is not None:
        raise failure


def _ended(outcome: ReadOutcome[BaseMessage]) -> str:
    match outcome:
        case Complete():
            return "end of log"
        case Partial(limit=Limit.COUNT):
            return "count limit"
        case Partial():
            return "time limit"
        case Failed():
            return FAILED
        case _:
            assert_never(outcome)


@contextmanager
def _arriving(history: KafkaChatMessageHistory, message: BaseMessage, after_seconds: float) -> Iterator[None]:
    """Another thread appends `message` while the block runs; its error is raised at the end of the block."""
    over = threading.Event()
    errors: list[KchatError] = []

    def append() -> None:
        if over.wait(after_seconds):
            return
        try:
            history.add_message(message)
        except KchatError as error:
            errors.append(error)

    # A daemon: Ctrl-C waits for nobody, and closing the log ends the append.
    thread = threading.Thread(target=append, name="kchat-demo-append", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
    thread.join()
    if errors:
        raise errors[0]


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def _counted(messages: Sequence[BaseMessage]) -> str:
    return f"{len(messages)} message{'' if len(messages) == 1 else 's'}"
