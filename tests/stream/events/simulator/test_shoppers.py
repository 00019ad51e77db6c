"""The simulated shop: reproducible, endless, and true to its answer key."""

from dataclasses import replace
from itertools import chain, islice, pairwise

import numpy as np
import numpy.typing as npt
import pytest

from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator
from tests.stream.events.simulator.shop import SMALL, drift_times, numbers, simulated


def next_click(
    simulator: Simulator, user: int, time: float, last_item: int | None = None
) -> npt.NDArray[np.float64]:
    """Return how likely a shopper's next click is on each item, in a session begun at `time`.

    No recommender can know more; the best possible list sorts by it.
    """
    config, truth = simulator.config, simulator.truth
    popularity = truth.item_popularity(time)
    own = np.where(truth.item_tastes == truth.user_tastes(time)[user], popularity, 0.0)
    strength = config.taste_strength
    chances = strength * own / own.sum() + (1 - strength) * popularity / popularity.sum()
    if last_item is not None:
        chances *= 1 - config.follow_share
        share = config.follow_share / config.followers
        np.add.at(chances, truth.followers(time)[last_item], share)
    return np.asarray(chances)


def test_a_seed_makes_a_stream_however_it_is_cut() -> None:
    """Batches and calls do not matter; another seed does."""
    _, whole = simulated(SMALL, 30_000)
    simulator = Simulator(SMALL, np.random.default_rng(7))
    cut = [*simulator.events(11, 4), *simulator.events(9_989, 777), *simulator.events(20_000)]
    assert [len(events) for events in cut[:3]] == [4, 4, 3]
    assert np.concatenate([events.times for events in cut]).tolist() == whole.times.tolist()
    for name in ("user_ids", "item_ids", "events", "event_ids"):
        joined = list(chain.from_iterable(getattr(events, name) for events in cut))
        assert joined == getattr(whole, name)
    _, other = simulated(SMALL, 30_000, seed=8)
    assert other.item_ids != whole.item_ids


def test_without_a_count_it_never_ends() -> None:
    """A demo may take batches for ever, and small ones."""
    simulator = Simulator(SMALL, np.random.default_rng(1))
    batches = list(islice(simulator.events(batch_rows=50), 700))
    assert {len(events) for events in batches} == {50}
    assert drift_times(simulator) != []


def test_times_are_ordered_and_keep_the_rate() -> None:
    """Milliseconds from the start on, at the configured rate."""
    _, events = simulated(replace(SMALL, start_time=1e9 + 1 / 3), 50_000)
    assert events.times[0] >= 1e9
    assert np.all(np.diff(events.times) >= 0)
    assert np.array_equal(np.round(events.times, 3), events.times)
    assert len(events) / np.ptp(events.times) == pytest.approx(5.0, rel=0.05)


def test_sessions_pause_and_end() -> None:
    """Most clicks follow the user's last one within minutes, and sessions have the mean length."""
    config = replace(SMALL, users=20_000, clicks_per_second=2.0, activity_exponent=0.0)
    _, events = simulated(config, 20_000)
    order = np.lexsort((events.times, numbers(events.user_ids)))
    users, times = numbers(events.user_ids)[order], events.times[order]
    within = (np.diff(times) < 600) & (np.diff(users) == 0)
    assert len(events) / (len(events) - within.sum()) == pytest.approx(5.0, rel=0.1)
    assert np.diff(times)[within].mean() == pytest.approx(30.0, rel=0.1)


def test_events_have_their_shares() -> None:
    """The names are those of the configuration."""
    _, events = simulated(replace(SMALL, event_shares={"view": 3.0, "cart": 1.0}), 20_000)
    assert set(events.events) == {"view", "cart"}
    assert events.events.count("cart") == pytest.approx(5_000, rel=0.1)


def test_clicks_follow_the_tastes_of_the_key() -> None:
    """A shopper's free clicks are mostly on the taste that the key gives for that time."""
    config = replace(SMALL, follow_share=0.0, taste_strength=0.9)
    simulator, events = simulated(config, 60_000)
    truth = simulator.truth
    users, items = numbers(events.user_ids), numbers(events.item_ids)
    edges = [config.start_time, *drift_times(simulator), np.inf]
    for start, stop in pairwise(edges):
        # Sessions under way keep the old taste: leave their last minutes out.
        rows = np.flatnonzero((events.times >= start + 900) & (events.times < stop))
        if len(rows) < 5_000:
            continue
        tastes = truth.user_tastes(start)[users[rows]]
        matching = (truth.item_tastes[items[rows]] == tastes).mean()
        # One tenth is on any item, of which one taste in four fits by chance.
        assert matching == pytest.approx(0.9 + 0.1 / 4, abs=0.05)


def test_the_key_predicts_the_next_click() -> None:
    """Probabilities sum to one, and over many clicks they are what happens."""
    config = replace(SMALL, tastes=2, items=20, drift_interval_seconds=None, users=40)
    config = replace(config, new_items_per_hour=0.0, item_half_life_seconds=None)
    simulator, events = simulated(config, 50_000)
    truth = simulator.truth
    chances = next_click(simulator, 3, config.start_time)
    assert chances.sum() == pytest.approx(1.0)
    followed = next_click(simulator, 3, config.start_time, last_item=5)
    assert followed.sum() == pytest.approx(1.0)
    assert followed[truth.followers(config.start_time)[5]].sum() >= config.follow_share
    taste = truth.user_tastes(config.start_time)
    liked = np.array([next_click(simulator, user, config.start_time) for user in range(40)])
    counts = np.zeros((2, 20))
    np.add.at(counts, (taste[numbers(events.user_ids)], numbers(events.item_ids)), 1)
    for group in range(2):
        # Following spreads clicks within the taste; the taste's share is unmoved by it.
        share = counts[group] @ (truth.item_tastes == group) / counts[group].sum()
        expected = liked[taste == group][0] @ (truth.item_tastes == group)
        assert share == pytest.approx(expected, abs=0.06)


def test_a_static_model_loses_hits_at_a_drift_and_an_informed_one_does_not() -> None:
    """The best list of before the drift is worth much less after it."""
    config = replace(SMALL, follow_share=0.0, item_half_life_seconds=None, drift_share=1.0)
    config = replace(config, items=400, tastes=10, new_items_per_hour=0.0)
    simulator, events = simulated(config, 70_000)
    drift = drift_times(simulator)[0]

    def hit_rate(key_time: float, start: float, stop: float) -> float:
        chances = [next_click(simulator, user, key_time) for user in range(config.users)]
        best = np.argsort(-np.array(chances), axis=1)[:, :10]
        rows = np.flatnonzero((events.times >= start) & (events.times < stop))
        users, items = numbers(events.user_ids)[rows], numbers(events.item_ids)[rows]
        return float((best[users] == items[:, None]).any(axis=1).mean())

    before = hit_rate(config.start_time, config.start_time, drift)
    static = hit_rate(config.start_time, drift + 900, drift + 7200)
    informed = hit_rate(drift, drift + 900, drift + 7200)
    assert before > 0.4
    assert static < 0.5 * before
    assert informed > 0.8 * before


def test_the_smallest_shop_works() -> None:
    """One shopper, one item, one taste, clicks that follow themselves."""
    config = SimulatorConfig(users=1, items=1, tastes=1, followers=9, new_items_per_hour=0.0)
    _, events = simulated(config, 100)
    assert set(events.item_ids) == {"item-0"}
