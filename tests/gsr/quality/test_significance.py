"""The paired bootstrap: honest when nothing differs, sharp when something does."""

import math

import numpy as np
import pytest

from gsr.quality import significance
from gsr.quality.significance import holm, paired_bootstrap, users_interval, windows_interval


def compare(
    a: list[float] | np.ndarray, b: list[float] | np.ndarray, samples: int = 2000, seed: int = 0
) -> significance.PairedDifference:
    return paired_bootstrap(
        np.asarray(a, dtype=np.float64),
        np.asarray(b, dtype=np.float64),
        samples=samples,
        rng=np.random.default_rng(seed),
    )


def test_means_gain_and_interval() -> None:
    """The interval is that of the normal distribution where users are many."""
    rng = np.random.default_rng(1)
    a = rng.random(4000)
    b = a + rng.normal(0.01, 0.1, 4000)
    found = compare(a, b)
    assert found.difference == pytest.approx(b.mean() - a.mean())
    assert found.relative_gain == pytest.approx(b.mean() / a.mean() - 1)
    half = 1.96 * float(np.std(b - a, ddof=1)) / math.sqrt(4000)
    assert (found.low, found.high) == pytest.approx(
        (found.difference - half, found.difference + half), abs=half / 10
    )
    assert (found.users, found.samples) == (4000, 2000)


def test_equal_models_are_found_different_as_often_as_chance_says() -> None:
    """Of 300 pairs of equal models, about 5 % have p below 0.05: the test does not cry wolf."""
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(300):
        a, b = np.where(rng.random((2, 150)) < 0.3, rng.random((2, 150)), 0.0)
        p_values.append(compare(a, b, samples=400).p_value)
    assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.09
    assert 0.4 <= np.mean(np.array(p_values) < 0.5) <= 0.6


def test_the_two_ways_to_a_p_value_agree() -> None:
    rng = np.random.default_rng(3)
    a = rng.random(1000)
    b = a + rng.normal(0.004, 0.1, 1000)
    found = compare(a, b, samples=20_000)
    assert 0.01 < found.p_normal < 0.2
    assert found.p_value == pytest.approx(found.p_normal, rel=0.15)


def test_pairing_finds_what_the_spread_of_users_would_hide() -> None:
    """Users differ by far more than the models do."""
    rng = np.random.default_rng(4)
    a = rng.random(500) * 100
    found = compare(a, a + rng.normal(0.1, 0.1, 500))
    assert found.p_value == 1 / 2001
    assert found.p_normal < 1e-9


def test_the_order_of_the_models_only_changes_signs() -> None:
    rng = np.random.default_rng(5)
    a, b = rng.random((2, 300))
    there, back = compare(a, b), compare(b, a)
    assert back.difference == -there.difference
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p_value == there.p_value


def test_models_that_agree_on_everybody_do_not_differ() -> None:
    found = compare([0.5, 1.0, 0.0], [0.5, 1.0, 0.0])
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert (found.p_value, found.p_normal) == (1.0, 1.0)


def test_a_gain_over_nothing_is_not_a_number_that_could_be_told() -> None:
    found = compare([0.0, 0.0], [1.0, 0.0])
    assert found.relative_gain is None
    assert found.difference == 0.5


def test_blocks_only_bound_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same users are drawn, whatever is held at once."""
    rng = np.random.default_rng(6)
    a, b = rng.random((2, 100))
    whole = compare(a, b, samples=50)
    monkeypatch.setattr(significance, "BLOCK_DRAWS", 700)
    assert compare(a, b, samples=50) == whole


def test_a_seed_decides() -> None:
    rng = np.random.default_rng(7)
    a, b = rng.random((2, 100))
    assert compare(a, b) == compare(a, b)
    assert compare(a, b) != compare(a, b, seed=1)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0])])
def test_what_cannot_be_paired_is_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match="cannot pair"):
        compare(a, b)


def test_drawing_never_is_refused() -> None:
    with pytest.raises(ValueError, match="at least once"):
        compare([1.0], [2.0], samples=0)


def slow_users(
    sums: np.ndarray, counts: np.ndarray, samples: int, rng: np.random.Generator
) -> list[float]:
    """One draw after the other, as it is defined."""
    means = []
    for _ in range(samples):
        drawn = rng.integers(0, len(sums), len(sums))
        means.append(sums[drawn].sum() / counts[drawn].sum())
    return means


def test_users_are_drawn_with_all_their_clicks() -> None:
    """As the definition does it; users without clicks do not matter."""
    rng = np.random.default_rng(8)
    counts = rng.integers(0, 9, 60).astype(np.float64)
    sums = np.asarray(rng.normal((0.1, 0.0), (0.3, 0.1), (60, 2)) * counts[:, None], np.float64)
    found = users_interval(sums, counts, samples=4000, rng=rng)
    assert found is not None
    for column, interval in enumerate(found):
        slow = slow_users(sums[counts > 0, column], counts[counts > 0], 4000, rng)
        low, high = np.quantile(slow, (0.025, 0.975))
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=0.1 * (high - low))
        assert interval.units == (counts > 0).sum()


def test_intervals_over_users_cover_zero_for_equal_models() -> None:
    """About 95 % of the time, though users have very different numbers of clicks."""
    rng = np.random.default_rng(9)
    covered = []
    for _ in range(400):
        counts = rng.geometric(0.1, 150).astype(np.float64)
        sums = rng.normal(size=(150, 1)) * counts[:, None]
        found = users_interval(sums, counts, samples=400, rng=rng)
        assert found is not None
        covered.append(found[0].low <= 0.0 <= found[0].high)
    assert 0.91 <= np.mean(covered) <= 0.98


@pytest.mark.parametrize(("memory", "least"), [(0.0, 0.91), (0.4, 0.9)])
def test_intervals_over_windows_cover_zero_for_equal_models(memory: float, least: float) -> None:
    """Nearly 95 % of the time, also where a window's luck lasts into the next ones."""
    rng = np.random.default_rng(10)
    covered: list[bool] = []
    naive: list[bool] = []
    for _ in range(400):
        luck = rng.normal(size=200)
        for n in range(1, 200):
            luck[n] += memory * luck[n - 1]
        counts = rng.integers(50, 100, 200).astype(np.float64)
        sums = (luck * counts)[:, None]
        for block, into in ((None, covered), (1, naive)):
            found = windows_interval(sums, counts, samples=300, rng=rng, block=block)
            assert found is not None
            into.append(found[0].low <= 0.0 <= found[0].high)
    assert least <= np.mean(covered) <= 0.98
    if memory:  # single windows would promise too much
        assert np.mean(naive) < 0.85


def test_a_real_difference_is_found_and_its_sign_is_kept() -> None:
    rng = np.random.default_rng(11)
    counts = np.full(100, 20.0)
    sums = rng.normal((0.1, -0.1), 0.1, (100, 2)) * 20.0
    for draw in (users_interval, windows_interval):
        found = draw(sums, counts, samples=500, rng=rng)
        assert found is not None
        assert 0 < found[0].low < 0.1 < found[0].high
        assert found[1].low < -0.1 < found[1].high < 0
        assert [one.p_value for one in found] == [1 / 501] * 2


def test_models_without_a_difference_have_p_of_one() -> None:
    zeros, counts = np.zeros((30, 1)), np.ones(30)
    for draw in (users_interval, windows_interval):
        found = draw(zeros, counts, samples=50, rng=np.random.default_rng(0))
        assert found is not None
        assert (found[0].low, found[0].high, found[0].p_value) == (0.0, 0.0, 1.0)


def test_few_users_or_windows_give_no_interval() -> None:
    counts = np.array([1.0] * 9 + [0.0] * 9)
    for draw in (users_interval, windows_interval):
        assert draw(np.ones((18, 1)), counts, samples=50, rng=np.random.default_rng(0)) is None


def test_holm_corrects_in_the_order_of_the_values() -> None:
    """By hand: four times the smallest, three times the next, never falling, never above 1."""
    assert holm([0.5, 0.01, 0.02, 0.4]) == pytest.approx([0.8, 0.04, 0.06, 0.8])
    assert holm([]) == []
