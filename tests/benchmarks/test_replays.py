"""What is kept of a replay: the slices that tables show are made of finer ones, exactly."""

from typing import Any

import numpy as np
import pytest

from benchmarks import replays
from gsr.quality.ranking_metrics import ITEM_SLICES, USER_SLICES, metric_means, slice_numbers

MODELS = ["joint", "graph"]


def block(ranks: np.ndarray) -> dict[str, Any]:
    """Return means of `ranks`, int32 [n, 2], as a replay tells them."""
    means = {name: metric_means(ranks[:, at]) for at, name in enumerate(MODELS)}
    return {"scored": len(ranks), **means}


def test_new_users_and_new_items_are_the_clicks_of_their_finer_slices() -> None:
    """Users with one or two clicks, items with less than ten; nobody with none."""
    rng = np.random.default_rng(0)
    ranks = rng.integers(1, 40, (4000, 2)).astype(np.int32)
    user_clicks, item_clicks = rng.integers(0, 14, (2, 4000))
    known = user_clicks > 0
    users, items = slice_numbers(user_clicks, USER_SLICES), slice_numbers(item_clicks, ITEM_SLICES)
    found = {
        "users": {name: block(ranks[users == n]) for n, name in enumerate(USER_SLICES)},
        "items": {name: block(ranks[known & (items == n)]) for n, name in enumerate(ITEM_SLICES)},
    }
    summary = replays.summarise(
        {
            "models": MODELS,
            "overall": block(ranks[known]),
            "slices": found,
            "baselines": {"chosen_by": "mrr@20", "graph": {"column": "graph@60"}},
            **{name: {} for name in ("options", "totals", "cost")},
        },
        "clicks",
    )
    expected = {
        "new_users": block(ranks[known & (user_clicks < 3)]),
        "new_items": block(ranks[known & (item_clicks < 10)]),
    }
    assert summary["slices"].keys() == {"users", "items", *expected}
    for name, means in expected.items():
        assert summary["slices"][name]["scored"] == means["scored"]
        for model in MODELS:
            assert summary["slices"][name][model] == pytest.approx(means[model], abs=1e-5)
    assert summary["baselines"] == {"graph": "graph@60"}
