"""A thread that fetches the reports of those appends that an event loop awaits."""

import time
from _thread import start_new_thread
from collections.abc import Callable
from threading import Lock

from confluent_kafka import KafkaError, KafkaException, Producer

from kchat.io.translate import kafka_error

FLUSH_SECONDS = 0.1
"""How long one flush goes on while records come: it sends at once what else would linger, and calls back."""

PAUSE_SECONDS = 0.002
"""How long it waits where a flush had nothing to wait for: another thread has the reports just now."""

IDLE_SECONDS_MAX = 1.0
"""A thread that nobody needs for so long ends; to begin one takes some 50 us."""

CLOSE_SECONDS_MAX = 1.0
"""How long `close` waits for the thread to leave the client; one flush is what it takes."""

Died = Callable[[KafkaError], object]
"""What is called when the producer has died of this error."""


class Polling:
    """Serves one producer for all tasks that await reports of it. Its thread runs while there are any."""

    def __init__(self, handle: Producer) -> None:
        self._handle = handle
        self._lock = Lock()
        self._awaiting: set[Died] = set()
        self._running: Lock | None = None  # released when the thread is over
        self._closed = False
        self._asleep = False
        self._wanted = Lock()
        self._wanted.acquire()

    def join(self, died: Died) -> None:
        """Fetch reports for one more, until it leaves."""
        with self._lock:
            if self._running is None and not self._closed:
                running = Lock()
                running.acquire()
                # Not a Thread, whose start() waits in Python code. Set after it: should it fail, none runs,
                # and nobody is there to be served.
                start_new_thread(self._run, (running,))
                self._running = running
            self._awaiting.add(died)
        if self._asleep:
            self._wake()

    def leave(self, died: Died) -> None:
        """It has its reports, or wants them no more.

        Takes no lock: a coroutine that is freed comes here, in the midst of whatever holds one.
        """
        self._awaiting.discard(died)

    def close(self) -> None:
        """Let the thread leave the client, which is about to be ended."""
        with self._lock:
            self._closed = True
            running = self._running
        self._wake()
        if running is not None and running.acquire(timeout=CLOSE_SECONDS_MAX):
            running.release()

    def _wake(self) -> None:
        try:
            self._wanted.release()
        except RuntimeError:
            return  # it is awake

    def _run(self, running: Lock) -> None:
        try:
            while self._goes_on(running):
                begun = time.monotonic()
                error = self._flush()
                if error is not None:
                    self._tell(error)
                if error is not None or time.monotonic() - begun < PAUSE_SECONDS / 2:
                    self._wanted.acquire(timeout=PAUSE_SECONDS)
        finally:
            with self._lock:
                if self._running is running:
                    self._running = None
            running.release()

    def _goes_on(self, running: Lock) -> bool:
        """Wait until there is somebody to serve; whether there is."""
        woken = self._asleep = True  # before it looks: who joins after that wakes it
        while woken and not self._awaiting and not self._closed:
            woken = self._wanted.acquire(timeout=IDLE_SECONDS_MAX)
        self._asleep = False
        with self._lock:
            over = self._closed or not self._awaiting
            if over and self._running is running:
                self._running = None
            return not over

    def _flush(self) -> KafkaError | None:
        """Send what lingers and call back; the error that the producer died of, should it have."""
        try:
            self._handle.flush(FLUSH_SECONDS)
        except (KafkaException, SystemError) as exception:
            error = kafka_error(exception)
            if error is None:
                raise
            return error
        return None

    def _tell(self, error: KafkaError) -> None:
        with self._lock:
            awaiting = list(self._awaiting)
        for died in awaiting:
            died(error)
