"""The finder of a browser, and that what it finds is one."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import browser as finder

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver


def test_the_first_browser_on_the_search_path_is_taken() -> None:
    paths = {"google-chrome": "/opt/chrome", "chromedriver": "/opt/driver"}
    assert finder.find(paths.get) == finder.Installed("/opt/chrome", "/opt/driver")


@pytest.mark.parametrize(
    ("paths", "missing"),
    [
        ({}, "none of chromium, "),
        ({"chromedriver": "/opt/driver"}, "none of chromium, "),
        ({"chromium": "/opt/chromium"}, "chromedriver is not on"),
    ],
)
def test_what_is_missing_is_said(paths: dict[str, str], missing: str) -> None:
    found = finder.find(paths.get)
    assert isinstance(found, finder.NoBrowser)
    assert missing in str(found)
    assert str(found).endswith("install chromium and chromium-driver")


def test_a_missing_browser_is_a_failure_where_one_is_required() -> None:
    assert [finder.required(e) for e in ({}, {"KCHAT_REQUIRE_BROWSER": "1"})] == [False, True]


def test_it_shows_a_page_and_hears_its_complaints(browser: "WebDriver", tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("<title>quiet</title><p id=said></p><script>said.textContent = 6 * 7</script>")
    browser.get(page.as_uri())
    assert browser.title == "quiet"
    assert browser.find_element("id", "said").text == "42"
    assert finder.complaints(browser) == []
    page.write_text("<title>loud</title><script>missing()</script>")
    browser.get(page.as_uri())
    [complaint] = finder.complaints(browser)
    assert "missing is not defined" in complaint
    browser.get(page.as_uri())  # once more: the next test must not hear of it


def test_the_next_test_hears_nothing_of_it(browser: "WebDriver") -> None:
    assert browser.current_url == "about:blank"
    assert finder.complaints(browser) == []
