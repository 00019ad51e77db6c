"""Progress of long commands on standard error: a bar for people, lines for logs."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from consumers.cli.output import say
from consumers.runtime.progress import Progress as Report
from consumers.runtime.progress import ProgressCallback

_LINE_SECONDS: Final = 10.0


@contextmanager
def progress_bar() -> Iterator[ProgressCallback]:
    """Yield the callback that shows reports; the bar is gone afterwards."""
    if not sys.stderr.isatty():
        yield ProgressLines(time.monotonic)
        return
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(stderr=True),
        transient=True,
    )
    with bar:
        task = bar.add_task("starting", total=None, rate="", note="")

        def show(report: Report) -> None:
            bar.update(
                task,
                description=report.stage,
                completed=report.done,
                total=report.total or None,
                rate=f"{report.events_per_second:,.0f} events/s",
                note=report.note,
            )

        yield show


class ProgressLines:
    """One line when a stage begins, and then every few seconds.

    Parameters
    ----------
    monotonic
        The time, in seconds from anywhere.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._stage = ""
        self._shown_at = 0.0

    def __call__(self, report: Report) -> None:
        """Print the report, if it is time to."""
        now = self._monotonic()
        if report.stage == self._stage and now - self._shown_at < _LINE_SECONDS:
            return
        self._stage, self._shown_at = report.stage, now
        parts = [f"{report.stage}: {report.done:,}"]
        if report.total:
            parts[0] += f" of {report.total:,} ({report.done / report.total:.0%})"
        if report.events_per_second:
            parts.append(f"{report.events_per_second:,.0f} events/s")
        if report.seconds_left is not None:
            parts.append(f"{report.seconds_left:,.0f} s left")
        if report.note:
            parts.append(report.note)
        say(", ".join(parts))
