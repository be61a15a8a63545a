"""A fresh process: its imports, and the first things that it does on a topic that is there.

`fresh_start kchat|raw BOOTSTRAP SESSION MESSAGES`: so many messages are there before.
"""

import gc
import importlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from bench.children.telling import tell

T = TypeVar("T")

NEEDED = ("langchain_core.messages", "langchain_core.chat_history", "confluent_kafka.admin")
"""What kchat.langchain cannot do without. Its users import the first one anyway."""

UNNEEDED = (
    "asyncio",
    "click",
    "hypothesis",
    "kchat.cli",
    "kchat.testing",
    "msgspec",
    "pytest",
    "rich",
)
"""What an import of kchat.langchain has no use for; where the needed ones import it, that is not kchat's."""

CONSTRUCT, APPEND, READ = STEPS = ("construct", "first append", "first read")


def main() -> None:
    """Measure, and tell."""
    contender, bootstrap, session, messages = sys.argv[1:]
    figures: dict[str, object] = {"needed": _imported(*NEEDED)}
    before = frozenset(sys.modules)
    with _collecting() as collected:
        figures["kchat"] = _imported("kchat.langchain")
    figures["collecting"] = sum(collected)
    new = frozenset(sys.modules) - before
    # Before the first record is read: what that imports is another matter.
    figures["packages"] = third_party(new, before)
    figures["unneeded"] = [name for name in UNNEEDED if name in new]
    steps = _kchat if contender == "kchat" else _raw
    figures["steps"] = steps(bootstrap, session, int(messages))
    tell(figures)


def third_party(new: frozenset[str], before: frozenset[str]) -> list[str]:
    """The top-level packages among new modules, without those of Python and those that were there before."""
    known = {name.partition(".")[0] for name in before} | sys.stdlib_module_names
    return sorted({name.partition(".")[0] for name in new} - known)


def _imported(*names: str) -> float:
    begun = time.perf_counter()
    for name in names:
        importlib.import_module(name)
    return time.perf_counter() - begun


@contextmanager
def _collecting() -> Iterator[list[float]]:
    """The seconds of each pass of the garbage collector as long as this is open."""
    taken: list[float] = []
    begun = 0.0

    def look(phase: str, _found: dict[str, int]) -> None:
        nonlocal begun
        if phase == "start":
            begun = time.perf_counter()
        else:
            taken.append(time.perf_counter() - begun)

    gc.callbacks.append(look)
    try:
        yield taken
    finally:
        gc.callbacks.remove(look)


def _kchat(bootstrap: str, session: str, messages: int) -> dict[str, float]:
    from langchain_core.messages import AIMessage, HumanMessage

    from kchat.langchain import KafkaChatMessageHistory

    turn = [HumanMessage("Is it there?"), AIMessage("It is.")]
    steps: dict[str, float] = {}
    history = _timed(steps, CONSTRUCT, lambda: KafkaChatMessageHistory(session, bootstrap, replay=True))
    _timed(steps, APPEND, lambda: history.add_messages(turn))
    found = _timed(steps, READ, lambda: history.messages)
    history.close()
    _check(len(found), messages + len(turn))
    return steps


def _raw(bootstrap: str, session: str, messages: int) -> dict[str, float]:
    from langchain_core.messages import AIMessage, HumanMessage

    from bench.contenders.raw import RawClients, RawConversation

    turn = [HumanMessage("Is it there?"), AIMessage("It is.")]
    steps: dict[str, float] = {}
    clients = _timed(steps, CONSTRUCT, lambda: RawClients(bootstrap))
    conversation = RawConversation(clients, session, decode=True, batched=True)

    def append() -> None:
        clients.warm_producer(session)
        conversation.append(turn)

    _timed(steps, APPEND, append)
    found = _timed(steps, READ, conversation.replay)
    clients.close()
    _check(len(found), messages + len(turn))
    return steps


def _timed(steps: dict[str, float], name: str, step: Callable[[], T]) -> T:
    begun = time.perf_counter()
    returned = step()
    steps[name] = time.perf_counter() - begun
    return returned


def _check(found: int, expected: int) -> None:
    if found < expected:  # more, where other children have appended before
        raise SystemExit(f"{found} messages, not {expected}")


if __name__ == "__main__":
    main()
