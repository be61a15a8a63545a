"""How much of a processor a history takes that has nothing to do.

`idle_time open|tail|follow BOOTSTRAP SESSION SECONDS`: an open history, used once before; or one that waits
for a message all the time, by one read after the other or as a follower.
"""

import sys
import time
from threading import Event, Thread

from bench.children.telling import tell
from bench.conversation import conversation
from kchat.langchain import KafkaChatMessageHistory

SETTLE_SECONDS = 1.0
"""New connections are at rest after that."""

WAIT_SECONDS = 30.0


def main() -> None:
    """Measure, and tell."""
    how, bootstrap, session, seconds = sys.argv[1:]
    history = KafkaChatMessageHistory(session, bootstrap, replay=True)
    history.add_messages(conversation(2))
    if len(history.messages) < 2:
        raise SystemExit("the messages are not there")
    over = Event()
    if how != "open":
        # A daemon: its last wait may be longer than this process is needed.
        Thread(target=_tail if how == "tail" else _follow, args=(history, over), daemon=True).start()
    time.sleep(SETTLE_SECONDS)
    begun, used = time.perf_counter(), time.process_time()
    time.sleep(float(seconds))
    share = (time.process_time() - used) / (time.perf_counter() - begun)
    over.set()
    history.add_messages(conversation(1))  # lets the tail go
    history.close()
    tell({"share": share})


def _tail(history: KafkaChatMessageHistory, over: Event) -> None:
    while not over.is_set():
        history.messages_from_latest(1, WAIT_SECONDS)


def _follow(history: KafkaChatMessageHistory, over: Event) -> None:
    for _ in history.follow():
        if over.is_set():
            return


if __name__ == "__main__":
    main()
