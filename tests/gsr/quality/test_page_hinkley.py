"""Page's test: silent while nothing falls, quick where something does."""

import numpy as np
import pytest

from gsr.quality.page_hinkley import WARM_UP, PageHinkley


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.7])
def test_a_long_calm_stream_raises_no_alarm(rate: float) -> None:
    """What does not change is no alarm, however long it lasts and whatever the hit rate."""
    rng = np.random.default_rng(11)
    detector = PageHinkley()
    assert not any(map(detector.update, (rng.random(400_000) < rate).tolist()))
    assert detector.mean == pytest.approx(rate, rel=0.1)


def test_the_hours_of_a_day_raise_no_alarm() -> None:
    """A rate that goes up and down by a twentieth around its mean has not fallen."""
    rng = np.random.default_rng(12)
    hours = 0.7 * (1.0 + 0.05 * np.sin(np.arange(300_000) * 2 * np.pi / 50_000))
    detector = PageHinkley()
    assert not any(map(detector.update, (rng.random(len(hours)) < hours).tolist()))


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.05), (0.3, 0.2), (0.7, 0.5)])
def test_a_fall_raises_one_alarm_that_names_both_rates(before: float, after: float) -> None:
    """The rates at the alarm are those before the fall and since."""
    rng = np.random.default_rng(14)
    outcomes = np.concatenate((rng.random(20_000) < before, rng.random(5_000) < after)).tolist()
    detector = PageHinkley()
    first = next(at for at, outcome in enumerate(outcomes) if detector.update(outcome))
    assert first >= 20_000
    assert detector.mean == pytest.approx(before, rel=0.1)
    assert detector.recent_mean == pytest.approx(after, rel=0.3)


def test_after_an_alarm_all_begins_anew() -> None:
    """The next outcomes are again a warm-up, without alarms, and the fallen rate is the normal."""
    rng = np.random.default_rng(15)
    detector = PageHinkley()
    outcomes = np.concatenate((rng.random(20_000) < 0.6, rng.random(20_000) < 0.3)).tolist()
    alarms = [at for at, outcome in enumerate(outcomes) if detector.update(outcome)]
    assert len(alarms) == 1
    assert detector.mean == pytest.approx(0.3, abs=0.03)
    assert len(outcomes) - alarms[0] > WARM_UP
