"""The three brokers, as a chat history sees them."""

import asyncio
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Any

import pytest
from attrs import frozen

from kchat.core import Log
from kchat.langchain import KafkaChatMessageHistory
from kchat.testing import FakeBroker
from kchat.testing.conformance import ForeignWrite
from tests.conformance.foreign import ForeignWriter

if TYPE_CHECKING:
    from kchat.io import EmbeddedKafka

Open = Callable[..., KafkaChatMessageHistory]
Meanwhile = Callable[[Callable[[], object]], AbstractContextManager[None]]

APPEND_EVERY_SECONDS = 0.02


@frozen
class Broker:
    """One of the three: how a history reaches it, and what a test may do to it besides.

    `log` is None where the history makes its own connections. `meanwhile` does something again and again
    while the block runs: where time is virtual, as it passes.
    """

    address: str
    log: Log | None
    foreign_write: ForeignWrite
    meanwhile: Meanwhile
    deletes_topics: bool = True


@pytest.fixture(params=["fake", "mock", pytest.param("kafka", marks=pytest.mark.kafka)])
def broker(request: pytest.FixtureRequest) -> Broker:
    if request.param == "fake":
        fake = FakeBroker()
        return Broker("unused:9092", fake, fake.cluster.inject, lambda action: _in_virtual_time(fake, action))
    if request.param == "mock":
        embedded: EmbeddedKafka = request.getfixturevalue("embedded")
        log: Log = request.getfixturevalue("embedded_log")
        address = embedded.bootstrap_servers
        return Broker(address, log, ForeignWriter(address), _in_a_thread, deletes_topics=False)
    address = request.getfixturevalue("kafka")
    return Broker(address, None, ForeignWriter(address), _in_a_thread)


@pytest.fixture
def open_history(broker: Broker) -> Iterator[Open]:
    """Opens histories on the broker, of one new session unless told otherwise; closed after the test."""
    own_session = f"session-{uuid.uuid4().hex}"
    with ExitStack() as stack:

        def opened(session_id: str = own_session, **options: Any) -> KafkaChatMessageHistory:
            history = KafkaChatMessageHistory(session_id, broker.address, log=broker.log, **options)
            return stack.enter_context(history)

        yield opened
        if broker.deletes_topics:
            opened().clear()


@frozen
class Caller:
    """Calls a member of a history by the name in its documentation: itself, or its async twin."""

    runner: asyncio.Runner | None = None

    def __call__(self, history: KafkaChatMessageHistory, member: str, *args: Any, **named: Any) -> Any:
        if self.runner is None:
            found = getattr(history, member)
            return found if member == "messages" else found(*args, **named)
        twin = "aget_messages" if member == "messages" else "a" + member
        return self.runner.run(getattr(history, twin)(*args, **named))


@pytest.fixture(params=["sync", "async"])
def call(request: pytest.FixtureRequest) -> Iterator[Caller]:
    if request.param == "sync":
        yield Caller()
        return
    with closing(asyncio.Runner()) as runner:
        yield Caller(runner)


@contextmanager
def _in_a_thread(action: Callable[[], object]) -> Iterator[None]:
    ended = Event()
    errors: list[BaseException] = []

    def again_and_again() -> None:
        try:
            while not ended.wait(APPEND_EVERY_SECONDS):
                action()
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=again_and_again)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
    assert not errors


@contextmanager
def _in_virtual_time(fake: FakeBroker, action: Callable[[], object]) -> Iterator[None]:
    for number in range(1, 100):
        fake.cluster.at(fake.cluster.now_ms + number * 20, action)
    yield
