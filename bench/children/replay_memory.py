"""How much memory it takes to read a conversation: all of it, or as a stream.

`replay_memory whole|stream traced|plain BOOTSTRAP SESSION BATCH`: traced, Python's allocations are counted,
and everything is slower; plain, time and resident memory are true.
"""

import gc
import re
import sys
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

from langchain_core.messages import BaseMessage

from bench.children.telling import tell
from kchat.langchain import KafkaChatMessageHistory

STREAM = "stream_messages"
"""The member, by its name: the workload reports a kchat without it as absent."""

HIGH_WATER = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)
"""The most memory that was ever resident. Not `ru_maxrss`: a child begins with its parent's."""


def main() -> None:
    """Measure, and tell."""
    how, traced, bootstrap, session, batch = sys.argv[1:]
    # One of its own, before: what the first read of a process builds is not the conversation's.
    with KafkaChatMessageHistory(session, bootstrap) as keeper:
        keeper.messages_from_beginning(1)
        history = KafkaChatMessageHistory(session, bootstrap, replay=True)
        gc.collect()
        if traced == "traced":
            tracemalloc.start()
            before = tracemalloc.get_traced_memory()[0]
        resident = resident_peak()
        begun = time.perf_counter()
        count = _read_whole(history) if how == "whole" else _read_stream(history, int(batch))
        seconds = time.perf_counter() - begun
        peak = tracemalloc.get_traced_memory()[1] - before if traced == "traced" else 0
        grown = resident_peak() - resident
        history.close()
    tell({"count": count, "seconds": seconds, "peak": peak, "resident": grown})


def resident_peak() -> int:
    """In bytes; 0 where the system does not tell."""
    try:
        found = HIGH_WATER.search(Path("/proc/self/status").read_text(encoding="ascii", errors="replace"))
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def _read_whole(history: KafkaChatMessageHistory) -> int:
    return len(history.messages)


def _read_stream(history: KafkaChatMessageHistory, batch: int) -> int:
    stream: Iterator[BaseMessage] = getattr(history, STREAM)(batch_max=batch)
    return sum(1 for _ in stream)


if __name__ == "__main__":
    main()
