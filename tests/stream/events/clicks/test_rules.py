"""The rules of events."""

from typing import Any

import numpy as np
import pytest

from stream.events.clicks.rules import EventRules


def test_codes_are_positions_in_the_weights() -> None:
    """Codes and weights follow the order in which names are listed."""
    rules = EventRules(weights={"buy": 3.0, "click": 1.0, "hide": -1.0})
    assert rules.codes == {"buy": 0, "click": 1, "hide": 2}
    assert rules.weight_by_code.tolist() == [3.0, 1.0, -1.0]
    assert rules.weight_by_code.dtype == np.float64


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": {}}, "events.weights has 0 names"),
        ({"weights": {f"e{n}": 1.0 for n in range(256)}}, "256 names"),
        ({"weights": {"": 1.0, "click": 1.0}}, "empty name"),
        ({"weights": {"click": float("nan")}}, "events.weights.click"),
        ({"default_event": "tap"}, "events.default_event is 'tap'"),
        ({"future_tolerance_seconds": -1.0}, "events.future_tolerance_seconds"),
        ({"future_tolerance_seconds": float("nan")}, "events.future_tolerance_seconds"),
        ({"max_age_seconds": 0.0}, "events.max_age_seconds"),
    ],
)
def test_contradictions_are_refused_by_key(settings: dict[str, Any], words: str) -> None:
    """The message names the configuration key."""
    with pytest.raises(ValueError, match=words):
        EventRules(**settings)
