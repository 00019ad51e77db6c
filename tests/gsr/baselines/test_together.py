"""Baselines side by side: their columns, and the time of each."""

from itertools import count

import numpy as np

from gsr.baselines.counters import BaselineCounters
from gsr.baselines.together import BaselinesTogether
from tests.gsr.baselines.click_streams import click_stream


def test_columns_stand_side_by_side() -> None:
    """As if each were alone; every baseline's time is its own."""
    clicks, _ = click_stream([(0, 0, 1.0), (1, 0, 1.0), (0, 1, 1.0), (1, 1, 1.0)])
    scored = np.array([False, False, True, True])
    ticks = count()
    both = BaselinesTogether(
        {"short": BaselineCounters((10.0,)), "long": BaselineCounters((1000.0,))},
        lambda: float(next(ticks)),
    )
    ranks = both.rank_and_add(clicks, scored=scored, mask_history=True)
    alone = BaselineCounters((10.0,)).rank_and_add(clicks, scored=scored, mask_history=True)
    assert both.names[:3] == BaselineCounters((10.0,)).names
    assert ranks.shape == (4, 6)
    assert np.array_equal(ranks[:, :3], alone)
    assert both.seconds == {"short": 1.0, "long": 1.0}
    both.release(np.array([1]))
    again = both.rank(clicks, scored=scored, mask_history=True)
    assert (again[2:] == np.iinfo(np.int32).max).all()


def test_there_may_be_none() -> None:
    """A second configuration on the same stream needs no baselines of its own."""
    clicks, _ = click_stream([(0, 0, 1.0), (0, 1, 1.0)])
    nobody = BaselinesTogether({}, lambda: 0.0)
    ranks = nobody.rank_and_add(clicks, scored=np.ones(2, dtype=np.bool_), mask_history=True)
    assert (nobody.names, ranks.shape) == ((), (2, 0))
