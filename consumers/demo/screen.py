"""The demo's output: a live panel on a terminal, else a plain line every few seconds."""

import sys
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from consumers.demo.readings import Shopper
from consumers.runtime.role_figures import CUT, Figures
from consumers.terminal_text import item_name, printable
from stream.clock import Clock, Periodic

_LINE_SECONDS: Final = 5.0
_PANEL_SECONDS: Final = 0.5
_ENOUGH_TESTS: Final = 2000
"""Shares of fewer clicks than these jump about."""
_CLICKS_SHOWN: Final = 4
_ITEMS_SHOWN: Final = 6


class Screen(Protocol):
    """Shows the demo."""

    def show(self, figures: Figures, shopper: Shopper | None) -> None:
        """Take in the newest figures; draws when it is time to."""
        ...

    def message(self, line: str) -> None:
        """Print a line that should not be lost."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


def open_screen(clock: Clock, page: str | None = None) -> Screen:
    """Return the panel on a terminal, which names the page's address all the time, else lines."""
    return LivePanel(clock, page) if sys.stdout.isatty() else PlainLines(clock)


class PlainLines:
    """One line every few seconds on standard output."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begun = clock.monotonic()
        self._next_line = Periodic(clock, _LINE_SECONDS, first=1.0)

    def show(self, figures: Figures, shopper: Shopper | None) -> None:
        """Print a line when it is time to."""
        if not self._next_line.due():
            return
        now = self._clock.monotonic()
        parts = [f"{_minutes(now - self._begun)}  {status(figures)}"]
        if figures.clicks:
            parts = [
                f"{_minutes(now - self._begun)}  {figures.clicks:,} clicks in",
                f"{figures.lists:,} lists out{_delay(figures)}",
                f"model {figures.version}",
            ]
            if enough_tests(figures):
                parts.append(f"next click among the {CUT} best: {hit_rates(figures)}")
            if figures.alarms:
                parts.append(f"drift alarms {figures.alarms}")
        if shopper is not None:
            parts.append(f"{_user(shopper)} now gets {_items(shopper)}")
        sys.stdout.write(" · ".join(parts) + "\n")
        sys.stdout.flush()

    def message(self, line: str) -> None:
        """Print a line on standard error."""
        sys.stderr.write(f"{printable(line)}\n")

    def close(self) -> None:
        """Nothing to leave."""


class LivePanel:
    """A panel that is redrawn in place; below it the address of the page, where there is one."""

    def __init__(self, clock: Clock, page: str | None = None) -> None:
        self._clock = clock
        self._subtitle = f"{page} shows more · Ctrl-C ends it" if page else "Ctrl-C ends it"
        self._begun = clock.monotonic()
        self._next_drawing = Periodic(clock, _PANEL_SECONDS, first=_PANEL_SECONDS)
        self._rate: deque[tuple[float, int]] = deque(maxlen=20)
        self._stack = ExitStack()
        self._live = self._stack.enter_context(
            Live(Text("starting ..."), console=Console(), auto_refresh=False)
        )

    def show(self, figures: Figures, shopper: Shopper | None) -> None:
        """Redraw the panel when it is time to."""
        if not self._next_drawing.due():
            return
        now = self._clock.monotonic()
        self._rate.append((now, figures.clicks))
        rows = Table.grid(padding=(0, 2))
        rows.add_column(style="bold")
        rows.add_column()
        rows.add_row("clicks in", f"{figures.clicks:,}   {self._per_second():,.0f} per second")
        rows.add_row("lists out", f"{figures.lists:,}{_delay(figures)}")
        rows.add_row("model", _model(figures))
        rows.add_row(f"next click in top {CUT}", hit_rates(figures))
        rows.add_row("drift", f"{figures.alarms} alarms, popularity shift {figures.shift:.2f}")
        parts: list[Table | Text] = [rows, Text(status(figures), style="dim")]
        if shopper is not None:
            clicked = _names(shopper, shopper.sequence.items[-_CLICKS_SHOWN:])
            parts.insert(
                1,
                Text(f"\n{_user(shopper)} clicked {clicked}\n  and now gets {_items(shopper)}\n"),
            )
        title = f"gsr demo  {_minutes(now - self._begun)}"
        self._live.update(
            Panel(Group(*parts), title=title, subtitle=self._subtitle, padding=(1, 2)),
            refresh=True,
        )

    def message(self, line: str) -> None:
        """Print a line above the panel."""
        self._live.console.print(printable(line), markup=False, highlight=False)

    def close(self) -> None:
        """Leave the last panel on the screen."""
        self._stack.close()

    def _per_second(self) -> float:
        (begun, before), (ended, after) = self._rate[0], self._rate[-1]
        return (after - before) / (ended - begun) if ended > begun else 0.0


def status(figures: Figures) -> str:
    """Say in plain words what is going on."""
    missing = {"ingest", "trainer", "publisher"} - figures.answering
    if missing:
        return f"starting: waiting for {', '.join(sorted(missing))}"
    if not figures.clicks:
        return "all three roles run; the first clicks are on their way"
    if not figures.lists:
        return "clicks arrive; lists follow with the first counters"
    if not figures.version:
        return "lists come from live counters alone; the first model is being learned"
    tested = "every click is first a test of the model, then learned"
    rates = figures.hit_rate
    if enough_tests(figures) and rates["joint"] < rates["graph"]:
        return (
            f"{tested}; it began from nothing, and the item graph, which only counts what follows "
            "what, is ahead of it so far"
        )
    return tested


def enough_tests(figures: Figures) -> bool:
    """Tell whether so many clicks were tested that shares of them mean something."""
    return figures.scored >= _ENOUGH_TESTS


def hit_rates(figures: Figures) -> str:
    """Return in how many of the recent clicks each model had the item among its best, in words.

    Before enough clicks were tested to tell, how many there are.
    """
    if not enough_tests(figures):
        return f"after {_ENOUGH_TESTS:,} tested clicks ({figures.scored:,} so far)"
    names = {"joint": "model", "graph": "item graph alone", "popularity": "popularity alone"}
    return ", ".join(f"{names[name]} {value:.1%}" for name, value in figures.hit_rate.items())


def _model(figures: Figures) -> str:
    if not figures.version:
        return "none yet"
    return f"version {figures.version}, {figures.learned:,} clicks learned"


def _delay(figures: Figures) -> str:
    if figures.delay_median is None:
        return ""
    return f" (half of them within {figures.delay_median:.2f} s of the click)"


def _user(shopper: Shopper) -> str:
    return printable(shopper.recommendation.user_id)


def _items(shopper: Shopper) -> str:
    items = shopper.recommendation.items[:_ITEMS_SHOWN]
    return _names(shopper, [entry.item_id for entry in items])


def _names(shopper: Shopper, items: Sequence[str]) -> str:
    return ", ".join(item_name(item, shopper.titles.get(item)) for item in items)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
