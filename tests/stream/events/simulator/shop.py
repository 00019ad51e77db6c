"""A small simulated shop, for tests."""

from typing import Any

import numpy as np

from stream.events.clicks.event_columns import EventColumns
from stream.events.simulator.config import SimulatorConfig
from stream.events.simulator.shoppers import Simulator

SMALL = SimulatorConfig(
    users=300,
    items=120,
    tastes=4,
    clicks_per_second=5.0,
    new_items_per_hour=40.0,
    item_half_life_seconds=3600.0,
    drift_interval_seconds=7200.0,
    drift_share=0.6,
)


def simulated(config: SimulatorConfig, count: int, seed: int = 7) -> tuple[Simulator, EventColumns]:
    """Return a simulator and its first `count` events in one piece."""
    simulator = Simulator(config, np.random.default_rng(seed))
    (events,) = simulator.events(count, batch_rows=count)
    return simulator, events


def numbers(ids: list[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the numbers at the end of ids."""
    return np.array([int(text.split("-")[1]) for text in ids])


def drift_times(simulator: Simulator) -> list[float]:
    """Return when tastes and popularity have changed so far."""
    return [drift.time for drift in simulator.truth.drifts[1:]]
