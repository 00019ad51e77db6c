"""The page on live simulated traffic: the demo itself, seen through a browser."""

import re
from pathlib import Path

import pytest

from benchmarks.live_demo import live_demo
from benchmarks.page import measure
from tests.conftest import missing
from tests.consumers.browser import chromium_path, open_browser, pictures, visitor


@pytest.mark.slow
def test_the_demo_is_seen_in_every_view(tmp_path: Path) -> None:
    """Figures grow, a shopper's list has reasons, an imaginary one gets lists; weight and time."""
    executable = chromium_path()
    if executable is None:
        missing("chromium is not installed")
        raise AssertionError
    folder = pictures(tmp_path / "pictures")
    with live_demo(tmp_path) as demo, open_browser(executable) as browser:
        base = demo.base
        with visitor(browser, base) as found:
            page = found.page
            page.set_default_timeout(240_000)
            found.open("now", ".figures dd:has-text('№')")
            for role in ("ingest", "trainer", "publisher"):
                found.reads(f"{role} up")
            clicks = page.locator(".figures div", has_text="Clicks per second").locator(".note")
            before = int(re.sub(r"\D", "", clicks.text_content() or ""))
            page.wait_for_function(
                "before => Number(document.querySelector('.figures .note').textContent"
                ".replace(/\\D/g, '')) > before",
                arg=before,
            )
            found.reads("was promoted")
            found.picture(folder / "demo-now.png")
            found.open("quality", "figure svg path.series")
            found.picture(folder / "demo-quality.png")
            found.open("user", ".chips a")
            page.locator(".chips a").first.click()
            page.wait_for_selector(".listed .why")
            found.picture(folder / "demo-user.png")
            page.locator(".listed a").first.click()
            page.wait_for_selector("main[data-view=item] section[aria-labelledby=popularity] tbody")
            found.picture(folder / "demo-item.png")
            found.open("try", ".chips button")
            page.locator(".chips button").nth(0).click()
            page.wait_for_selector(".listed .why")
            page.locator(".chips button").nth(3).click()
            page.wait_for_selector(".moved")
            found.picture(folder / "demo-try.png")
        figures = measure(browser, base, visits=2)
    assert 5_000 < figures["transferred_bytes_cold"] < 60_000
    assert figures["milliseconds_cold"]["first_figures"] > 0
