"""Many histories that are constructed and kept: time and memory of each. No broker is needed.

`histories_at_rest COUNT`
"""

import gc
import sys
import time
import tracemalloc

from bench.children.telling import tell
from kchat.langchain import KafkaChatMessageHistory

NOBODY = "localhost:9"
"""Where nobody listens: construction asks nobody."""

PARTS = 10


def main() -> None:
    """Measure, and tell."""
    count = int(sys.argv[1])
    gc.collect()
    seconds = _seconds_each(count)
    tracemalloc.start()
    kept = _bytes_of(count, keep=True)
    dropped = _bytes_of(count, keep=False)
    tell({"seconds": seconds, "bytes_kept": kept / count, "bytes_dropped": dropped / count})


def _seconds_each(count: int) -> list[float]:
    """Of one construction, part by part; the histories of all parts stay alive."""
    kept: list[KafkaChatMessageHistory] = []
    seconds = []
    for part in range(PARTS):
        sessions = [f"timed-{part}-{number}" for number in range(count // PARTS)]
        begun = time.perf_counter()
        kept += [KafkaChatMessageHistory(session, NOBODY, replay=True) for session in sessions]
        seconds.append((time.perf_counter() - begun) / len(sessions))
    for history in kept:
        history.close()
    return seconds


def _bytes_of(count: int, *, keep: bool) -> int:
    """What so many histories hold, their session ids with them; or what they leave when nobody keeps them."""
    keeper = KafkaChatMessageHistory("keeper", NOBODY, replay=True)
    kept: list[KafkaChatMessageHistory | None] = [None] * count
    gc.collect()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(count):
        history = KafkaChatMessageHistory(f"traced-{number}", NOBODY, replay=True)
        if keep:
            kept[number] = history
        del history
    gc.collect()
    held = tracemalloc.get_traced_memory()[0] - before
    for one in kept:
        if one is not None:
            one.close()
    keeper.close()
    return held


if __name__ == "__main__":
    main()
