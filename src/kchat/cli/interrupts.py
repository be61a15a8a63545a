"""Ctrl-C, also where the Kafka client loses it.

A call of the client that a signal interrupts can end with an error of its own instead of KeyboardInterrupt
(a SystemError, "returned NULL without setting an exception", in 2 of 96 interrupted runs): so it is noted
that the signal came, and an error after it is not told as one.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def hear_interrupts() -> Iterator[threading.Event]:
    """An event that is set when Ctrl-C comes; KeyboardInterrupt is raised as ever.

    Where the signal is ignored, as in the background of a shell script, it stays so.
    """
    heard = threading.Event()

    def on_interrupt(number: int, frame: FrameType | None) -> None:
        heard.set()
        signal.default_int_handler(number, frame)

    default = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not default or threading.current_thread() is not threading.main_thread():
        yield heard
        return
    signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
