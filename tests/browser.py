"""A headless Chromium for the tests that look at a page: found on this machine, driven by Selenium.

Nothing is downloaded: the browser and its driver are those on the search path, and Selenium is told where
they are. The browser has an empty profile, and speaks to nobody of its own accord. Tests get it by the
fixture `browser` of tests/conftest.py:

    def test_a_page(browser: WebDriver, tmp_path: Path) -> None:
        browser.get((tmp_path / "page.html").as_uri())
        assert complaints(browser) == []
        browser.save_screenshot("page.png")  # to look at
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import frozen
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

REQUIRE_VARIABLE = "KCHAT_REQUIRE_BROWSER"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DRIVER = "chromedriver"
SECONDS_MAX = 30
WINDOW = (1200, 900)
"""Width and height, in pixels."""

FLAGS = (
    "--headless",
    "--no-sandbox",  # it has to run as root in a container, and sees only pages of the tests
    "--disable-gpu",
    "--disable-dev-shm-usage",  # a container's /dev/shm is too small for it
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
    "--hide-scrollbars",
)


@frozen
class Installed:
    """A browser and the driver that speaks to it."""

    browser: str
    driver: str


@frozen
class NoBrowser:
    """Why there is none, and what would help."""

    reason: str

    def __str__(self) -> str:
        return f"no browser: {self.reason}; install chromium and chromium-driver"


def find(which: Callable[[str], str | None] = shutil.which) -> Installed | NoBrowser:
    """The browser of this machine."""
    browser = next((path for path in map(which, BROWSERS) if path), None)
    driver = which(DRIVER)
    if browser is None:
        return NoBrowser(f"none of {', '.join(BROWSERS)} is on the search path")
    if driver is None:
        return NoBrowser(f"{DRIVER} is not on the search path")
    return Installed(browser, driver)


def required(environ: Mapping[str, str]) -> bool:
    """Whether a missing browser is a failure, not a skip."""
    return environ.get(REQUIRE_VARIABLE, "") == "1"


@contextmanager
def opened(installed: Installed, profile: Path) -> Iterator[WebDriver]:
    """A browser with an empty profile in this directory; it and its driver end with the block."""
    options = Options()
    options.binary_location = installed.browser
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})  # for `complaints`
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size={},{}".format(*WINDOW)):
        options.add_argument(flag)
    environment = {**os.environ, "SE_OFFLINE": "true", "SE_AVOID_STATS": "true"}
    driver = webdriver.Chrome(options, Service(installed.driver, env=environment))
    try:
        driver.set_page_load_timeout(SECONDS_MAX)
        driver.set_script_timeout(SECONDS_MAX)
        yield driver
    finally:
        driver.quit()


def complaints(driver: WebDriver) -> list[str]:
    """The warnings and errors on the console since the last call.

    Scripts that fail are there, files that are missing, and what a content security policy forbids.
    """
    entries = driver.get_log("browser")  # type: ignore[no-untyped-call]
    return [entry["message"] for entry in entries if entry["level"] in {"WARNING", "SEVERE"}]
