"""A network between client and broker that cuts, delays, swallows and slows down."""

import random
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from attrs import evolve
from langchain_core.messages import HumanMessage

from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.distribution import Distribution
from tests.brokers.jars import PLAINTEXT, JarsKafka
from tests.brokers.proxy import BLACKHOLE, CLEAR, Api, Fault, Line, Proxy, Strike
from tests.proof.figures import Figures
from tests.proof.ledger import Told
from tests.proof.load import running
from tests.proof.proxied import Conversation, Network

OUTAGE_SECONDS = 2.0
"""Longer than the limit."""

FAR = 150
"""Messages between two copies of one: more than the ids that a commit holds."""

BEHIND = "BEHIND"


@pytest.fixture(scope="module")
def network(distribution: Distribution) -> Iterator[Network]:
    with Proxy() as proxy:
        advertised = {BEHIND: proxy.address}
        with JarsKafka(distribution, listeners=(PLAINTEXT, BEHIND), advertised=advertised) as kafka:
            proxy.target = kafka.listeners[BEHIND]
            yield Network(kafka.bootstrap, proxy)


@pytest.fixture
def conversation(
    request: pytest.FixtureRequest, network: Network, figures: Figures
) -> Iterator[Conversation]:
    session = request.node.name.removeprefix("test_")[:60]
    with KafkaChatMessageHistory(session, network.proxy.address) as history:
        conversation = Conversation(session, network, figures, history)
        conversation.append(history, "first")
        yield conversation
        network.proxy.heal()


def strike_until(until: float, conversation: Conversation, draw: Callable[[], Fault]) -> None:
    """One fault after the other; the first one strikes an append, so that there is one."""
    proxy, fault = conversation.network.proxy, evolve(draw(), api=Api.PRODUCE, passing=0)
    while True:
        struck = len(proxy.struck)
        proxy.plan(fault)
        if proxy.wait_struck(struck + 1, 2.0):
            conversation.figures.add(faults=1)
        proxy.forget()
        time.sleep(random.choice([0.0, 0.05, OUTAGE_SECONDS]))
        if time.monotonic() >= until:
            return
        fault = draw()


def change_until(until: float, conversation: Conversation, draw: Callable[[], Line]) -> None:
    """Bad times, shorter and longer than the limit, and good ones in between; at least one of each."""
    while True:
        conversation.network.proxy.line = draw()
        conversation.figures.add(faults=1)
        time.sleep(random.choice([0.3, OUTAGE_SECONDS, 2 * OUTAGE_SECONDS]))
        conversation.network.proxy.line = CLEAR
        time.sleep(random.uniform(0.1, 1.0))
        if time.monotonic() >= until:
            return


def under_load(
    conversation: Conversation, seconds: float, faults: Callable[[float], None], writers: int = 2
) -> None:
    """Writers and a cursor through the proxy, until the faults are over."""
    until = time.monotonic() + seconds
    address = conversation.network.proxy.address
    # One record a request: a call can be stored in part.
    in_parts = {"batch.num.messages": 1}
    with KafkaChatMessageHistory(conversation.session, address, config=in_parts) as parts:
        workers = [
            partial(conversation.write, f"w{n}", until, *((conversation.history, 2) if n % 2 else (parts, 4)))
            for n in range(writers)
        ]
        with running(conversation.figures, *workers, partial(conversation.follow, until)):
            faults(until)
            conversation.network.proxy.heal()
    conversation.judge()


def a_cut() -> Fault:
    return Fault(
        api=random.choice([Api.PRODUCE, Api.PRODUCE, Api.OFFSET_COMMIT, Api.FETCH, Api.INIT_PRODUCER_ID]),
        strike=random.choice([Strike.CUT_AFTER, Strike.CUT_AFTER, Strike.CUT_BEFORE, Strike.CUT_WITHIN]),
        passing=random.choice([0, 0, 1, 2, 3]),
        refusing_seconds=random.choice([0.0, 0.3, OUTAGE_SECONDS]),
    )


@pytest.mark.row("network", "cut before, within and after a request; then nobody can connect", 0.02)
def test_a_connection_that_is_cut(conversation: Conversation, row_seconds: float) -> None:
    under_load(conversation, row_seconds, lambda until: strike_until(until, conversation, a_cut))


def late_copy(conversation: Conversation, *, before_resend: bool, others: int) -> None:
    """A request waits in the network until its caller has given up, and then arrives after all."""
    proxy, figures = conversation.network.proxy, conversation.figures
    names = conversation.names("late", random.choice([1, 2, 5]))
    proxy.plan(Fault(api=Api.PRODUCE, strike=Strike.HOLD))
    struck = len(proxy.struck)
    unknown = conversation.attempt(names)
    if unknown is None or len(proxy.struck) == struck:
        figures.went_wrong("an append was acknowledged although its request was on hold")
        return
    figures.add(faults=1)
    before = conversation.stored()
    if before_resend:
        proxy.release()
        landed = conversation.wait_stored(before + len(names))
        conversation.drain()
    conversation.resend(unknown, names)
    conversation.drain()
    with KafkaChatMessageHistory(conversation.session, conversation.network.direct) as other:
        for _ in range(others // 10):
            conversation.append(other, "other", 10)
    conversation.drain()
    if not before_resend:
        before = conversation.stored()
        proxy.release()
        landed = conversation.wait_stored(before + len(names))
        conversation.drain()
    if not landed:
        figures.went_wrong("the proxy has not delivered what it held")


@pytest.mark.row("network", "a request lands late: after its caller gave up, or has sent it again", 0.03)
def test_a_request_that_lands_late(conversation: Conversation, row_seconds: float) -> None:
    until = time.monotonic() + row_seconds
    while True:
        late_copy(conversation, before_resend=random.random() < 0.4, others=random.choice([0, 10, 90]))
        if time.monotonic() >= until:
            break
    conversation.judge()


@pytest.mark.row("network", f"as before, with {FAR} messages between the two copies", 0.01)
def test_a_request_that_lands_late_and_far_behind(conversation: Conversation, row_seconds: float) -> None:
    until = time.monotonic() + row_seconds
    while True:
        late_copy(conversation, before_resend=False, others=FAR)
        if time.monotonic() >= until:
            break
    conversation.judge()


@pytest.mark.row("network", f"cut before the ack; sent again {FAR} messages later", 0.01)
def test_a_resend_far_behind_what_the_cursor_has_read(conversation: Conversation, row_seconds: float) -> None:
    until = time.monotonic() + row_seconds
    with KafkaChatMessageHistory(conversation.session, conversation.network.direct) as other:
        while True:
            names = conversation.names("far", 3)
            cut = Fault(api=Api.PRODUCE, strike=Strike.CUT_AFTER, refusing_seconds=OUTAGE_SECONDS)
            conversation.network.proxy.plan(cut)
            unknown = conversation.attempt(names)
            conversation.figures.add(faults=1)
            conversation.network.proxy.heal()
            conversation.drain()
            for _ in range(FAR // 10):
                conversation.append(other, "other", 10)
                conversation.drain()
            if unknown is not None:
                conversation.resend(unknown, names)
            conversation.drain()
            if time.monotonic() >= until:
                break
    conversation.judge()


@pytest.mark.row("network", "nobody can connect while an append runs; it is given up", 0.01)
def test_what_was_given_up_does_not_surface(conversation: Conversation, row_seconds: float) -> None:
    until = time.monotonic() + row_seconds
    while True:
        names = conversation.names("given up", 2)
        cut = Fault(api=Api.PRODUCE, strike=Strike.CUT_BEFORE, refusing_seconds=OUTAGE_SECONDS)
        conversation.network.proxy.plan(cut)
        if conversation.attempt(names) is not None:
            # It never left the client, and must not do so on its own when the network is back.
            conversation.ledger.enter(names, Told.REFUSED)
        conversation.figures.add(faults=1)
        conversation.network.proxy.heal()
        conversation.append(conversation.history, "other")
        time.sleep(0.3)
        if time.monotonic() >= until:
            break
    conversation.judge()


@pytest.mark.row("network", "a read's commit is cut off; another process reads on from the cursor", 0.01)
def test_a_commit_that_was_given_up_is_not_made_later(conversation: Conversation, row_seconds: float) -> None:
    until = time.monotonic() + row_seconds
    direct = KafkaChatMessageHistory(conversation.session, conversation.network.direct)
    other = evolve(conversation, history=direct)  # it enters what it sees in the same lists
    with direct:
        while True:
            conversation.append(direct, "w", 10)
            strike = random.choice([Strike.CUT_BEFORE, Strike.CUT_AFTER, Strike.MUTE])
            cut = Fault(api=Api.OFFSET_COMMIT, strike=strike, refusing_seconds=OUTAGE_SECONDS)
            conversation.network.proxy.plan(cut)
            conversation.read_on(random.randint(1, 9))
            conversation.figures.add(faults=1)
            other.drain()
            conversation.network.proxy.heal()
            time.sleep(4.0 if strike is Strike.MUTE else 1.5)  # now a client would send it again
            if conversation.read_on():
                conversation.figures.went_wrong("a commit that was given up has set the cursor back")
            other.drain()
            if time.monotonic() >= until:
                break
    conversation.judge()


@pytest.mark.row("network", "blackhole: nothing gets through, and later all of it", 0.02)
def test_a_blackhole(conversation: Conversation, row_seconds: float) -> None:
    under_load(conversation, row_seconds, lambda until: change_until(until, conversation, lambda: BLACKHOLE))


@pytest.mark.row(
    "network", "half-open: bytes get through in one direction, or in none for one connection", 0.02
)
def test_a_half_open_connection(conversation: Conversation, row_seconds: float) -> None:
    def mute() -> Fault:
        return Fault(api=random.choice(list(Api)), strike=Strike.MUTE, passing=random.choice([0, 1, 5]))

    def faults(until: float) -> None:
        half = until - (until - time.monotonic()) / 2
        change_until(half, conversation, lambda: random.choice([Line(up=False), Line(down=False)]))
        strike_until(until, conversation, mute)

    under_load(conversation, row_seconds, faults)


@pytest.mark.row("network", "0.25 s latency each way", 0.01)
def test_a_latency_that_is_bearable(conversation: Conversation, row_seconds: float) -> None:
    """Every call gets through, the first ones with all their round trips, too."""
    conversation.limit_seconds = 30.0
    conversation.network.proxy.line = Line(latency_seconds=0.25)
    for got_through in far_away(conversation, time.monotonic() + row_seconds):
        if not got_through:
            conversation.figures.went_wrong("a call does not get through")
    conversation.judge()


@pytest.mark.row("network", "1 s latency each way", 0.01)
def test_a_latency_of_a_second(conversation: Conversation, row_seconds: float) -> None:
    """Longer than the slices in which kchat waits: what fails does so in time, and nothing is lost."""
    conversation.network.proxy.line = Line(latency_seconds=1.0)
    got_through = list(far_away(conversation, time.monotonic() + row_seconds))
    conversation.figures.notes.append(f"{sum(got_through)} of {len(got_through)} calls get through")
    conversation.judge()


def far_away(conversation: Conversation, until: float) -> Iterator[bool]:
    """Append and read over a long line; tell of each call whether it got through."""
    while True:
        conversation.figures.add(faults=1)
        yield conversation.append(conversation.history, "w") is Told.ACKNOWLEDGED
        yield conversation.read_on() is not None
        if time.monotonic() >= until:
            return


@pytest.mark.row("network", "slow reader: 300 KB a second", 0.01)
def test_a_slow_reader(conversation: Conversation, row_seconds: float) -> None:
    conversation.make = lambda text: HumanMessage(text, additional_kwargs={"padding": "x" * 5_000})
    conversation.network.proxy.line = Line(bytes_per_second=300_000)
    conversation.figures.add(faults=1)
    until = time.monotonic() + row_seconds
    while True:
        for _ in range(10):
            conversation.append(conversation.history, "w", 10)
        conversation.read_on(random.choice([5, 50, None]))
        if time.monotonic() >= until:
            break
    conversation.judge()
