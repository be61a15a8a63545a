"""A program that is interrupted: call after call on the same histories, one SIGINT in each.

`python -m tests.proof.interrupted SERVERS PREFIX (outside|points) SEED SECONDS`. It writes a line of JSON for
each round, and one at the end. With `outside` the parent sends the signal, at a moment of its choice after
the line "go". With `points` the program raises it itself, at a drawn one of all the points where Python looks
for signals: moments of some nanoseconds are met as often as those of a millisecond.
"""

import asyncio
import faulthandler
import gc
import json
import logging
import os
import random
import signal
import sys
import time
from types import FrameType
from typing import Any

from attrs import define, field

from tests.proof.interrupted_calls import Conversations, Subject

SIGNAL_SECONDS_MAX = 5.0
"""How long a round waits for its signal: the parent sends it, or a finalizer swallowed it."""

OURS = os.sep + "kchat" + os.sep
"""In a path of the library. An event loop only cancels on a signal, and has races with that of its own."""

COUNTED = 2
"""How many calls are only looked at: the first one connects, and looks around for longer."""

ENDING_SECONDS_MAX = 10.0
"""How long the clients that were closed or lost may take to end their threads."""


def tell(**what: object) -> None:
    """One line to the parent, past all buffers: it is what the parent waits for."""
    os.write(1, json.dumps(what).encode() + b"\n")


@define
class Round:
    """How one call went. `handed` holds what it returned: it may be interrupted after that."""

    handed: list[Any] = field(factory=list)
    interrupted: bool = False
    error: str = ""
    points: int = 0
    signalled: float | None = None


def from_outside(subject: Subject) -> Round:
    """Call, and take the parent's signal, whenever it comes."""
    ended = Round()
    try:
        tell(go=subject.name)
        try:
            subject.call(ended.handed)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None  # its word for it, before the first step
        except Exception as error:
            ended.error = f"{type(error).__name__}: {error}"
        ended.points = 1  # the call is over: the signal comes while this waits
        time.sleep(SIGNAL_SECONDS_MAX)
    except KeyboardInterrupt:
        ended.interrupted = not ended.points
    return ended


class AtPoints:
    """Interrupts each call at one of its points; all are as likely."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw
        self._calls: dict[str, int] = {}
        self.most: dict[str, int] = {}
        self.met: dict[str, set[int]] = {}

    def __call__(self, subject: Subject) -> Round:
        ended, point = Round(), self._next(subject.name)

        def at_event(frame: FrameType, event: str, _: object) -> None:
            # After a C function and at the start of a Python one: there Python looks for signals.
            if event in {"c_return", "call"} and (OURS in frame.f_code.co_filename or not subject.waits):
                ended.points += 1
                if ended.points == point:
                    sys.setprofile(None)
                    ended.signalled = time.monotonic()
                    signal.raise_signal(signal.SIGINT)

        try:
            sys.setprofile(at_event)
            subject.call(ended.handed)
        except KeyboardInterrupt:
            ended.interrupted = True
        except Exception as error:
            ended.error = f"{type(error).__name__}: {error}"
        finally:
            sys.setprofile(None)
        self.met.setdefault(subject.name, set()).add(point)
        if ended.points < point:
            self.most[subject.name] = ended.points
        return ended

    def _next(self, name: str) -> int:
        self._calls[name] = self._calls.get(name, 0) + 1
        if self._calls[name] <= COUNTED:
            return 1 << 30  # nothing is interrupted: the points are counted
        return self._draw.randrange(1, self.most[name] + 1)

    @property
    def coverage(self) -> dict[str, tuple[int, int]]:
        """For each call: how many of its points were met, and how many there are."""
        return {name: (len(met), self.most[name]) for name, met in self.met.items()}


def threads_and_files() -> tuple[int, int]:
    """What this process has open, as the system counts; -1 where it does not say."""
    try:
        return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))
    except FileNotFoundError:
        return -1, -1


def ended_clients(before: tuple[int, int]) -> tuple[int, int]:
    """What is open once the clients have ended, or had their time to."""
    end = time.monotonic() + ENDING_SECONDS_MAX
    while (now := threads_and_files()) > before and time.monotonic() < end:
        gc.collect()  # an interrupted call may have left its clients in a cycle
        time.sleep(0.05)
    return now


def main(servers: str, prefix: str, mode: str, seed: str, seconds: str) -> None:
    """Rounds until the time is over; then the conversations are closed, and what is left open is counted."""
    faulthandler.register(signal.SIGUSR1)  # the parent asks for it when this hangs
    logging.basicConfig(level=logging.WARNING)
    before = threads_and_files()
    draw = random.Random(seed)
    points = AtPoints(draw)
    interrupt = from_outside if mode == "outside" else points
    conversations = Conversations(servers, prefix)
    conversations.begin(draw)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end:
        [subject] = draw.choices(
            conversations.subjects, [subject.often for subject in conversations.subjects]
        )
        subject.prepare()
        # A loop that is interrupted in its own end may leave its handler behind, which breaks the next loop.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        begun = time.monotonic()
        ended = interrupt(subject)
        now = time.monotonic()
        since = 0.0 if ended.signalled is None else now - ended.signalled
        if ended.error:
            subject.failed(ended.error)
        tell(over=subject.name, interrupted=ended.interrupted, took=now - begun, since=since)
        try:
            subject.after(ended.handed)
        except Exception as error:
            subject.wrong.append(f"after {subject.name}: {type(error).__name__}: {error}")
        wrong, subject.wrong = [f"{said} (point {ended.points}, seed {seed})" for said in subject.wrong], []
        tell(checked=subject.name, wrong=wrong)
    conversations.end()
    told = conversations.told()
    tell(end=told, before=before, left=ended_clients(before), coverage=points.coverage)


if __name__ == "__main__":
    main(*sys.argv[1:])
