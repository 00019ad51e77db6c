"""The system's Chromium, driven through the page of `gsr serve`."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
]
PATIENCE_MILLISECONDS = 60_000
PHONE = {"width": 375, "height": 812}
DESK = {"width": 1200, "height": 900}


def chromium_path() -> str | None:
    """Return where a Chromium is, None where there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def open_browser(executable: str) -> Iterator[Browser]:
    """Run a Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Visitor:
    """Somebody who looks at the page; what goes wrong in the browser is collected.

    Parameters
    ----------
    page
        The tab.
    base
        The address of the service.
    """

    page: Page
    base: str
    faults: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", self._told)
        self.page.on("request", self._asked)

    def _told(self, message: object) -> None:
        kind, text = getattr(message, "type", ""), getattr(message, "text", "")
        # A 404 that the page expects is written there by the browser itself.
        if kind == "error" and "status of 404" not in text and "status of 401" not in text:
            self.faults.append(text)

    def _asked(self, request: Request) -> None:
        where, own = urlsplit(request.url), urlsplit(self.base)
        if where.scheme in {"http", "https", "ws", "wss"} and where.netloc != own.netloc:
            self.elsewhere.append(request.url)

    def open(self, view: str, holds: str) -> None:
        """Open a view, and wait until it shows what a selector finds."""
        self.page.goto(f"{self.base}/#/{view}")
        self.page.wait_for_selector(f"main[data-view='{view.partition('/')[0]}'] {holds}")

    def reads(self, text: str) -> None:
        """Wait until the page says this."""
        self.page.get_by_text(text).first.wait_for()

    def picture(self, path: Path) -> None:
        """Take a picture of all of it."""
        self.page.screenshot(path=path, full_page=True)

    def violations(self) -> list[str]:
        """Return what axe-core finds, rule by rule, with the elements."""
        found = Axe().run(self.page).response["violations"]
        return [f"{one['id']}: {[node['html'][:200] for node in one['nodes']]}" for one in found]


@contextmanager
def visitor(
    browser: Browser, base: str, *, dark: bool = False, phone: bool = False
) -> Iterator[Visitor]:
    """Open a tab of somebody new; at the end nothing may have gone wrong in it."""
    context = browser.new_context(
        color_scheme="dark" if dark else "light",
        viewport={"width": PHONE["width"], "height": PHONE["height"]}
        if phone
        else {"width": DESK["width"], "height": DESK["height"]},
        reduced_motion="reduce",
    )
    try:
        somebody = Visitor(context.new_page(), base)
        yield somebody
        assert somebody.faults == []
        assert somebody.elsewhere == []
    finally:
        with suppress(Exception):  # the browser itself may be what went wrong
            context.close()


def pictures(default: Path) -> Path:
    """Return where pictures go: GSR_PICTURES, or a folder of the test."""
    folder = Path(os.environ.get("GSR_PICTURES", default))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
