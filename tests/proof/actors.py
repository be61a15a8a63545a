"""What the child processes of the campaign do; each tells its parent before and after every call."""

import time
from unittest.mock import patch

from attrs import frozen

from kchat.core import CommitOffsets
from kchat.io.cursors import Cursors
from kchat.langchain import KafkaChatMessageHistory
from tests.proof.figures import Figures
from tests.proof.ledger import Ledger, Name, Told
from tests.proof.load import LIMIT_SECONDS, append_one
from tests.proof.offspring import Tell


@frozen
class Begun:
    """An append begins."""

    names: tuple[Name, ...]


@frozen
class Ended:
    """It ended so, after so many calls."""

    names: tuple[Name, ...]
    told: Told
    calls: int
    longest_seconds: float


@frozen
class Committing:
    """A read has its messages, and begins to move the cursor over these offsets before it returns."""

    partition: int
    begin: int
    end: int


@frozen
class Got:
    """A read returned these messages; `sure`: and knows that its cursor has moved."""

    texts: tuple[str, ...]
    sure: bool
    seconds: float


def write_until_killed(tell: Tell, bootstrap: str, session: str, writer: str, number: int, turn: int) -> None:
    """Append turn after turn, as fast as it goes."""
    history = KafkaChatMessageHistory(session, bootstrap)
    while True:
        names = tuple(Name(writer, number, place) for place in range(turn))
        tell.send(Begun(names))
        counted = Figures("", "")
        told = append_one(history, Ledger(), list(names), counted)
        tell.send(Ended(names, told, counted.operations, counted.longest_seconds))
        number += 1


def read_until_killed(tell: Tell, bootstrap: str, session: str, count: int | None) -> None:
    """Read on from the session's cursor, call after call."""
    commit = Cursors.commit

    def telling(cursors: Cursors, command: CommitOffsets) -> None:
        for before, after in zip(command.before, command.offsets, strict=True):
            tell.send(Committing(after.partition, before.offset, after.offset))
        commit(cursors, command)

    history = KafkaChatMessageHistory(session, bootstrap)
    with patch.object(Cursors, "commit", telling):
        while True:
            begun = time.monotonic()
            messages = history.messages_from_last_consumed(count, LIMIT_SECONDS)
            outcome = history.last_outcome
            sure = outcome is not None and outcome.progress.unmoved is None
            tell.send(Got(tuple(str(m.content) for m in messages), sure, time.monotonic() - begun))
            if not messages:
                time.sleep(0.005)


def stop_before_commit(tell: Tell, bootstrap: str, session: str, count: int | None) -> None:
    """Read from the session's cursor, and stand still when it is to be moved."""

    def standing_still(_: Cursors, command: CommitOffsets) -> None:
        tell.send(command.offsets)
        time.sleep(600)

    with patch.object(Cursors, "commit", standing_still):
        KafkaChatMessageHistory(session, bootstrap).messages_from_last_consumed(count, LIMIT_SECONDS)
