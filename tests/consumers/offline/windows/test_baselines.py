"""Baselines of windows: named as in a replay, but for those that need one without windows."""

import pytest

from consumers.errors import ConfigError
from consumers.offline.windows.baselines import best_columns, columns_by_kind, window_baselines
from stream.clock import ManualClock


def test_baselines_are_named_as_in_a_replay() -> None:
    """The default ones, some, or none."""
    monotonic = ManualClock().monotonic
    assert {"counters", "session-knn"} <= set(window_baselines("default", monotonic).seconds)
    assert list(window_baselines("item-to-item", monotonic).seconds) == ["item-to-item"]
    assert window_baselines("none", monotonic).names == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [("frozen", "mode frozen"), ("all", "name those"), ("warmup", "no warm-up"), ("x", "no such")],
)
def test_what_windows_cannot_measure_is_refused(text: str, message: str) -> None:
    """The message says what to do."""
    with pytest.raises(ConfigError, match=message):
        window_baselines(text, ManualClock().monotonic)


def test_of_each_kind_the_best_column_is_taken() -> None:
    """The first one where several are equal."""
    means = {
        "joint": {"m": 0.0},
        "mix@1:2:0.5": {"m": 0.2},
        "mix@1": {"m": 0.3},
        "mix@2": {"m": 0.3},
        "vsknn": {"m": 0.1},
    }
    assert best_columns(means, "m") == {"joint": "joint", "mix": "mix@1", "vsknn": "vsknn"}
    assert columns_by_kind(means) == {"joint": 1, "mix": 3, "vsknn": 1}
