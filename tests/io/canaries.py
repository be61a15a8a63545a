"""Secrets that must not be seen again, and everything in which one might be seen."""

import pickle
import traceback
from collections.abc import Iterator
from types import FrameType

from tests.brokers.certificates import KEY_PASSWORD
from tests.brokers.secured import ALICE

CANARY = "canary"
PASSWORD = f"{CANARY}-password"
TOKEN = f"{CANARY}-token"
SAID = f"{CANARY}-message"
KEPT = (CANARY, ALICE.password, KEY_PASSWORD)

OURS = "/src/kchat/"


def spilled(text: str) -> list[str]:
    """The lines that tell a secret."""
    return [line for line in text.splitlines() if any(secret in line for secret in KEPT)]


def told(error: BaseException) -> str:
    """All that an error can tell: its texts, its fields, the locals of our frames, and its pickle."""
    texts = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    for frame in frames(error):
        if OURS in frame.f_code.co_filename:
            texts += [
                f"{frame.f_code.co_qualname}: {name}={value!r}" for name, value in frame.f_locals.items()
            ]
    texts.append(pickle.dumps(error).decode("latin-1"))
    return "\n".join(texts)


def frames(error: BaseException | None) -> Iterator[FrameType]:
    """The frames of an error and of those behind it, suppressed or not."""
    if error is not None:
        yield from (frame for frame, _ in traceback.walk_tb(error.__traceback__))
        yield from frames(error.__cause__)
        if error.__context__ is not error.__cause__:
            yield from frames(error.__context__)
