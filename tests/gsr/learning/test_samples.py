"""Samples: rows of all arrays move together."""

from dataclasses import fields

import numpy as np
import pytest

from gsr.learning.samples import Samples, join
from tests.gsr.world import World, shoppers, small_config


@pytest.fixture(scope="module")
def samples() -> Samples:
    """Return the samples of ten clicks."""
    rng = np.random.default_rng(0)
    return join(shoppers(World(users=4), 10, rng, small_config()))


def columns_of(samples: Samples) -> dict[str, np.ndarray]:
    """Return every array by name."""
    own = {f.name: getattr(samples, f.name) for f in fields(samples) if f.name != "histories"}
    histories = samples.histories
    return own | {f"histories.{f.name}": getattr(histories, f.name) for f in fields(histories)}


def test_picked_rows_keep_every_column(samples: Samples) -> None:
    """In the order that was asked for."""
    rows = np.array([4, 0])
    picked = samples.rows(rows)
    assert len(picked) == 2
    for name, column in columns_of(samples).items():
        np.testing.assert_array_equal(columns_of(picked)[name], column[rows])


def test_joining_undoes_cutting(samples: Samples) -> None:
    """One after the other, nothing else."""
    cut = [samples.rows(np.arange(start, len(samples))[:2]) for start in range(0, len(samples), 2)]
    again = columns_of(join(cut))
    for name, column in columns_of(samples).items():
        np.testing.assert_array_equal(again[name], column)
