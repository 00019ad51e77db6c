"""Look at the page of a live demo as people do, and check what they would see.

    python -m benchmarks.page_visit --pictures pictures

Runs `gsr run --demo` in a directory of its own and opens the page in the system's Chromium: every
view, light and dark, wide and narrow, with axe-core looking for what keeps people out; a search; a
session of somebody imaginary; a rollback by `gsr models rollback`; and an alarm, because the
trainer is made to hang, that is over when it goes on. Ends at the first thing that is wrong.
"""

import argparse
import json
import os
import signal
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser

from benchmarks.live_demo import PLACES, STARTED, LiveDemo, await_model, live_demo
from benchmarks.role_processes import roles
from tests.consumers.browser import Visitor, chromium_path, open_browser, visitor

PATIENCE_MILLISECONDS: Final = 120_000
LEAST_VERSION: Final = 2
"""Models that there must be before one goes back to the first kept one."""


def main() -> None:
    """Run the demo, and look at it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pictures", type=Path, help="leave a picture of every view there")
    arguments = parser.parse_args()
    executable = chromium_path()
    if executable is None:
        parser.error("no chromium is installed")
    with (
        tempfile.TemporaryDirectory(prefix="gsr-visit-") as root,
        live_demo(Path(root)) as demo,
        open_browser(executable) as browser,
    ):
        folder = (arguments.pictures or Path(root) / "pictures").resolve()
        folder.mkdir(parents=True, exist_ok=True)
        await_model(browser, demo)
        with looking(browser, demo, folder) as somebody:
            search(somebody)
            imaginary_session(somebody)
        every_view(browser, demo, folder)
        with looking(browser, demo, folder) as somebody:
            rollback(somebody, demo, folder)
            alarm(somebody, demo, folder)
    print("Everything was seen.")


@contextmanager
def looking(
    browser: Browser, demo: LiveDemo, folder: Path, *, dark: bool = False, phone: bool = False
) -> Iterator[Visitor]:
    """Open a tab of somebody new; where something goes wrong, `failed.png` shows what they saw."""
    with visitor(browser, demo.base, dark=dark, phone=phone) as somebody:
        somebody.page.set_default_timeout(PATIENCE_MILLISECONDS)
        try:
            yield somebody
        except BaseException:
            somebody.picture(folder / "failed.png")
            raise


def search(somebody: Visitor) -> None:
    """Find a shopper by the beginning of their id, and an item from the neighbours of another."""
    page = somebody.page
    somebody.open("user", ".chips a")
    whole = page.locator(".chips a").first.text_content() or ""
    page.get_by_label("User id").fill(whole[:-1])
    somebody.reads(f"Users that begin with {whole[:-1]}")
    page.get_by_label("User id").fill(whole)
    page.get_by_label("User id").press("Enter")
    page.wait_for_selector(".listed .why")
    expect(page.locator(".timeline a").count() > 0, "a shopper's clicks are shown")
    reasons = page.locator(".listed .why").all_text_contents()
    expect(all(len(words) > len("because") for words in reasons), "each item has a reason")
    somebody.open("item", ".chips a")
    page.locator(".chips a").first.click()
    page.wait_for_selector("svg .node")
    said("a search for a shopper and an item")


def imaginary_session(somebody: Visitor) -> None:
    """Click two items together: the list changes, and says how."""
    page = somebody.page
    somebody.open("try", ".chips button")
    page.locator(".chips button").first.click()
    page.wait_for_selector(".listed .why")
    first = page.locator(".listed .name").all_text_contents()
    page.locator(".listed button").first.click()
    page.wait_for_function(
        "first => [...document.querySelectorAll('.listed .name')]"
        ".map(one => one.textContent).join() !== first",
        arg=",".join(first),
    )
    somebody.reads("items are new on the list")
    said("a session of somebody imaginary")


def every_view(browser: Browser, demo: LiveDemo, folder: Path) -> None:
    """Open every view in each look, and have axe-core look at it."""
    user = ask(demo, "/v1/users?k=1")["user_ids"][0]
    item = ask(demo, "/v1/items?k=1")["items"][0]["item_id"]
    views = {
        "now": STARTED,
        "quality": "figure svg path.series",
        f"user/{user}": ".listed .why",
        f"item/{item}": "svg .node",
        "try": ".chips button",
    }
    for dark in (False, True):
        for phone in (False, True):
            look = f"{'dark' if dark else 'light'}-{'phone' if phone else 'desk'}"
            with looking(browser, demo, folder, dark=dark, phone=phone) as somebody:
                for view, holds in views.items():
                    somebody.open(view, holds)
                    if view == "try":
                        somebody.page.locator(".chips button").first.click()
                        somebody.page.wait_for_selector(".listed .why")
                    somebody.picture(folder / f"{view.partition('/')[0]}-{look}.png")
                    accessible(somebody, f"{view}, {look}")
                    wider = "document.documentElement.scrollWidth - innerWidth"
                    expect(somebody.page.evaluate(wider) <= 0, f"{view}, {look} fits the window")
            said(f"every view, {look}")


def rollback(somebody: Visitor, demo: LiveDemo, folder: Path) -> None:
    """Go back to an older model on the command line, and see it on the page."""
    somebody.open("now", STARTED)
    somebody.reads(f"model {LEAST_VERSION} was promoted")
    version = ask(demo, "/v1/models")["models"][0]["version"]
    demo.gsr("models", "rollback", str(version), "--yes", *PLACES[:2])
    somebody.reads(f"rolled back to model {version}, which serves as")
    somebody.picture(folder / "rollback.png")
    accessible(somebody, "a rollback")
    somebody.open("quality", "figure svg")
    somebody.page.wait_for_selector("figure svg line.rollback", state="attached")
    said(f"a rollback to model {version}, among the events and on the curves")


def alarm(somebody: Visitor, demo: LiveDemo, folder: Path) -> None:
    """Let the trainer hang: the page says so, and later that it is over."""
    somebody.open("now", STARTED)
    text = "trainer does not answer any more"
    with hanging(roles(demo.pid)["trainer"].pid):
        somebody.page.wait_for_selector(f".state.wrong li:has-text('{text}')")
        somebody.picture(folder / "alarm.png")
        accessible(somebody, "an alarm")
    somebody.page.wait_for_selector(f".events li:has(.kind.alarm-over):has-text('{text}')")
    somebody.reads("trainer up")
    said("an alarm, and its end")


@contextmanager
def hanging(pid: int) -> Iterator[None]:
    """Let a process hang in the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def ask(demo: LiveDemo, path: str) -> Any:
    """Return a document of the API."""
    with urllib.request.urlopen(f"{demo.base}{path}") as answer:  # noqa: S310 - loopback http
        return json.load(answer)


def accessible(somebody: Visitor, what: str) -> None:
    """Fail where axe-core finds anything."""
    found = somebody.violations()
    expect(not found, f"axe-core has nothing to say about {what}: {found}")


def expect(holds: bool, what: str) -> None:
    """Fail unless something holds."""
    if not holds:
        raise SystemExit(f"not so: {what}")


def said(what: str) -> None:
    """Say what was seen."""
    print(f"seen: {what}", flush=True)


if __name__ == "__main__":
    main()
