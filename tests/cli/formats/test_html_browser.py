"""The page in a real browser: hostile messages run nothing, load nothing, and are there to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from kchat.cli.formats import html_writer
from kchat.cli.formats.html_page import POLICY
from kchat.cli.formats.losses import Losses
from tests.browser import complaints
from tests.cli.formats.conversations import ATTACKS, HOSTILE_ABOUT, TURNS, entries, hostile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from selenium.webdriver.chrome.webdriver import WebDriver

    from kchat.cli.formats.entries import Entry

WITHOUT_POLICY = "default-src * 'unsafe-inline' data:"


def opened(browser: WebDriver, path: Path, found: Iterable[Entry], policy: str = POLICY) -> None:
    with path.open("w", encoding="utf-8") as file:
        html_writer.write(HOSTILE_ABOUT, iter(found), file, Losses())
    path.write_text(path.read_text(encoding="utf-8").replace(POLICY, policy), encoding="utf-8")
    browser.get(path.as_uri())


# Without the page's policy too: the escaping alone must hold.
@pytest.mark.parametrize("policy", [POLICY, WITHOUT_POLICY], ids=["policy", "escaping-alone"])
def test_hostile_messages_run_nothing_and_are_shown(browser: WebDriver, tmp_path: Path, policy: str) -> None:
    opened(browser, tmp_path / "page.html", hostile(), policy)
    assert complaints(browser) == []
    assert browser.execute_script("return typeof hacked") == "undefined"
    counts = browser.execute_script(
        "return ['script', 'iframe', 'svg', 'form', 'input', 'base', 'main article'].map("
        "name => document.querySelectorAll(name).length)"
    )
    assert counts == [0, 0, 0, 0, 0, 0, len(list(hostile()))]
    loaded = browser.execute_script(
        "return performance.getEntriesByType('resource').filter(one => !one.name.startsWith('data:')).length"
    )
    assert loaded == 0
    text = browser.execute_script("return document.body.textContent")
    for shown in ("<script>hacked = 1</script>", '<img src=x onerror="hacked = 1">', "\\u202egnp.exe\\u2066"):
        assert shown in text
    assert len(ATTACKS) < text.count("hacked")


def test_every_link_is_safe_where_the_browser_resolves_it(browser: WebDriver, tmp_path: Path) -> None:
    opened(browser, tmp_path / "page.html", hostile())
    links = browser.execute_script(
        "return [...document.links].filter(one => !one.getAttribute('href').startsWith('#'))"
        ".map(one => [one.protocol, one.rel])"
    )
    assert links
    assert {protocol for protocol, _ in links} <= {"http:", "https:", "mailto:"}
    assert {rel for _, rel in links} == {"noopener noreferrer nofollow"}


def test_a_conversation_is_laid_out_within_the_window_and_unfolds(browser: WebDriver, tmp_path: Path) -> None:
    opened(browser, tmp_path / "page.html", entries(TURNS))
    assert complaints(browser) == []
    wide = "return document.documentElement.scrollWidth <= window.innerWidth"
    assert browser.execute_script(wide)
    bar = "return getComputedStyle(document.querySelector('article.human')).borderLeftColor"
    assert browser.execute_script(bar) == "rgb(47, 125, 79)"
    summary = browser.find_element("css selector", "details.calls summary")
    arguments = browser.find_element("css selector", "details.calls pre")
    assert not arguments.is_displayed()
    summary.click()
    assert arguments.is_displayed()
    assert '"city": "Lima"' in arguments.text
