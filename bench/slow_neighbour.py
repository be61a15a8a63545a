"""How long an append takes beside a session that keeps the shared clients busy."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Event, Thread

from langchain_core.messages import HumanMessage

from bench.contenders.kchat import Kchat, KchatConversation
from bench.contenders.names import KCHAT
from bench.conversation import conversation, session_name
from bench.figures import Timing
from bench.workload import Surroundings

OTHERS = 4
ALONE = f"{OTHERS} sessions alone"
BESIDE_BULK = f"{OTHERS} sessions beside one that appends 900 KB again and again"
BESIDE_WAIT = f"{OTHERS} sessions beside one that waits for messages"
BESIDE = (BESIDE_BULK, BESIDE_WAIT)
BULK = [HumanMessage("x" * 100_000) for _ in range(9)]
TURN = conversation(2)
WAIT_SECONDS = 3.0
SETTLE_SECONDS = 0.05
END_SECONDS_MAX = 20.0


def neighbour_timings(around: Surroundings) -> tuple[Timing, ...]:
    """Times of single appends, alone and beside each kind of slow session, by turns."""
    taken: dict[str, list[float]] = {ALONE: [], BESIDE_BULK: [], BESIDE_WAIT: []}
    with ExitStack() as stack:
        kchat = stack.enter_context(closing(Kchat(around.bootstrap)))
        others = [_opened(kchat, stack) for _ in range(OTHERS)]
        slow = _opened(kchat, stack)
        pool = stack.enter_context(ThreadPoolExecutor(OTHERS, "bench"))
        neighbours: dict[str, Callable[[], object] | None] = {
            ALONE: None,
            BESIDE_BULK: lambda: slow.append(BULK),
            BESIDE_WAIT: lambda: slow.history.messages_from_latest(5, WAIT_SECONDS),
        }
        for _ in range(around.rounds(2, 6)):
            for case, neighbour in neighbours.items():
                with _Neighbour(neighbour):
                    for seconds in pool.map(_appends, others, [around.rounds(30, 60)] * OTHERS):
                        taken[case] += seconds
    return tuple(
        Timing(contender=KCHAT, case=case, seconds=tuple(seconds)) for case, seconds in taken.items()
    )


class _Neighbour:
    """Does something again and again on a thread, as long as it is open."""

    def __init__(self, act: Callable[[], object] | None) -> None:
        self._act = act
        self._over = Event()
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, name="bench-neighbour", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()
        time.sleep(SETTLE_SECONDS)

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._thread.join(END_SECONDS_MAX)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while self._act is not None and not self._over.is_set():
                self._act()
        except Exception as error:  # told by whoever opened this
            self._error = error


def _opened(kchat: Kchat, stack: ExitStack) -> KchatConversation:
    opened = stack.enter_context(closing(kchat.open(session_name("w08_beside"))))
    opened.append(TURN)
    return opened


def _appends(opened: KchatConversation, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        opened.append(TURN)
        taken.append(time.perf_counter() - begun)
    return taken
