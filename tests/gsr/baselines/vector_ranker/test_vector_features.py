"""Features from learned vectors: products, and that both losses move them."""

import numpy as np

from gsr.baselines.ranker.learned_features import Lookups
from gsr.baselines.vector_ranker.vector_features import VectorFeatures, VectorOptions
from tests.gsr.baselines.click_streams import click_stream

SMALL = VectorOptions(dimension=8, clicks=4, sampled=16, rate=0.02)
ITEMS = 12


def in_pairs(rng: np.random.Generator, n: int) -> Lookups:
    """Return clicks of users who, after an even item, click the odd one behind it."""
    last = 2 * rng.integers(ITEMS // 2, size=n)
    recent = np.stack((last, np.full(n, -1)), axis=1).astype(np.int32)
    candidates = np.tile(np.arange(ITEMS, dtype=np.int32), (n, 1))
    return Lookups(recent, np.ones((n, 2), np.float32), candidates, (last + 1).astype(np.int32))


def features_of(options: VectorOptions = SMALL) -> VectorFeatures:
    features = VectorFeatures(options)
    features.reserve(ITEMS)
    return features


def test_users_vectors_find_what_is_clicked_next() -> None:
    """By the softmax alone; the newest item, which is most like itself, is left out."""
    rng = np.random.default_rng(0)
    features = features_of()
    for _ in range(600):
        lookups = in_pairs(rng, 20)
        features.learn(lookups, np.zeros((20, ITEMS, 2), np.float32), 0)
    lookups = in_pairs(rng, 50)
    scores = features.features(lookups)[..., 0]
    scores[np.arange(50), lookups.recent[:, 0]] = -np.inf
    assert (scores.argmax(axis=1) == lookups.clicked).mean() > 0.9


def test_the_rankers_gradient_moves_both_features() -> None:
    """A step against it lowers what it is the gradient of, feature by feature."""
    rng = np.random.default_rng(1)
    for column in range(2):
        features = features_of()
        lookups = in_pairs(rng, 30)._replace(clicked=np.full(30, -1, np.int32))
        by_features = np.zeros((30, ITEMS, 2), np.float32)
        by_features[:, :, column] = rng.standard_normal((30, ITEMS)) / 30
        before = (features.features(lookups) * by_features).sum()
        for _ in range(10):
            features.learn(lookups, by_features, 0)
        assert (features.features(lookups) * by_features).sum() < before - 0.01


def test_absent_candidates_have_no_features() -> None:
    """And learning from them moves nothing."""
    features = features_of()
    lookups = in_pairs(np.random.default_rng(2), 3)
    lookups.candidates[:, 5:] = -1
    assert (features.features(lookups)[:, 5:] == 0).all()
    assert (features.features(lookups)[:, :5] != 0).all()


def test_a_row_that_stands_for_another_item_learns_nothing_of_the_first() -> None:
    """Clicks that were looked up before the release leave the new item alone."""
    features = features_of()
    lookups = in_pairs(np.random.default_rng(3), 10)
    since = features.releases
    features.release(np.arange(ITEMS))
    before = features.features(lookups)[:, :, 1]
    features.learn(lookups, np.ones((10, ITEMS, 2), np.float32), since)
    assert np.array_equal(features.features(lookups)[:, :, 1], before)


def test_clicks_are_looked_up_newest_first() -> None:
    """As of the moment just before each."""
    clicks, _ = click_stream([(1, 4, 1.0), (1, 5, 2.0), (1, 6, 3.0), (2, 7, 1.0)])
    candidates = np.zeros((2, 1), np.int32)
    found = features_of().lookups(clicks, np.array([2, 3]), candidates)
    assert found.recent.tolist() == [[5, 4, -1, -1], [-1] * 4]
    assert found.ages.tolist() == [[3, 5, 0, 0], [0] * 4]
    assert found.clicked.tolist() == [6, 7]
