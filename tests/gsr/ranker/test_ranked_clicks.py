"""Clicks that are thinned out: a few candidates stand for all."""

import numpy as np

from gsr.ranker.lookups import Lookups
from gsr.ranker.network import ABSENT, log_weights_of
from gsr.ranker.ranked_clicks import BEST_SHARE, RankedClicks, thin_out

N, K = 2000, 50


def clicks_of(rng: np.random.Generator, there: np.ndarray) -> RankedClicks:
    """Return clicks whose k-th candidate is item k, with k as its one feature."""
    items = np.broadcast_to(np.arange(K, dtype=np.int32), (N, K))
    targets = rng.integers(-1, 5, N)
    clicked = np.where(targets >= 0, targets, 7).astype(np.int32)
    nothing = np.zeros((N, 0), dtype=np.int32)
    return RankedClicks(
        features=items[..., None].astype(np.float32),
        context=np.zeros((N, 1), dtype=np.float32),
        log_weights=log_weights_of(there),
        targets=targets,
        lookups=Lookups(nothing, nothing.astype(np.float32), np.where(there, items, -1), clicked),
        users=rng.integers(2**64, size=N, dtype=np.uint64),
    )


def test_a_few_stand_for_all() -> None:
    """The clicked and the best are among them; sums over the softmax are right on average."""
    rng = np.random.default_rng(0)
    there = np.arange(K) < rng.integers(8, K + 1, N)[:, None]
    clicks = clicks_of(rng, there)
    scores = rng.standard_normal((N, K)).astype(np.float32)
    thin = thin_out(clicks, scores, 20)
    assert thin.features.shape == (N, 20, 1)
    found = thin.lookups.candidates
    np.testing.assert_array_equal(found >= 0, thin.log_weights > ABSENT / 2)
    np.testing.assert_array_equal(thin.features[..., 0][found >= 0], found[found >= 0])
    clicked = np.flatnonzero(clicks.targets >= 0)
    assert (found[clicked, thin.targets[clicked]] == clicks.targets[clicked]).all()
    assert (thin.targets[clicks.targets < 0] == -1).all()
    best = np.where(there, scores, -np.inf)
    best[clicked, clicks.targets[clicked]] = np.inf
    wanted = np.argsort(-best, axis=1)[:, : round(20 * BEST_SHARE)]
    assert all(set(row) <= set(have) for row, have in zip(wanted, found, strict=True))
    own = np.take_along_axis(scores, np.maximum(found, 0), axis=1)
    ratios = np.exp(own + thin.log_weights).sum(axis=1) / (np.exp(scores) * there).sum(axis=1)
    assert abs(ratios.mean() - 1.0) < 0.01
    counts = np.exp(thin.log_weights).sum(axis=1)
    full = there.sum(axis=1) >= 20
    np.testing.assert_allclose(counts[full], there.sum(axis=1)[full], rtol=1e-5)
    np.testing.assert_array_equal((found >= 0).sum(axis=1)[~full], there.sum(axis=1)[~full])
    again = thin_out(clicks, scores, 20)
    np.testing.assert_array_equal(again.lookups.candidates, found)


def test_enough_room_leaves_all() -> None:
    """Only the features become half as precise."""
    rng = np.random.default_rng(1)
    clicks = clicks_of(rng, np.ones((N, K), dtype=np.bool_))
    thin = thin_out(clicks, np.zeros((N, K), dtype=np.float32), K)
    assert thin.features.dtype == np.float16
    np.testing.assert_array_equal(thin.lookups.candidates, clicks.lookups.candidates)
