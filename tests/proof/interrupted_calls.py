"""Every call of a history, each with what must hold after it was interrupted."""

import asyncio
import itertools
import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from langchain_core.messages import BaseMessage, HumanMessage

from kchat.core import AppendUnknown, Closed, place
from kchat.langchain import KafkaChatMessageHistory
from kchat.langchain.messages import encoder

FOLLOW_SECONDS = 0.2
"""How long a read waits at the end. A broker that needs longer for its answers fails it."""

Call = Callable[[list[Any]], object]
"""Calls the library and puts what it returned into the list, before any interrupt can get between."""


def texts(messages: list[BaseMessage]) -> list[str]:
    return [str(message.content) for message in messages]


def numbers(messages: list[BaseMessage]) -> list[int]:
    return [int(str(message.content)) for message in messages]


def run(handed: list[Any], call: Callable[..., Any], *arguments: Any) -> None:
    """An async call, in an event loop of its own."""

    async def wait() -> None:
        handed.append(await call(*arguments))

    asyncio.run(wait())


def do(handed: list[Any], call: Callable[..., object], *arguments: Any) -> None:
    """A call that returns nothing."""
    call(*arguments)
    handed.append(None)


class Subject:
    """One call, in a session of its own.

    `prepare` and `after` are not interrupted. `after` gets what the call returned, in a list; an event loop
    may be interrupted in its own end, after that.
    """

    often = 5

    def __init__(self, name: str, call: Call) -> None:
        self.name = name
        self.call = call
        self.waits = name.startswith("a") and name != "add_messages"
        self.wrong: list[str] = []

    def prepare(self) -> None:
        """Bring the session to where the call finds it."""

    def after(self, handed: list[Any]) -> None:
        """Note in `wrong` what does not hold."""

    def failed(self, error: str) -> None:
        """The call raised something else than KeyboardInterrupt."""
        self.wrong.append(f"{self.name} failed: {error}")


class Appending(Subject):
    """What an append acknowledged is there in the end, once; `told` is judged by the parent."""

    def __init__(
        self, name: str, history: KafkaChatMessageHistory, told: dict[str, str], *, waits: bool
    ) -> None:
        super().__init__(name, self._async if waits else self._sync)
        self._history, self._told = history, told
        self._count = itertools.count()
        self._names: list[str] = []

    def prepare(self) -> None:
        number = next(self._count)
        self._names = [f"{self.name}:{number}:{place}" for place in range(2)]
        self._told.update(dict.fromkeys(self._names, "unknown"))

    def after(self, handed: list[Any]) -> None:
        if handed:
            self._told.update(dict.fromkeys(self._names, "acknowledged"))

    def _sync(self, handed: list[Any]) -> None:
        self._history.add_messages([HumanMessage(name) for name in self._names])
        handed.append(None)

    def _async(self, handed: list[Any]) -> None:
        run(handed, self._history.aadd_messages, [HumanMessage(name) for name in self._names])


class Resending(Appending):
    """An append that ended as unknown is sent again; it may be interrupted, and is sent once more later."""

    def __init__(self, history: KafkaChatMessageHistory, told: dict[str, str], draw: random.Random) -> None:
        super().__init__("resend", history, told, waits=False)
        self.call = self._resend
        self.pending: dict[tuple[str, ...], AppendUnknown] = {}
        placement = place(history.session_id)
        self._encode = encoder(placement.key, lambda: uuid.uuid4().hex)
        self._topic, self._draw = placement.topic, draw

    def prepare(self) -> None:
        super().prepare()
        records = tuple(self._encode(HumanMessage(name)) for name in self._names)
        self._error = AppendUnknown("drawn", records=records, topic=self._topic)  # type: ignore[arg-type]
        self.pending[tuple(self._names)] = self._error
        if self._draw.random() < 0.5:
            self._history.resend(self._error)  # the first attempt landed

    def after(self, handed: list[Any]) -> None:
        super().after(handed)
        if handed:
            del self.pending[tuple(self._names)]

    def finish(self) -> None:
        """Send again what was interrupted, in the order in which it was first sent."""
        for names, error in self.pending.items():
            self._history.resend(error)
            self._told.update(dict.fromkeys(names, "acknowledged"))

    def _resend(self, handed: list[Any]) -> None:
        self._history.resend(self._error)
        handed.append(None)


class Replaying(Subject):
    """A replay holds every message that was there before it, each once."""

    def __init__(self, name: str, writer: KafkaChatMessageHistory, call: Call) -> None:
        super().__init__(name, call)
        self._writer = writer
        self._stored = 0

    def prepare(self) -> None:
        if self._stored < 200:
            self._writer.add_user_message(str(self._stored))
            self._stored += 1

    def after(self, handed: list[Any]) -> None:
        if handed and numbers(handed[0]) != [*range(self._stored)]:
            self.wrong.append(
                f"{self.name} gave {len(handed[0])} of {self._stored} messages, or another order"
            )


class Cursor:
    """A session of numbered messages that cursor reads share: nothing is passed, nothing comes twice."""

    def __init__(self, writer: KafkaChatMessageHistory, reader: KafkaChatMessageHistory) -> None:
        self.writer, self.reader = writer, reader
        self.stored = 0
        self.next = 0

    def store(self, count: int) -> None:
        self.writer.add_messages([HumanMessage(str(self.stored + place)) for place in range(count)])
        self.stored += count

    def handed_out(self, found: list[int], call: str) -> Iterator[str]:
        """What is wrong with the messages of a cursor read that returned."""
        if found and found[0] > self.next:
            yield f"{call}: the cursor passed {found[0] - self.next} messages, from {self.next} on"
        elif found and found[0] < self.next:
            yield f"{call}: {self.next - found[0]} messages came twice, from {found[0]} on"
        elif found != [*range(found[0], found[0] + len(found))] if found else self.next < self.stored:
            yield f"{call}: gave {found} with {self.stored - self.next} messages left"
        self.next = found[-1] + 1 if found else self.next


class GoingOn(Subject):
    """A read from the cursor."""

    def __init__(self, name: str, cursor: Cursor, call: Call) -> None:
        super().__init__(name, call)
        self._cursor = cursor

    def prepare(self) -> None:
        if self._cursor.stored - self._cursor.next < 3:
            self._cursor.store(8)

    def after(self, handed: list[Any]) -> None:
        if handed:
            self.wrong += self._cursor.handed_out(numbers(handed[0]), self.name)


class Restarting(GoingOn):
    """A read from the beginning; the next one goes on where it, or the one before it, ended."""

    def prepare(self) -> None:
        if self._cursor.stored - self._cursor.next < 3:
            self._cursor.store(30)

    def after(self, handed: list[Any]) -> None:
        found = numbers(handed[0]) if handed else []
        if handed and found != [0, 1, 2]:
            self.wrong.append(f"{self.name} gave {found}")
        [following] = numbers(self._cursor.reader.messages_from_last_consumed(1))
        allowed = {3} if handed else {0, self._cursor.next}
        if following not in allowed:
            self.wrong.append(f"{self.name}: the next message was {following}, not one of {allowed}")
        self._cursor.next = following + 1


class Following(GoingOn):
    """A read that waits at the end: what comes meanwhile is handed out by it, or by the next read."""

    often = 1

    def failed(self, error: str) -> None:
        if "_TIMED_OUT" not in error:  # its limit is short, and its client may be one that has just been made
            super().failed(error)

    def prepare(self) -> None:
        self._cursor.store(1)
        self._first = self._cursor.stored

    def after(self, handed: list[Any]) -> None:
        found = numbers(handed[0]) if handed else []
        self._cursor.store(2)
        following = numbers(self._cursor.reader.messages_from_last_consumed(None))
        expected = max(self._first, found[-1] + 1 if found else 0)
        if not following or following[0] > expected or following[-1] != self._cursor.stored - 1:
            self.wrong.append(f"{self.name}: {found}, then {following}, and {expected} was next")
        self._cursor.next = self._cursor.stored


class Clearing(Subject):
    """The session is cleared, or it is not; either way it can be written and read."""

    often = 1

    def __init__(self, name: str, history: KafkaChatMessageHistory, call: Call) -> None:
        super().__init__(name, call)
        self._history = history
        self._stored: list[str] = []
        self._count = itertools.count()

    def prepare(self) -> None:
        self._stored.append(str(next(self._count)))
        self._history.add_user_message(self._stored[-1])

    def after(self, handed: list[Any]) -> None:
        new = f"after {next(self._count)}"
        self._history.add_user_message(new)
        found, whole = texts(self._history.messages), [*self._stored, new]
        if found != [new] and (handed or found != whole):
            self.wrong.append(f"{self.name}: afterwards {found}")
        self._stored = found


class Ending(Subject):
    """A history of its own connections: closed, or used for the first time, and interrupted in that."""

    often = 1

    def __init__(
        self,
        name: str,
        servers: str,
        prefix: str,
        call: Callable[[list[Any], KafkaChatMessageHistory], object],
        *,
        warm: bool,
    ) -> None:
        super().__init__(name, lambda handed: call(handed, self._history))
        self._servers, self._prefix, self._warm = servers, prefix, warm
        self._count = itertools.count()

    def prepare(self) -> None:
        number = next(self._count)
        own = {"client.id": f"{self.name}-{number}"}  # equal settings would share their connections
        self._history = KafkaChatMessageHistory(
            f"{self._prefix}-{self.name}", self._servers, partition=1, replay=True, config=own
        )
        if self._warm:
            self._history.add_user_message(f"warm {number}")
            _ = self._history.messages_from_last_consumed(1)

    def after(self, _: list[Any]) -> None:
        if self._warm:
            self._history.close()
            try:
                _ = self._history.messages
            except Closed:
                return
            self.wrong.append(f"{self.name}: a closed history reads")
        else:
            self._history.add_user_message("x")
            if texts(self._history.messages)[-1] != "x":
                self.wrong.append(f"{self.name}: what was added is not read")
            self._history.close()


class Conversations:
    """The sessions and their calls."""

    def __init__(self, servers: str, prefix: str) -> None:
        self._told: dict[str, str] = {}
        self._servers, self._prefix = servers, prefix
        self._open: list[KafkaChatMessageHistory] = []
        self.subjects: list[Subject] = []

    def begin(self, draw: random.Random) -> None:
        """Make histories and subjects."""
        appended = self._history("appended")
        self._resending = Resending(appended, self._told, draw)
        self.subjects = [
            Appending("add_messages", appended, self._told, waits=False),
            Appending("aadd_messages", appended, self._told, waits=True),
            self._resending,
            *self._replays(),
            *self._cursors(),
            *self._clears(),
            *self._endings(),
        ]

    def end(self) -> None:
        """Whatever was interrupted is brought to its end; then all is closed."""
        self._resending.finish()
        for history in self._open:
            history.close()

    def told(self) -> dict[str, str]:
        """For each message of the session "appended": acknowledged or unknown."""
        return self._told

    def _history(self, session: str, *, replay: bool = True) -> KafkaChatMessageHistory:
        history = KafkaChatMessageHistory(
            f"{self._prefix}-{session}", self._servers, partition=1, replay=replay
        )
        self._open.append(history)
        return history

    def _replays(self) -> Iterator[Subject]:
        h, a = self._history("replayed"), self._history("areplayed")
        yield Replaying("messages, replayed", h, lambda handed: handed.append(h.messages))
        yield Replaying("aget_messages, replayed", a, lambda handed: run(handed, a.aget_messages))

    def _cursors(self) -> Iterator[Subject]:
        def cursor(session: str) -> Cursor:
            return Cursor(self._history(session), self._history(session, replay=False))

        def reads(call: Callable[..., Any], *arguments: Any) -> Call:
            return lambda handed: handed.append(call(*arguments))

        def areads(call: Callable[..., Any], *arguments: Any) -> Call:
            return lambda handed: run(handed, call, *arguments)

        c = cursor("cursor")
        yield GoingOn("messages", c, lambda handed: handed.append(c.reader.messages))
        yield GoingOn("messages_from_last_consumed", c, reads(c.reader.messages_from_last_consumed, 2))
        yield GoingOn("aget_messages", c, areads(c.reader.aget_messages))
        yield GoingOn("amessages_from_last_consumed", c, areads(c.reader.amessages_from_last_consumed, 2))
        b = cursor("beginning")
        yield Restarting("messages_from_beginning", b, reads(b.reader.messages_from_beginning, 3))
        yield Restarting("amessages_from_beginning", b, areads(b.reader.amessages_from_beginning, 3))
        f = cursor("followed")
        yield Following("messages_from_latest", f, reads(f.reader.messages_from_latest, 5, FOLLOW_SECONDS))
        yield Following("amessages_from_latest", f, areads(f.reader.amessages_from_latest, 5, FOLLOW_SECONDS))

    def _clears(self) -> Iterator[Subject]:
        s, a = self._history("cleared"), self._history("acleared")
        yield Clearing("clear", s, lambda handed: do(handed, s.clear))
        yield Clearing("aclear", a, lambda handed: run(handed, a.aclear))

    def _endings(self) -> Iterator[Subject]:
        def ending(
            name: str, call: Callable[[list[Any], KafkaChatMessageHistory], object], *, warm: bool
        ) -> Subject:
            return Ending(name, self._servers, self._prefix, call, warm=warm)

        yield ending("close", lambda handed, history: do(handed, history.close), warm=True)
        yield ending("aclose", lambda handed, history: run(handed, history.aclose), warm=True)
        yield ending("first", lambda handed, history: do(handed, history.add_user_message, "a"), warm=False)
