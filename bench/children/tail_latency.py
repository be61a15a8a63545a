"""How long a new message takes to who waits for it: one history appends, another one waits on a thread.

`tail_latency tail|follow BOOTSTRAP SESSION COUNT`: one read after the other, each from the end on, with the
cursor behind it; or a follower.
"""

import sys
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue
from threading import Thread

from langchain_core.messages import BaseMessage, HumanMessage

from bench.children.telling import tell
from kchat.core import CommitOffsets
from kchat.io.cursors import Cursors
from kchat.langchain import KafkaChatMessageHistory

WAIT_SECONDS = 30.0
STAND_SECONDS = 0.15
"""After so long a tail waits: each of its reads begins at the end, with a consumer of its own."""

ARRIVE_SECONDS_MAX = 5.0
END = "the end"

Arrivals = SimpleQueue[tuple[str, float]]


def main() -> None:
    """Measure, and tell."""
    how, bootstrap, session, count = sys.argv[1:]
    arrivals: Arrivals = SimpleQueue()
    with KafkaChatMessageHistory(session, bootstrap) as writer:
        writer.add_messages([HumanMessage("the topic is there")])
        commits = timing_commits()
        tail = Thread(target=_tail, args=(how, bootstrap, session, arrivals), daemon=True)
        tail.start()
        figures: dict[str, list[float]] = {"called": [], "acknowledged": []}
        missed = 0
        for number in range(int(count) + 1):
            time.sleep(STAND_SECONDS)
            text = f"message {number}"
            called = time.perf_counter()
            writer.add_messages([HumanMessage(text)])
            acknowledged = time.perf_counter()
            arrived = _arrived(arrivals, text)
            if arrived is None:
                missed += 1
            elif number:  # the first one makes the clients
                figures["called"].append(arrived - called)
                figures["acknowledged"].append(arrived - acknowledged)
        time.sleep(STAND_SECONDS)
        writer.add_messages([HumanMessage(END)])
        tail.join(ARRIVE_SECONDS_MAX)
    tell({**figures, "commits": commits, "missed": missed})


def timing_commits() -> list[float]:
    """Take the time of each commit of a cursor from now on."""
    taken: list[float] = []
    commit = Cursors.commit

    def timed(self: Cursors, command: CommitOffsets) -> None:
        begun = time.perf_counter()
        try:
            commit(self, command)
        finally:
            taken.append(time.perf_counter() - begun)

    setattr(Cursors, commit.__name__, timed)
    return taken


def _tail(how: str, bootstrap: str, session: str, arrivals: Arrivals) -> None:
    with KafkaChatMessageHistory(session, bootstrap) as reader:
        for message in reader.follow(new_only=True) if how == "follow" else _read(reader):
            arrivals.put((str(message.content), time.perf_counter()))
            if message.content == END:
                return


def _read(reader: KafkaChatMessageHistory) -> Iterator[BaseMessage]:
    while True:
        yield from reader.messages_from_latest(1, WAIT_SECONDS)


def _arrived(arrivals: Arrivals, text: str) -> float | None:
    """When this message was returned; None where the tail did not stand yet, and so did not get it."""
    end = time.monotonic() + ARRIVE_SECONDS_MAX
    while (left := end - time.monotonic()) > 0:
        try:
            found, at = arrivals.get(timeout=left)
        except Empty:
            break
        if found == text:
            return at
    return None


if __name__ == "__main__":
    main()
