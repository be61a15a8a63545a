"""Every argument of every public call with every hostile value, each case in a process of its own."""

import itertools
import random
import time
from collections import Counter
from collections.abc import Iterator
from threading import Lock, Thread

import pytest
from attrs import frozen
from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient
from langchain_core.messages import HumanMessage

from kchat.core import KchatError, place
from kchat.langchain import KafkaChatMessageHistory
from tests.brokers.distribution import Distribution
from tests.brokers.jars import JarsKafka
from tests.proof.figures import Figures
from tests.proof.hostile_cases import CANARY, TOPICS, is_a_case
from tests.proof.hostile_requests import CALLS, uncovered
from tests.proof.hostile_values import NEIGHBOUR_ESCAPED, NEIGHBOUR_ESCAPED_TOPIC, NEIGHBOURS, VALUES
from tests.proof.nursery import Ended, Nursery

ROW = "hostile input"
CASE_SECONDS_MAX = 60.0
"""The longest case allowed: some calls of 5 s, and clients that end, on a busy machine. More is a hang."""

CHECKED_EVERY = 50
"""After so many cases somebody looks at the neighbours: damage should have a name."""

WELL = {"ended": "success", "wrong": "", "seen": False}
BROKER_TRIES = 5

KAFKA_TOPIC = "__consumer_offsets"
NURSERIES = ("tests.proof.hostile_cases",)


@frozen
class Case:
    """One argument of one call, and the hostile value that it gets."""

    call: str
    parameter: str
    value: str

    def __str__(self) -> str:
        return f"{self.call}({self.parameter}={self.value})"

    @property
    def first(self) -> bool:
        """Whether it is a session id: that is what strangers choose."""
        return (self.call, self.parameter) == ("KafkaChatMessageHistory", "session_id")

    @property
    def named(self) -> bool:
        """Whether the value names a topic: two such cases at once could meet."""
        return self.first or (self.call, self.parameter) in TOPICS


def all_cases(*, online: bool) -> list[Case]:
    cases = [
        Case(name, parameter, value)
        for name, call in CALLS.items()
        if call.online is online
        for parameter in call.parameters
        for value in VALUES
        if is_a_case(name, parameter, value)
    ]
    random.shuffle(cases)
    return sorted(cases, key=lambda case: not case.first)


class Neighbours:
    """Sessions of somebody else, and Kafka's own topic: nobody may see or change them."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._admin = AdminClient({"bootstrap.servers": servers})
        for session in NEIGHBOURS:
            with KafkaChatMessageHistory(session, servers, partition=1) as history:
                history.add_messages([HumanMessage(CANARY), HumanMessage(f"{CANARY}, unread")])
                history.messages_from_last_consumed(1)
        self._before = self._topics()

    def check(self, figures: Figures, what: str) -> None:
        """Their messages, their cursors, their topics are as they were."""
        for session in NEIGHBOURS:
            found: object
            try:
                with KafkaChatMessageHistory(session, self._servers, replay=True) as history:
                    found = [message.content for message in history.messages]
            except KchatError as error:
                found = error
            if found != [CANARY, f"{CANARY}, unread"]:
                figures.add(lost=1)
                figures.went_wrong(f"{what}: the neighbour {session[:20]!a} now has {found}")
        if (now := self._topics()) != self._before:
            figures.went_wrong(f"{what}: topics of others were deleted or made again: {self._before} {now}")

    def check_cursors(self, figures: Figures) -> None:
        """Nobody moved them. This does."""
        for session in NEIGHBOURS:
            with KafkaChatMessageHistory(session, self._servers) as history:
                if [m.content for m in history.messages] != [f"{CANARY}, unread"]:
                    figures.went_wrong(f"the cursor of the neighbour {session[:20]!a} was moved")

    def _topics(self) -> dict[str, str]:
        names = [KAFKA_TOPIC, *(place(session).topic for session in NEIGHBOURS)]
        described = self._admin.describe_topics(TopicCollection(names), request_timeout=10)
        return {name: str(future.result(10).topic_id) for name, future in described.items()}


class Cases:
    """Runs cases and counts how they ended."""

    def __init__(self, servers: str, figures: Figures) -> None:
        self._servers, self._figures = servers, figures
        self._lock = Lock()
        self.endings: Counter[str] = Counter()
        self.done: set[Case] = set()

    def run(self, nursery: Nursery, case: Case) -> None:
        """One case in a child."""
        ended = nursery.run(
            "tests.proof.hostile_cases:run",
            self._servers,
            case.call,
            case.parameter,
            case.value,
            seconds_max=CASE_SECONDS_MAX,
        )
        self._judge(case, ended, [ended.report])

    def run_offline(self, nursery: Nursery, cases: list[Case]) -> None:
        """All values of one argument in one child, as far as it lives; the next child takes the rest."""
        waiting = list(cases)
        while waiting:
            ended = nursery.run(
                "tests.proof.hostile_cases:run_all",
                waiting[0].call,
                waiting[0].parameter,
                [case.value for case in waiting],
                seconds_max=CASE_SECONDS_MAX,
            )
            reports = [line for line in ended.lines if "ended" in line]
            for case, report in zip(waiting, reports, strict=False):
                self._judge(case, None, [report])
            if len(reports) < len(waiting):
                self._judge(waiting[len(reports)], ended, [None])
            waiting = waiting[len(reports) + 1 :]

    def _judge(self, case: Case, ended: Ended | None, reports: list[object]) -> None:
        self._figures.add(operations=1, faults=1)
        [report] = reports
        with self._lock:
            self.done.add(case)
        if ended is not None and ended.hung:
            self._figures.add(hangs=1)
            self._figures.went_wrong(f"{case} hangs: {ended.err[-1500:]}")
            return
        if ended is not None and (ended.code != 0 or not isinstance(report, dict)):
            how = f"death by signal {-ended.code}" if ended.code < 0 else f"exit code {ended.code}"
            self._figures.went_wrong(f"{case}: {how}: {ended.err[-1500:]}")
        if not isinstance(report, dict):
            return
        with self._lock:
            self.endings[report["ended"]] += 1
        if report["seen"]:
            self._figures.went_wrong(f"{case}: it sees messages of another session")
        if report["wrong"]:
            self._figures.went_wrong(f"{case}: {report['wrong']}")


@pytest.fixture(scope="module")
def kafka(distribution: Distribution) -> Iterator[JarsKafka]:
    with JarsKafka(distribution) as kafka:
        yield kafka


def test_every_public_callable_is_among_the_cases_or_takes_nothing_of_a_users() -> None:
    assert uncovered() == set()


def test_the_neighbours_topic_is_the_one_that_a_case_names() -> None:
    assert place(NEIGHBOUR_ESCAPED).topic == NEIGHBOUR_ESCAPED_TOPIC


def test_without_a_hostile_value_every_call_goes_well(kafka: JarsKafka) -> None:
    with Nursery(*NURSERIES) as nursery:
        for name in CALLS:
            arguments = (kafka.bootstrap, name, "", "")
            for _ in range(BROKER_TRIES):  # a broker that has just begun is slow, and the limits are short
                ended = nursery.run("tests.proof.hostile_cases:run", *arguments, seconds_max=CASE_SECONDS_MAX)
                if ended.report == WELL:
                    break
            assert (ended.code, ended.report) == (0, WELL), (name, ended.err)


@pytest.mark.row(ROW, "every public argument with every hostile value, each in a subprocess", 0.08)
def test_hostile_arguments_are_refused_or_kept(
    kafka: JarsKafka, figures: Figures, row_seconds: float
) -> None:
    neighbours, cases = Neighbours(kafka.bootstrap), Cases(kafka.bootstrap, figures)
    until = time.monotonic() + row_seconds
    online, offline = all_cases(online=True), all_cases(online=False)
    others = [case for case in online if not case.named]
    # Whatever names a topic is in one worker's hands, among half of the others.
    half = set(others[::2])
    mine = [case for case in online if case.named or case in half]

    def work(mine: list[Case], first: list[list[Case]]) -> None:
        with Nursery(*NURSERIES) as nursery:
            for together in first:
                cases.run_offline(nursery, together)
            for done, case in enumerate(mine):
                if figures.lost or (time.monotonic() > until and not case.first):
                    return
                cases.run(nursery, case)
                if done % CHECKED_EVERY == 0:
                    neighbours.check(figures, f"not later than {case}")

    by_argument = [
        list(found)
        for _, found in itertools.groupby(
            sorted(offline, key=lambda case: (case.call, case.parameter)),
            key=lambda case: (case.call, case.parameter),
        )
    ]
    workers = [
        Thread(target=work, args=(mine, [])),
        Thread(target=work, args=(others[1::2], by_argument)),
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    neighbours.check(figures, "in the end")
    neighbours.check_cursors(figures)
    figures.notes.append(
        f"operations: {len(cases.done):,} cases of {len(online) + len(offline):,}"
        f" ({len(CALLS)} calls, {len(VALUES)} values), the others in longer runs; they ended as"
        f" {', '.join(f'{name} {count:,}' for name, count in cases.endings.most_common())}"
    )
