"""The page that follows a session: in a browser, and what its clients leave behind."""

from __future__ import annotations

import json
import time
import uuid
from typing import TYPE_CHECKING

import pytest

from kchat.core import Message
from tests.browser import complaints
from tests.examples.serving import Served, event, eventually, served

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.chrome.webdriver import WebDriver

    from kchat.io import KafkaLog

AT_REST = 2
"""Tasks of a server without clients: itself, and the application's lifespan."""

HOSTILE = "<img src=x onerror=document.title='owned'> <script>document.title='owned'</script> & </p>"


@pytest.fixture(scope="module")
def page() -> Iterator[Served]:
    """The example on its embedded cluster."""
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("KCHAT_BOOTSTRAP", raising=False)
        with served() as page:
            yield page


@pytest.fixture
def session() -> str:
    return f"live-{uuid.uuid4().hex[:8]}"


def shown(browser: WebDriver) -> list[str]:
    # In one go: between two questions a message may go.
    texts: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('article p')].map(shown => shown.innerText)"
    )
    return texts


def status(browser: WebDriver) -> str:
    return browser.find_element("id", "status").text


def test_what_one_says_the_other_sees_as_text(page: Served, browser: WebDriver, session: str) -> None:
    page.say(session, "before anybody looked")
    browser.get(f"{page.url}/?session={session}")
    eventually(lambda: shown(browser) == ["before anybody looked"])
    assert status(browser) == "live"
    page.say(session, HOSTILE, role="ai")
    eventually(lambda: shown(browser) == ["before anybody looked", HOSTILE])
    browser.find_element("name", "text").send_keys("typed\n")
    eventually(lambda: shown(browser)[2:] == ["typed"])
    kinds = [article.get_attribute("class") for article in browser.find_elements("tag name", "article")]
    assert kinds == ["human", "ai", "human"]
    assert browser.title == session
    assert complaints(browser) == []


def test_the_page_goes_on_where_it_was_when_the_server_comes_back(
    kafka: str, kafka_log: KafkaLog, browser: WebDriver, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KCHAT_BOOTSTRAP", kafka)
    with served() as page:
        page.say(session, "one")
        browser.get(f"{page.url}/?session={session}")
        eventually(lambda: shown(browser) == ["one"])
    eventually(lambda: status(browser) == "connecting again")
    [unseen] = kafka_log.conversation(session).append([Message("ai", {"content": "two"})])
    with served(page.port) as page:
        page.say(session, "three")
        eventually(lambda: shown(browser) == ["one", "two", "three"])
        assert status(browser) == "live"
        kafka_log.conversation(session).redact(unseen)
        eventually(lambda: shown(browser) == ["one", "three"])
        kafka_log.conversation(session).clear()
        page.say(session, "a new beginning")
        # No client is told of a deletion: a follower looks after 30 s at most (docs/adr/0022-watching.md).
        eventually(lambda: shown(browser) == ["a new beginning"], seconds_max=45)
    kafka_log.conversation(session).clear()


def test_the_last_event_id_is_where_it_goes_on(page: Served, session: str) -> None:
    for number in range(3):
        page.say(session, f"question {number}")
    with page.events(session) as first:
        whole = [event(first) for _ in range(3)]
    assert [said["text"] for said, _ in whole] == ["question 0", "question 1", "question 2"]
    with page.events(session, last_event_id=whole[0][1]) as rest:
        assert [event(rest)[0]["text"] for _ in range(2)] == ["question 1", "question 2"]


def test_a_client_that_leaves_ends_its_follower(page: Served, session: str) -> None:
    page.say(session, "hello")
    eventually(lambda: page.tasks == AT_REST)  # those of the tests before are gone
    clients = [page.events(session) for _ in range(8)]
    assert [event(client)[0]["text"] for client in clients] == ["hello"] * 8
    each, rest = divmod(page.tasks - AT_REST, 8)
    assert (each > 1, rest) == (True, 0)
    for client in clients[:7]:
        client.close()
    # At once, not at the next keep-alive, which comes every 15 s.
    eventually(lambda: page.tasks == AT_REST + each, seconds_max=5)
    page.say(session, "the last one still follows")
    assert event(clients[7])[0]["text"] == "the last one still follows"
    clients[7].close()
    eventually(lambda: page.tasks == AT_REST, seconds_max=5)


def test_clients_that_stay_do_not_keep_the_server(session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KCHAT_BOOTSTRAP", raising=False)
    with served() as page:
        page.say(session, "hello")
        clients = [page.events(session) for _ in range(3)]
        assert [event(client)[0]["text"] for client in clients] == ["hello"] * 3
        begin = time.monotonic()
    assert time.monotonic() - begin < 5.0
    for client in clients:
        client.close()


@pytest.mark.parametrize("last_event_id", ["nonsense", "kchat1.bm9uc2Vuc2U", "<script>"])
def test_what_is_no_position_is_refused_in_words(page: Served, session: str, last_event_id: str) -> None:
    with page.events(session, last_event_id) as answer:
        assert answer.status == 400
        assert "no position" in json.load(answer)["detail"]


def test_a_position_of_another_session_is_refused(page: Served, session: str) -> None:
    page.say(session, "mine")
    with page.events(session) as events:
        _, place = event(events)
    with page.events("another", last_event_id=place) as answer:
        assert answer.status == 400
    with page.asked(
        "POST", "/sessions/another/messages", json.dumps({"role": "system", "text": "?"})
    ) as answer:
        assert answer.status == 422
