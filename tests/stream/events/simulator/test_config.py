"""Settings of the simulator have limits."""

from typing import Any

import pytest

from stream.events.simulator.config import SimulatorConfig


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"users": 0}, "users is 0"),
        ({"items": 3, "tastes": 4}, "at least one per taste"),
        ({"clicks_per_second": 0.0}, "clicks_per_second"),
        ({"clicks_per_session": 0.5}, "clicks_per_session"),
        ({"follow_share": 1.5}, "follow_share"),
        ({"popularity_exponent": float("nan")}, "popularity_exponent"),
        ({"drift_interval_seconds": 0.0}, "drift_interval_seconds"),
        ({"event_shares": {}}, "event_shares"),
        ({"event_shares": {"click": 0.0}}, "event_shares"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], words: str) -> None:
    """The message names the setting."""
    with pytest.raises(ValueError, match=words):
        SimulatorConfig(**settings)
