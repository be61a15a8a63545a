"""Ctrl-C at any moment, and programs that end, fork, share and forget their histories."""

import itertools
import json
import os
import random
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.proof.figures import Figures
from tests.proof.nursery import Ended, Nursery

ROW = "signals and lifecycles"
WORKERS = 2

SPREAD = 1.2
"""A signal comes at a moment of the call's usual time, times this: now and then after its end."""

LINE_SECONDS_MAX = 30.0
"""A program that is interrupted says something within this, or it hangs."""

SWALLOWED = 4.5
"""After so long a program gives up waiting for its signal: a finalizer got it, and Python drops it there."""

EXIT_SECONDS_MAX = 5.0
LIFE_SECONDS_MAX = 60.0


@pytest.fixture(scope="module")
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution) as kafka:
        yield kafka


def new_session(kind: str) -> str:
    return f"{kind}-{uuid.uuid4().hex[:12]}"


class Interrupted:
    """A `tests.proof.interrupted` program, seen from outside."""

    def __init__(self, servers: str, mode: str, seconds: float, figures: Figures) -> None:
        self._figures = figures
        self._servers, self._prefix = servers, new_session("int")
        seed = str(random.randrange(1 << 32))
        self._popen = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.proof.interrupted",
                servers,
                self._prefix,
                mode,
                seed,
                str(seconds),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._usual: dict[str, float] = defaultdict(lambda: 0.01)
        self._sent: float | None = None
        self.interrupted: Counter[str] = Counter()
        self.swallowed = 0
        self.coverage: dict[str, tuple[int, int]] = {}

    def run(self) -> None:
        """Listen to it, and interrupt it where it waits for that, until it ends."""
        errors = threading.Thread(target=self._drain_errors)
        self._said = b""
        errors.start()
        for line in self._lines():
            self._hear(json.loads(line))
        begun = time.monotonic()
        try:
            code = self._popen.wait(EXIT_SECONDS_MAX)
            if code != 0:
                self._figures.went_wrong(f"the interrupted program ended with {code}: {self._last_words()}")
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
            self._figures.add(hangs=1)
            waited = time.monotonic() - begun
            self._figures.went_wrong(
                f"the interrupted program had not ended {waited:.1f} s after its last word"
            )
        errors.join()

    def _lines(self) -> Iterator[bytes]:
        out = self._popen.stdout
        if out is None:
            raise AssertionError("no pipe")
        unfinished = b""
        with out:
            while True:
                if not select.select([out], [], [], LINE_SECONDS_MAX)[0]:
                    self._popen.send_signal(signal.SIGUSR1)  # it prints where it stands
                    time.sleep(1)
                    self._popen.kill()
                    self._figures.add(hangs=1)
                    self._figures.notes.append(f"hung: {self._last_words()}")
                    return
                more = os.read(out.fileno(), 65_536)
                if not more:
                    return
                *lines, unfinished = (unfinished + more).split(b"\n")
                yield from lines

    def _hear(self, said: dict[str, Any]) -> None:
        match said:
            case {"go": name}:
                time.sleep(random.uniform(0.0, SPREAD * self._usual[name]))
                self._sent = time.monotonic()
                self._popen.send_signal(signal.SIGINT)
            case {"over": name, "interrupted": interrupted, "took": took, "since": since}:
                self._figures.add(faults=1)
                self._count(name, interrupted, took, since)
            case {"checked": _, "wrong": wrong}:
                for what in wrong:
                    self._figures.went_wrong(what)
            case {"end": told, "before": before, "left": left, "coverage": coverage}:
                self.coverage = coverage
                if any(now > first + 8 for now, first in zip(left, before, strict=True)):
                    self._figures.went_wrong(f"threads and files: {before} before, {left} left open")
                self._judge(told)
            case _:
                raise AssertionError(said)

    def _count(self, name: str, interrupted: bool, took: float, since: float) -> None:
        if self._sent is not None:
            since = time.monotonic() - self._sent
        if self._sent is not None and not interrupted and since > SWALLOWED:
            self.swallowed += 1  # the call was over: its time was not the signal's
            since = 0.0
        self._figures.took(0.0, since)
        self.interrupted[name] += interrupted
        if not interrupted or took > self._usual[name]:
            self._usual[name] += 0.2 * (min(took, 0.5) - self._usual[name])

    def _judge(self, told: dict[str, str]) -> None:
        acknowledged = [name for name, how in told.items() if how == "acknowledged"]
        self._figures.add(acknowledged=len(acknowledged), unknown=len(told) - len(acknowledged))
        with KafkaChatMessageHistory(f"{self._prefix}-appended", self._servers, replay=True) as history:
            found = [str(message.content) for message in history.messages]
        judge_texts(self._figures, found, acknowledged, allowed=set(told), reader="a replay after interrupts")

    def _drain_errors(self) -> None:
        err = self._popen.stderr
        if err is None:
            raise AssertionError("no pipe")
        with err:
            while more := os.read(err.fileno(), 65_536):
                self._said = (self._said + more)[-20_000:]

    def _last_words(self) -> str:
        return self._said.decode(errors="replace")[-3_000:]


def judge_texts(
    figures: Figures, found: list[str], acknowledged: list[str], *, allowed: set[str], reader: str
) -> None:
    """Count what is lost, doubled or not known; texts are unique."""
    lost = set(acknowledged) - set(found)
    figures.add(lost=len(lost), duplicates=len(found) - len(set(found)))
    if lost:
        figures.notes.append(f"{reader} misses {sorted(lost)[:5]}")
    if unknown := set(found) - allowed:
        figures.went_wrong(f"{reader} sees {sorted(unknown)[:5]}, which nobody appended")


def interrupt_all(kafka: JarsKafka, figures: Figures, mode: str, seconds: float) -> list[Interrupted]:
    programs = [Interrupted(kafka.bootstrap, mode, seconds, figures) for _ in range(WORKERS)]
    threads = [threading.Thread(target=program.run) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return programs


@pytest.mark.row(ROW, "SIGINT at random moments of every call, sync and in event loops", 0.04)
def test_ctrl_c_at_random_moments_loses_nothing_and_leaves_all_usable(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    programs = interrupt_all(kafka, figures, "outside", row_seconds)
    interrupted = sum((program.interrupted for program in programs), Counter[str]())
    swallowed = sum(program.swallowed for program in programs)
    figures.notes.append(
        f"operations: calls of {len(interrupted)} kinds, {sum(interrupted.values())} of them ended as"
        " KeyboardInterrupt and the others normally; longest call: from the signal to the end of the call;"
        f" {swallowed} signals met a finalizer, where Python drops them"
    )
    if not sum(interrupted.values()):
        figures.went_wrong("no call was interrupted")


@pytest.mark.row(ROW, "KeyboardInterrupt at each point where Python looks for signals", 0.03)
def test_ctrl_c_at_each_point_of_a_call_loses_nothing_and_leaves_all_usable(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    programs = interrupt_all(kafka, figures, "points", row_seconds)
    met = sum(there for program in programs for there, _ in program.coverage.values())
    most = sum(most for _, most in programs[0].coverage.values()) if programs[0].coverage else 0
    figures.notes.append(f"{met} different points were met; the calls have about {most}")


# What a program is called with besides (servers, session), and the exit code that is Python's for its end.
LIVES: dict[str, tuple[tuple[Any, ...], int]] = {
    "returns": ((), 0),
    "returns_from_a_loop": ((), 0),
    "is_gone_at_once": ((), 0),
    "exits_in_a_thread": ((), 0),
    "dies_of_an_error": ((), 1),
    "exits": ((), 5),
    "appends_at_exit": ((), 0),
    "ends_beside_a_daemon": ((), 0),
    "forks": ((), 0),
    "starts_processes fork": (("fork",), 0),
    "starts_processes spawn": (("spawn",), 0),
    "starts_processes forkserver": (("forkserver",), 0),
    "uses_a_pool fork": (("fork",), 0),
    "uses_a_pool spawn": (("spawn",), 0),
    "uses_a_pool forkserver": (("forkserver",), 0),
    "uses_a_process_pool": ((), 0),
    "closes_under_threads": ((), 0),
    "runs_many_loops": ((), 0),
    "forgets": ((10,), 0),
}
SIGNALLED = {
    "appends_until_signalled": -signal.SIGINT,
    "appends_until_signalled_in_a_loop": -signal.SIGINT,
    "reads_until_signalled": -signal.SIGINT,
    "reads_until_signalled_in_a_loop": -signal.SIGINT,
    "appends_until_terminated": -signal.SIGTERM,
}


class Lives:
    """Runs programs in children and holds what they said against what is stored."""

    def __init__(self, kafka: JarsKafka, figures: Figures) -> None:
        self._servers, self._figures = kafka.bootstrap, figures

    def live(self, nursery: Nursery, name: str, arguments: tuple[Any, ...], code: int) -> None:
        """A program that ends by itself."""
        session = new_session("life")
        function = f"tests.proof.lifecycles:{name.partition(' ')[0]}"
        ended = nursery.run(function, self._servers, session, *arguments, seconds_max=LIFE_SECONDS_MAX)
        self._figures.add(faults=1)
        self._check(name, ended, code)
        said = ended.report
        if not isinstance(said, dict) or "acknowledged" not in said:
            self._figures.went_wrong(f"{name} gave no report: {ended.err[-1500:]}")
            return
        for what in said["wrong"]:
            self._figures.went_wrong(f"{name}: {what}")
        ordered = said["acknowledged"][session]
        self._appended(name, session, ordered, [*ordered, *said.get("unordered", [])])

    def signalled(self, nursery: Nursery, name: str, code: int) -> None:
        """A program that a signal ends, at any moment of what it does."""
        session = new_session("sig")
        reads = name.startswith("reads")
        if reads:
            with KafkaChatMessageHistory(session, self._servers, partition=1) as history:
                for first in range(0, 300, 50):
                    history.add_messages([HumanMessage(str(n)) for n in range(first, first + 50)])
        ended = nursery.run(
            f"tests.proof.lifecycles:{name}",
            self._servers,
            session,
            seconds_max=LIFE_SECONDS_MAX,
            signal_after=random.uniform(0.0, 0.3),
            signal_number=-code,
        )
        self._figures.add(faults=1)
        self._check(name, ended, code)
        said = ended.report
        if reads and isinstance(said, dict):
            self._read_on(name, session, said["given"])
        elif not reads and isinstance(said, dict):
            self._appended(name, session, said["acknowledged"][session], said["acknowledged"][session])

    def _check(self, name: str, ended: Ended, code: int) -> None:
        self._figures.add(operations=1)
        if ended.hung:
            self._figures.add(hangs=1)
            self._figures.went_wrong(
                f"{name} did not end in {LIFE_SECONDS_MAX} s; it said {ended.err[-1500:]}"
            )
        elif ended.code != code:
            self._figures.went_wrong(f"{name} ended with {ended.code}, not {code}: {ended.err[-1500:]}")
        if ended.exit_seconds > EXIT_SECONDS_MAX:
            self._figures.went_wrong(f"{name} took {ended.exit_seconds:.1f} s to exit")

    def _appended(self, name: str, session: str, ordered: list[str], acknowledged: list[str]) -> None:
        """What was acknowledged is there, once; what one writer wrote is in its order."""
        self._figures.add(acknowledged=len(acknowledged))
        with KafkaChatMessageHistory(session, self._servers, replay=True) as history:
            found = [str(message.content) for message in history.messages]
        judge_texts(self._figures, found, acknowledged, allowed=set(found), reader=f"after {name} a replay")
        known = set(ordered)
        if [text for text in found if text in known] != ordered and known <= set(found):
            self._figures.add(out_of_order=1)

    def _read_on(self, name: str, session: str, given: list[str]) -> None:
        """The next reader goes on after what the program was given, at once."""
        expected = [*map(str, range(len(given)))]
        if given != expected:
            self._figures.went_wrong(f"{name} was given {given}")
        with KafkaChatMessageHistory(session, self._servers) as history:
            found = [str(message.content) for message in history.messages_from_last_consumed(1)]
        following = int(found[0]) if found else 300
        if following > len(given):
            self._figures.add(lost=following - len(given))
            self._figures.notes.append(f"{name}: {len(given)} were given, and the cursor is at {following}")
        self._figures.add(duplicates=max(0, len(given) - following))


@pytest.mark.row(ROW, "SIGINT and SIGTERM end a program in the middle of a call", 0.02)
def test_a_program_that_a_signal_ends_exits_as_python_does_and_loses_nothing(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    lives, until = Lives(kafka, figures), time.monotonic() + row_seconds
    with Nursery("tests.proof.lifecycles") as nursery:
        for name, code in itertools.cycle(SIGNALLED.items()):
            lives.signalled(nursery, name, code)
            if time.monotonic() > until:
                break
    figures.notes.append("operations: programs; each ended in a process of its own")


@pytest.mark.row(ROW, "exit, fork, multiprocessing, threads, event loops, garbage collection", 0.03)
def test_programs_that_end_fork_share_and_forget_lose_nothing(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    lives, until = Lives(kafka, figures), time.monotonic() + row_seconds
    waiting = itertools.cycle(random.sample(list(LIVES.items()), len(LIVES)))
    lock = threading.Lock()

    def work(least: int) -> None:
        with Nursery("tests.proof.lifecycles") as nursery:
            for done in itertools.count():
                if done >= least and time.monotonic() > until:
                    return
                with lock:
                    name, (arguments, code) = next(waiting)
                lives.live(nursery, name, arguments, code)

    # Each program once at least, however short the row.
    threads = [threading.Thread(target=work, args=(len(LIVES) // WORKERS + 1,)) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    figures.notes.append(f"operations: programs of {len(LIVES)} kinds, each run in a process of its own")
