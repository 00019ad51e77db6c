"""The demo with its page, in a directory of its own, for those who look at it with a browser."""

import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser

from consumers.runtime.supervisor import gsr_command
from tests.consumers.browser import visitor

ADDRESS: Final = re.compile(r"a page to look at[^:]*: (http://\S+)/")
START_SECONDS: Final = 240.0
STARTED: Final = ".figures dd:has-text('№')"
"""On the view "now": some model serves."""
END_SECONDS: Final = 60.0
PLACES: Final = ("--state", "state", "--log", "embedded:log")

PATIENT: Final = ("--set", "serve.timeout_seconds=60")
"""Answers may take long while others use the machine."""


@dataclass(frozen=True, slots=True)
class LiveDemo:
    """A demo that runs.

    Parameters
    ----------
    base
        Where its page is.
    pid
        Of the process that looks after all others.
    directory
        Its own.
    """

    base: str
    pid: int
    directory: Path

    def gsr(self, *words: str) -> str:
        """Run `gsr` with a command on its state, and return what that printed.

        Raises
        ------
        subprocess.CalledProcessError
            It failed.
        """
        found = subprocess.run(
            gsr_command(*words), cwd=self.directory, check=True, capture_output=True, text=True
        )
        return found.stdout + found.stderr


def await_model(browser: Browser, demo: LiveDemo) -> None:
    """Return when the page shows that a model serves."""
    with visitor(browser, demo.base) as somebody:
        somebody.page.set_default_timeout(1000.0 * START_SECONDS)
        somebody.open("now", STARTED)


@contextmanager
def live_demo(directory: Path) -> Iterator[LiveDemo]:
    """Run the demo; yield it as soon as its page answers."""
    output = directory / "demo.log"
    with output.open("w") as file:
        process = subprocess.Popen(
            gsr_command("run", "--demo", *PLACES, *PATIENT), cwd=directory, stdout=file, stderr=file
        )
        try:
            yield LiveDemo(address(process, output), process.pid, directory)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS)


def address(process: "subprocess.Popen[bytes]", output: Path) -> str:
    """Return the address of the page as soon as it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        found = ADDRESS.search(output.read_text(errors="replace"))
        if found and answers(found[1]):
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(output.read_text(errors="replace")[-2000:])


def answers(base: str) -> bool:
    """Return whether the page is there."""
    try:
        with urllib.request.urlopen(f"{base}/", timeout=5) as answer:  # noqa: S310 - loopback http
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False
