"""Means by window, over windows and over cases."""

import numpy as np
import pytest

from consumers.offline.windows.tallies import Tallies
from gsr.quality.ranking_metrics import MISS


def test_windows_count_alike_and_cases_count_alike() -> None:
    """A window without a case counts nowhere."""
    tallies = Tallies(("model",))
    tallies.add(np.array([[1]], dtype=np.int32))
    assert tallies.last()["model"]["mrr@20"] == 1.0
    tallies.add(np.zeros((0, 1), dtype=np.int32))
    assert tallies.last() == {"cases": 0}
    tallies.add(np.array([[2], [MISS], [MISS]], dtype=np.int32))
    assert tallies.cases == 4
    assert tallies.over_windows()["model"]["hr@20"] == pytest.approx((1 + 1 / 3) / 2)
    assert tallies.over_cases()["model"]["mrr@20"] == pytest.approx(1.5 / 4)


def test_nothing_has_no_mean() -> None:
    """There is no model to name either."""
    tallies = Tallies(("model",))
    tallies.add(np.zeros((0, 1), dtype=np.int32))
    assert tallies.over_windows() == tallies.over_cases() == {}
