"""What every test may use: a real Kafka, a mock cluster, a broker that counts, and Hypothesis profiles."""

import os
import signal
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from kchat.core import Command, Event, Fetched
from kchat.io import EmbeddedKafka, KafkaLog
from kchat.testing import FakeBroker
from tests import nightly
from tests.brokers import Missing, choose_here, open_kafka
from tests.brokers.summary import Summary, summarize
from tests.core.replay import scripts_in

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver

# `ci` finds new cases too: the built-in profile of that name is derandomized and never would.
settings.register_profile("quick", max_examples=20, deadline=None)
settings.register_profile("dev", max_examples=100, deadline=None)
settings.register_profile("ci", max_examples=150, deadline=None, print_blob=True)
settings.register_profile(
    "nightly",
    max_examples=nightly.examples(),
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


def pytest_configure() -> None:
    """A run in the background has SIGINT ignored, and its children would too: the tests of Ctrl-C need it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[FakeBroker, list[int]]:
    """A broker, and how many records each fetch of it gave."""
    broker, fetched = FakeBroker(), list[int]()
    perform = broker.perform

    def counting(command: Command) -> Event:
        event = perform(command)
        if isinstance(event, Fetched):
            fetched.append(len(event.records))
        return event

    monkeypatch.setattr(broker, "perform", counting)
    return broker, fetched


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a real Apache Kafka, found or started; without one the test is skipped, in words."""
    choice = choose_here()
    if isinstance(choice, Missing):
        pytest.skip(str(choice))
    with open_kafka(choice) as bootstrap_servers:
        yield bootstrap_servers


@pytest.fixture(scope="session")
def kafka_log(kafka: str) -> Iterator[KafkaLog]:
    """A log on the real Kafka, shared by all tests as it would be in a server."""
    with KafkaLog({"bootstrap.servers": kafka}) as log:
        yield log


@pytest.fixture(scope="session")
def embedded() -> Iterator[EmbeddedKafka]:
    """librdkafka's mock cluster."""
    with EmbeddedKafka() as embedded:
        yield embedded


@pytest.fixture(scope="session")
def embedded_log(embedded: EmbeddedKafka) -> Iterator[KafkaLog]:
    """A log on the mock cluster."""
    with embedded.log() as log:
        yield log


@pytest.fixture
def browser(browser_process: "WebDriver") -> "Iterator[WebDriver]":
    """The browser with an empty page and an empty console: nothing of what another test's page has left."""
    from tests.browser import complaints

    browser_process.get("about:blank")
    complaints(browser_process)
    yield browser_process
    browser_process.get("about:blank")  # while the servers of the test's page are up


@pytest.fixture(scope="session")
def browser_process(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[WebDriver]":
    """A headless browser; without one the test is skipped in words, or fails with KCHAT_REQUIRE_BROWSER=1."""
    # Imported here: the tests with the oldest dependencies have no Selenium, and no page.
    from tests import browser as finder

    found = finder.find()
    if isinstance(found, finder.NoBrowser):
        (pytest.fail if finder.required(os.environ) else pytest.skip)(str(found))
    with finder.opened(found, tmp_path_factory.mktemp("browser")) as driver:
        yield driver


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever asks for the real Kafka is marked so, and may wait for its first download."""
    for item in items:
        if "kafka" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.kafka)
        if item.get_closest_marker("kafka") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(nightly.SECONDS_MAX if nightly.is_nightly() else 600))


NO_KAFKA = str(Missing("", "")).partition(":")[0]
_skipped_for_kafka: set[str] = set()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the tests that a real Kafka was missing for; a skip for another reason says so itself."""
    if report.skipped and NO_KAFKA in str(report.longrepr):
        _skipped_for_kafka.add(report.nodeid)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The script of a failing run is printed as it is, to be copied: pytest puts marks before other notes."""
    scripts = [] if call.excinfo is None else scripts_in(call.excinfo.value)
    report = yield
    report.sections += [("a script that replays the run", script) for script in scripts]
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With KCHAT_REQUIRE_KAFKA=1 a missing Kafka fails the run."""
    if _summary().failed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None]:
    """The last lines, after pytest's own, say what was not tested, why, and what to install."""
    yield
    if nightly.is_nightly():
        passed, failed, errors = (terminalreporter.getreports(kind) for kind in ("passed", "failed", "error"))
        for line in nightly.last_lines(len(passed), [report.nodeid for report in (*failed, *errors)]):
            terminalreporter.write_line(line, bold=True)
    for line in _summary().lines:
        terminalreporter.write_line(line, bold=True, red=True)


def _summary() -> Summary:
    choice = choose_here()
    return summarize(len(_skipped_for_kafka), choice if isinstance(choice, Missing) else None, os.environ)
