"""Weight of the page of `gsr serve`, and the time until it shows something; or a picture of it.

    python -m benchmarks.page --out docs/results/page.json
    python -m benchmarks.page --picture docs/page.png --seconds 120

Runs the demo (`gsr run --demo`: simulated shoppers, so everything on the picture is made up) in a
directory of its own, waits until there is something to see, and opens the views in the system's
Chromium. Nothing is in the browser's cache at the first visit; at the second everything is.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page

from benchmarks.live_demo import await_model, live_demo
from benchmarks.reports import machine, report
from consumers.roles.serve.page_routes import page_files
from tests.consumers.browser import chromium_path, open_browser, visitor

SHOWN: Final = ".figures dd"
PICTURE: Final = {"width": 1100, "height": 760}
MOST_BYTES: Final = 150_000
"""Of the picture: it stays in the repository for ever."""


def main() -> None:
    """Run the demo, and measure or take the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=45.0, help="of traffic before anything")
    parser.add_argument("--visits", type=int, default=10, help="of each kind")
    parser.add_argument("--out", type=Path, help="write the results here, as JSON")
    parser.add_argument("--picture", type=Path, help="take a picture instead of measuring")
    arguments = parser.parse_args()
    executable = chromium_path()
    if executable is None:
        parser.error("no chromium is installed")
    with (
        tempfile.TemporaryDirectory(prefix="gsr-page-") as root,
        live_demo(Path(root)) as demo,
        open_browser(executable) as browser,
    ):
        await_model(browser, demo)
        time.sleep(arguments.seconds)
        if arguments.picture is not None:
            take(browser, demo.base, arguments.picture)
            return
        times = measure(browser, demo.base, arguments.visits)
        version = browser.version
    files = page_files()
    weights = {
        "files": len(files),
        "bytes": sum(len(file.plain) for file in files.values()),
        "compressed_bytes": sum(len(file.compressed) for file in files.values()),
    }
    results = {"benchmark": "page", **machine(), "chromium": version, **weights, **times}
    report(results, arguments.out)


def measure(browser: Browser, base: str, visits: int) -> dict[str, Any]:
    """Return milliseconds to the first paint and to the first figures, cold and warm."""
    cold, warm, sent = [], [], []
    for _ in range(visits):
        context = browser.new_context()
        page = context.new_page()
        cold.append(visit(page, base))
        sent.append(page.evaluate(TRANSFERRED))
        warm.append(visit(page, base))
        context.close()
    return {
        "visits": visits,
        "transferred_bytes_cold": max(sent),
        "milliseconds_cold": medians(cold),
        "milliseconds_warm": medians(warm),
    }


TRANSFERRED: Final = """performance.getEntries()
  .filter(one => one.transferSize && !one.name.includes("/v1/"))
  .reduce((sum, one) => sum + one.transferSize, 0)"""


def visit(page: Page, base: str) -> dict[str, float]:
    """Load the page; return milliseconds from the request to what is seen."""
    page.goto(f"{base}/")
    page.wait_for_selector(SHOWN)
    figures = page.evaluate("performance.now()")
    paint = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? performance.now()"
    )
    return {"first_paint": paint, "first_figures": figures}


def medians(visits: list[dict[str, float]]) -> dict[str, float]:
    """Return the median of each time."""
    return {name: round(statistics.median(one[name] for one in visits), 1) for name in visits[0]}


def take(browser: Browser, base: str, path: Path) -> None:
    """Take the picture: a shopper's clicks, and their list with its reasons."""
    with visitor(browser, base) as somebody:
        page = somebody.page
        page.set_viewport_size({"width": PICTURE["width"], "height": PICTURE["height"]})
        somebody.open("user", ".chips a")
        page.locator(".chips a").first.click()
        page.wait_for_selector(".listed .why")
        page.wait_for_timeout(500)
        page.screenshot(path=path)
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} has {path.stat().st_size} bytes, more than {MOST_BYTES}")


if __name__ == "__main__":
    main()
