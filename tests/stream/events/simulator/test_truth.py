"""What the simulator says of its shop is what happens there."""

from dataclasses import replace

import numpy as np
import pytest

from tests.stream.events.simulator.shop import SMALL, drift_times, numbers, simulated


def test_new_items_appear_and_are_clicked_from_then_on() -> None:
    """The answer key's births come before any click, and most new items find shoppers."""
    simulator, events = simulated(SMALL, 60_000)
    truth = simulator.truth
    items = numbers(events.item_ids)
    assert np.all(events.times >= truth.item_births[items])
    new = np.flatnonzero(truth.item_births > SMALL.start_time)
    hours = np.ptp(events.times) / 3600
    assert len(new) == pytest.approx(40 * hours, rel=0.3)
    ripe = new[truth.item_births[new] < events.times[-1] - 3600]
    assert np.isin(ripe, items).mean() > 0.95


def test_drift_happens_when_the_key_says() -> None:
    """At every multiple of the interval, for about the configured share of users and items."""
    simulator, events = simulated(SMALL, 80_000)
    truth, start = simulator.truth, SMALL.start_time
    reached = int((events.times[-1] - start) // 7200)
    assert drift_times(simulator)[:reached] == [start + 7200 * (n + 1) for n in range(reached)]
    before, after = truth.user_tastes(start + 7199), truth.user_tastes(start + 7200)
    assert np.array_equal(before, truth.user_tastes(start))
    assert (before != after).mean() == pytest.approx(0.6, abs=0.1)
    one = truth.item_popularity(start + 7199.9)
    other = truth.item_popularity(start + 7200.0)
    known = one > 0
    assert (np.abs(other[known] / one[known] - 1) > 1e-9).mean() == pytest.approx(0.6, abs=0.15)


def test_without_drift_nothing_changes() -> None:
    """Tastes last, and with neither age nor new items so does popularity."""
    config = replace(
        SMALL, drift_interval_seconds=None, new_items_per_hour=0.0, item_half_life_seconds=None
    )
    simulator, events = simulated(config, 40_000)
    truth = simulator.truth
    end = float(events.times[-1])
    assert drift_times(simulator) == []
    assert len(truth.item_ids) == 120
    assert np.array_equal(truth.user_tastes(end), truth.user_tastes(config.start_time))
    assert np.array_equal(truth.item_popularity(end), truth.item_popularity(config.start_time))


def test_followers_of_the_key_follow() -> None:
    """Where every click follows, it is on one of the last item's followers."""
    config = replace(SMALL, follow_share=1.0, new_items_per_hour=0.0, activity_exponent=0.0)
    config = replace(config, users=50_000, clicks_per_second=1.0)
    simulator, events = simulated(config, 5_000)
    followers = simulator.truth.followers(config.start_time)
    last: dict[str, tuple[float, int]] = {}
    found = []
    for user, item, time in zip(
        events.user_ids, numbers(events.item_ids).tolist(), events.times.tolist(), strict=True
    ):
        if user in last and time - last[user][0] < 300:
            found.append(item in followers[last[user][1]])
        last[user] = (time, item)
    assert len(found) > 3_000
    assert np.mean(found) > 0.99
