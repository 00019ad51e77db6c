"""Outcomes of a batch."""

import numpy as np

from gsr.counters.applied_clicks import ACCEPTED, DUPLICATE
from gsr.counters.config import CounterConfig
from gsr.counters.counters import Counters
from tests.gsr.counters.counted import walk
from tests.stream.state.click_stories import WEIGHTS, batch_of


def test_only_processed_rows_count() -> None:
    """A pass that stopped says nothing of the rows behind."""
    counters = Counters(CounterConfig(max_items=2), np.array(WEIGHTS))
    batch = batch_of([*walk(1, 2), *walk(1, 2, 3)])
    applied = counters.apply_buffers(batch)
    assert (applied.start, applied.stop) == (0, 4)
    assert (applied.count(ACCEPTED), applied.count(DUPLICATE)) == (2, 2)
    assert applied.accepted.tolist() == [True, True, False, False, False]
    assert applied.edge_starts[: applied.stop + 1].tolist() == [0, 0, 1, 1, 1]


def test_kernels_share_the_columns() -> None:
    """What they write stands in the outcome at once."""
    counters = Counters(CounterConfig(), np.array(WEIGHTS))
    applied = counters.apply(batch_of(walk(1, 2)))
    columns = applied.columns()
    columns.outcomes[0] = DUPLICATE
    assert applied.count(DUPLICATE) == 1
    assert columns.edge_starts is applied.edge_starts
