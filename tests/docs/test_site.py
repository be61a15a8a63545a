"""The built site, as a newcomer's browser sees it: whole, searchable, and asking nobody else for anything."""

from __future__ import annotations

import http.server
import subprocess
import sys
import threading
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser import complaints
from tests.docs.pages import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from selenium.webdriver.chrome.webdriver import WebDriver

pytestmark = pytest.mark.skipif(
    find_spec("zensical") is None, reason="no Zensical to build the site with: make docs installs it"
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing on stderr."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The address of the site, built as `make docs` does."""
    command = [sys.executable, str(ROOT / "tools" / "site.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = partial(Quiet, directory=str(ROOT / "build" / "site"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), pages) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def asked(browser: WebDriver) -> list[str]:
    """What the page has fetched."""
    names: list[str] = browser.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    return names


def test_the_diagrams_are_drawn_and_nothing_comes_from_elsewhere(browser: WebDriver, site: str) -> None:
    browser.get(f"{site}/machines.html")
    drawings = browser.find_elements(By.CSS_SELECTOR, ".diagram svg")
    assert len(drawings) == 3
    assert all(drawing.size["width"] > 300 and drawing.size["height"] > 300 for drawing in drawings)
    assert "LookingBack" in drawings[0].text
    assert "again: RequestFailed" in drawings[0].text  # an arrow to itself: in the box, not over it
    assert complaints(browser) == []
    assert asked(browser) != []
    assert [url for url in asked(browser) if not url.startswith(site)] == []


def test_the_search_finds_a_public_name(browser: WebDriver, site: str) -> None:
    browser.get(f"{site}/index.html")
    WebDriverWait(browser, 10).until(lambda page: "search" in " ".join(asked(page)))
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.CONTROL, "k")
    browser.switch_to.active_element.send_keys("resend")
    WebDriverWait(browser, 10).until(lambda page: "without blocking the event loop" in all_text(page))
    assert complaints(browser) == []
    assert [url for url in asked(browser) if not url.startswith(site)] == []


def all_text(browser: WebDriver) -> str:
    """The text of the page and of what its scripts have put behind a shadow root."""
    text: str = browser.execute_script(
        "const all = root => root.textContent + [...root.querySelectorAll('*')].filter(e => e.shadowRoot)"
        ".map(e => all(e.shadowRoot)).join(' '); return all(document.body)"
    )
    return text
