"""Settings as kernels take them."""

import math

import numpy as np
import pytest

from gsr.counters.config import CounterConfig
from gsr.counters.rules import EXPIRY_STEPS, buffer_rules, edge_rules

WEIGHTS = np.array([1.0, 3.0, -1.0])


def test_what_is_off_never_happens() -> None:
    """None is a limit that nothing passes; no lifetime of items means no look for old ones."""
    rules = buffer_rules(CounterConfig(), WEIGHTS)
    assert rules.session_gap == rules.user_ttl == math.inf
    assert rules.item_step == 0.0


def test_limits_are_taken_over() -> None:
    """Expired items are looked for a few times per lifetime."""
    config = CounterConfig(session_gap_seconds=5.0, user_ttl_seconds=6.0, item_ttl_seconds=32.0)
    rules = buffer_rules(config, WEIGHTS)
    assert (rules.session_gap, rules.user_ttl, rules.item_step) == (5.0, 6.0, 32.0 / EXPIRY_STEPS)


def test_events_without_a_weight_are_worth_nothing() -> None:
    """A code of any byte may be looked up."""
    for rules in (buffer_rules(CounterConfig(), WEIGHTS), edge_rules(CounterConfig(), WEIGHTS)):
        assert rules.weights[:4].tolist() == [1.0, 3.0, -1.0, 0.0]
        assert len(rules.weights) == 256


@pytest.mark.parametrize("neighbours", [1, 3, 64])
def test_a_click_finds_room_for_every_edge(neighbours: int) -> None:
    """Each edge may move its row to a block twice as large as a full row needs."""
    config = CounterConfig(
        neighbours=neighbours, half_lives=(60.0,), close_clicks=0, close_half_lives=()
    )
    rules = edge_rules(config, WEIGHTS)
    edges = 2 * 3
    assert rules.room_per_click >= edges * rules.row_slots


@pytest.mark.parametrize("close_clicks", [1, 5])
def test_a_click_finds_room_in_both_rows_of_every_pair(close_clicks: int) -> None:
    """Close clicks on either side change two rows each; those of the window at least one."""
    rules = edge_rules(CounterConfig(close_clicks=close_clicks), WEIGHTS)
    pairs = 2 * max(3, 2 * close_clicks)
    assert rules.room_per_click >= pairs * rules.row_slots
    assert rules.close_half_lives.tolist() == [86_400.0, 31_536_000.0]
