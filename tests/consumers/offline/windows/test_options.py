"""Options that contradict themselves are refused, and published protocols are complete."""

from pathlib import Path
from typing import Any

import pytest

from consumers.errors import ConfigError
from consumers.offline.windows.options import PROTOCOLS, WindowOptions, protocol_options
from gsr.quality.ranking_metrics import METRICS

GOOD: dict[str, Any] = {"events": Path("t.csv"), "session": "s", "time": "t", "window": "w"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"session": None}, "sessions, of users"),
        ({"histories": "user"}, "need the column of users"),
        ({"time": None, "window": None}, "times, of windows"),
        ({"window_seconds": 0.0}, "window_seconds"),
        ({"session_clicks": 1}, "session_clicks"),
        ({"first_tested": 0}, "first_tested"),
        ({"share": 0.0}, "share"),
        ({"windows": 0}, "windows must"),
        ({"limit": 0}, "limit must"),
        ({"cycle_clicks": 0}, "cycle_clicks"),
        ({"modes": ()}, "modes"),
        ({"modes": ("live",), "time": None}, "live needs"),
    ],
)
def test_nonsense_is_refused(changes: dict[str, Any], message: str) -> None:
    """The message says what to do."""
    WindowOptions(**GOOD).check()
    with pytest.raises(ConfigError, match=message):
        WindowOptions(**{**GOOD, **changes}).check()


@pytest.mark.parametrize("name", sorted(PROTOCOLS))
def test_protocols_are_complete(name: str) -> None:
    """Each has options that hold, and published figures for metrics that are measured."""
    protocol_options(name, Path("t.csv"), windows=3).check()
    protocol = PROTOCOLS[name]
    assert set(protocol.metrics) <= set(METRICS)
    assert all(len(row) == len(protocol.metrics) for row in protocol.published.values())


def test_an_unknown_protocol_is_refused() -> None:
    """The message lists those that there are."""
    with pytest.raises(ConfigError, match="ader"):
        protocol_options("madeup", Path("t.csv"))
