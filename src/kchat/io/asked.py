"""A request to the admin client, in flight: asked on a thread of its own.

The client answers by a `Future`, whose locking is Python code: Ctrl-C in there leaves it locked for good, and
then the client's own thread waits for it for ever. The main thread only ever waits for a plain lock.
"""

from _thread import start_new_thread
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from threading import Lock
from typing import Any

from kchat.core import BrokerError, ErrorKind
from kchat.io.failing import FailedError

TIMED_OUT = BrokerError(ErrorKind.TIMED_OUT, "_TIMED_OUT", "the request was not answered")


class Asked:
    """One request; `start` sends it.

    `ask` takes the seconds after which it is given up, and gives the answer.
    """

    def __init__(self, ask: Callable[[float], Any]) -> None:
        self._ask = ask
        self._pending = Lock()
        self._answer: Any = None
        self._error: BaseException | None = None

    def start(self, seconds: float) -> None:
        """Send it; it is given up after so long."""
        self._pending.acquire()
        start_new_thread(self._run, (seconds,))

    def over(self, seconds: float) -> bool:
        """Wait until it is over; tell whether it is, with an answer or with an error."""
        if not self._pending.acquire(timeout=seconds):
            return False
        self._pending.release()
        return True

    def answered(self, seconds: float) -> bool:
        """Wait for the answer; tell whether there is one, and no error."""
        return self.over(seconds) and self._error is None

    def result(self, seconds: float) -> Any:
        """Wait for the answer, and give it.

        Raises:
            FailedError: there was none in time.
            KafkaException: the answer is an error.
        """
        answered = self.answered(seconds)
        if self._error is not None and not isinstance(self._error, FutureTimeoutError | TimeoutError):
            raise self._error
        if not answered:
            raise FailedError(TIMED_OUT)
        return self._answer

    def _run(self, seconds: float) -> None:
        try:
            self._answer = self._ask(seconds)
        except BaseException as error:  # whatever it is, it belongs to whoever waits
            self._error = error
        finally:
            self._pending.release()
