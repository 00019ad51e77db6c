"""Means and deviations of features."""

import numpy as np

from gsr.ranker.scaling import CLIP, Scaling


def test_values_come_to_mean_zero_and_deviation_one() -> None:
    """Over all that was added; features switched off are zero, outliers are cut."""
    rng = np.random.default_rng(0)
    values = rng.normal([3.0, -2.0, 5.0], [2.0, 0.5, 1.0], (5000, 3)).astype(np.float32)
    scaling = Scaling(np.array([True, True, False]))
    scaling.add(values[:1000])
    scaling.add(values[1000:])
    scaled = values.copy()
    scaling.standardise(scaled)
    assert np.allclose(scaled.mean(axis=0), 0.0, atol=1e-3)
    assert np.allclose(scaled.std(axis=0), [1.0, 1.0, 0.0], atol=1e-2)
    far = np.full((1, 3), 1e6, dtype=np.float32)
    scaling.standardise(far)
    assert far.tolist() == [[CLIP, CLIP, 0.0]]


def test_earlier_values_fade() -> None:
    """Each time values are added, all before count for less."""
    scaling = Scaling(np.ones(1, dtype=np.bool_), fading=0.5)
    for value in (100.0, 0.0, 4.0):
        scaling.add(np.full((8, 1), value, dtype=np.float32))
    assert np.allclose(scaling.means, (25.0 * 1 + 4.0) / 1.75)


def test_what_was_added_can_be_taken_back() -> None:
    """To what `arrays` told, or to nothing at all."""
    scaling = Scaling(np.array([True, False]))
    nothing = scaling.arrays()
    scaling.add(np.arange(10, dtype=np.float32).reshape(5, 2))
    means, inverses, kept = scaling.means.copy(), scaling.inverses.copy(), scaling.arrays()
    scaling.add(np.full((3, 2), 99.0, dtype=np.float32))
    assert not np.array_equal(scaling.means, means)
    scaling.load(kept)
    assert np.array_equal(scaling.means, means)
    assert np.array_equal(scaling.inverses, inverses)
    scaling.load(nothing)
    assert scaling.means.tolist() == [0.0, 0.0]
    assert scaling.inverses.tolist() == [1.0, 0.0]
