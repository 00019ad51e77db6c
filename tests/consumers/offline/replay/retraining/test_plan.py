"""Moments of learning anew: at exact clicks, never without new ones, never too many."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumers.errors import ConfigError
from consumers.offline.replay.retraining.plan import (
    HOUR,
    MOST_MOMENTS,
    RetrainingOptions,
    check_count,
    moments_of,
)


def slow_moments(times: list[float], warmed: int, hours: float) -> list[tuple[int, float]]:
    """Go from moment to moment, counting what came before each."""
    if warmed >= len(times):
        return []
    found: list[tuple[int, float]] = []
    step = 0
    while (moment := times[warmed] + step * hours * HOUR) <= times[-1]:
        before = max(warmed, sum(time < moment for time in times)) if step else warmed
        if found and found[-1][0] == before:
            found[-1] = (before, moment)
        elif before:
            found.append((before, moment))
        step += 1
    return found


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=40),
    st.integers(0, 45),
    st.integers(1, 50),
    st.integers(1, 7),
)
def test_moments_are_those_of_going_from_one_to_the_next(
    quarters: list[int], warmed: int, hours: int, parts: int
) -> None:
    """Wherever the stream is cut into parts."""
    times = np.sort(np.array(quarters) * 0.25 * HOUR)
    found = list(moments_of(np.array_split(times, parts), warmed, float(hours)))
    assert [one.number for one in found] == list(range(len(found)))
    expected = slow_moments(times.tolist(), warmed, float(hours))
    assert [(one.clicks, one.time) for one in found] == expected


def test_too_many_moments_are_refused_with_what_would_do() -> None:
    seconds = 1000.0 * HOUR
    check_count(MOST_MOMENTS, 1.0, seconds)
    with pytest.raises(ConfigError, match=r"retrain_hours is 1:.*200 times.*with 6 hours"):
        check_count(MOST_MOMENTS + 1, 1.0, seconds)
    times = np.linspace(0.0, seconds, 5000)
    assert len(list(moments_of([times], 0, 6.0))) <= MOST_MOMENTS


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"hours": 0.0}, "retrain_hours"),
        ({"hours": float("inf")}, "retrain_hours"),
        ({"hours": float("nan")}, "retrain_hours"),
        ({"passes": 0}, "retrain_passes"),
    ],
)
def test_senseless_options_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RetrainingOptions(**wrong).check()  # type: ignore[arg-type]  # an int among floats
