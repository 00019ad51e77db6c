"""Vectors learn: that both losses move them, what absent candidates say, and ways back."""

from dataclasses import replace

import numpy as np

from gsr.ranker.config import RankerLearning
from gsr.ranker.lookups import Lookups
from gsr.ranker.vectors.item_vectors import ItemVectors
from gsr.ranker.vectors.user_encoder import UserEncoder
from gsr.ranker.vectors.vector_features import Vectors
from gsr.ranker.vectors.vector_steps import VectorSteps

ITEMS = 12
LEARNING = RankerLearning(sampled=16, vector_rate=0.02)


def in_pairs(rng: np.random.Generator, n: int) -> Lookups:
    """Return clicks of users who, after an even item, click the odd one behind it."""
    last = 2 * rng.integers(ITEMS // 2, size=n)
    recent = np.stack((last, np.full(n, -1)), axis=1).astype(np.int32)
    candidates = np.tile(np.arange(ITEMS, dtype=np.int32), (n, 1))
    return Lookups(recent, np.ones((n, 2), np.float32), candidates, (last + 1).astype(np.int32))


def some_vectors(learning: RankerLearning = LEARNING) -> tuple[Vectors, VectorSteps]:
    rng = np.random.default_rng(0)
    vectors = Vectors(ItemVectors(8), UserEncoder(8, rng))
    steps = VectorSteps(vectors, learning, rng)
    steps.grow(ITEMS)
    return vectors, steps


def nothing(lookups: Lookups) -> np.ndarray:
    return np.zeros((*lookups.candidates.shape, 2), dtype=np.float32)


def test_users_vectors_find_what_is_clicked_next() -> None:
    """By the softmax alone; the newest item, which is most like itself, is left out."""
    rng = np.random.default_rng(0)
    vectors, steps = some_vectors()
    for _ in range(600):
        lookups = in_pairs(rng, 20)
        steps.learn(lookups, nothing(lookups))
    lookups = in_pairs(rng, 50)
    scores = vectors.features(lookups)[..., 0]
    scores[np.arange(50), lookups.recent[:, 0]] = -np.inf
    assert (scores.argmax(axis=1) == lookups.clicked).mean() > 0.9


def test_the_rankers_gradient_moves_both_features() -> None:
    """A step against it lowers what it is the gradient of, feature by feature."""
    rng = np.random.default_rng(1)
    for column in range(2):
        vectors, steps = some_vectors()
        lookups = in_pairs(rng, 30)._replace(clicked=np.full(30, -1, np.int32))
        by_features = nothing(lookups)
        by_features[:, :, column] = rng.standard_normal((30, ITEMS)) / 30
        before = (vectors.features(lookups) * by_features).sum()
        for _ in range(10):
            steps.learn(lookups, by_features)
        assert (vectors.features(lookups) * by_features).sum() < before - 0.01


def test_absent_candidates_have_no_features() -> None:
    """Nor have items that nobody knows yet."""
    vectors, _ = some_vectors()
    lookups = in_pairs(np.random.default_rng(2), 3)
    lookups.candidates[:, 5:] = -1
    lookups.candidates[:, 4] = ITEMS + 3
    assert (vectors.features(lookups)[:, 4:] == 0).all()
    assert (vectors.features(lookups)[:, :4] != 0).all()


def test_a_renewed_row_learns_nothing_of_the_item_before() -> None:
    """Clicks that were looked up before leave the new item alone."""
    vectors, steps = some_vectors(replace(LEARNING, sampled=2))
    rows = np.arange(ITEMS)
    lookups = in_pairs(np.random.default_rng(3), 10)
    steps.learn(lookups, nothing(lookups))
    steps.commit()
    steps.renew(rows)
    before = vectors.items.values.copy()
    steps.learn(lookups.without(rows), np.ones((10, ITEMS, 2), np.float32))
    assert np.array_equal(vectors.items.values, before)


def test_steps_are_taken_back_and_go_on_elsewhere() -> None:
    """Encoder, vectors and moments; samples are drawn on from where they are."""
    rng = np.random.default_rng(4)
    vectors, steps = some_vectors()
    for _ in range(3):
        lookups = in_pairs(rng, 20)
        steps.learn(lookups, nothing(lookups))
    steps.commit()
    asked = in_pairs(rng, 20)
    before = vectors.features(asked)
    steps.learn(asked, nothing(asked))
    assert not np.array_equal(vectors.features(asked), before)
    steps.take_back()
    assert np.array_equal(vectors.features(asked), before)
    other, same = some_vectors()
    other.items.load(vectors.items.values)
    same.load(steps.arrays())
    for mine, theirs in zip(vectors.encoder.weights, other.encoder.weights, strict=True):
        assert np.array_equal(mine, theirs)
    assert np.array_equal(other.features(asked), before)
