"""The judge's test: paired, and over users."""

import math

import numpy as np

from gsr.ranker.judge import FEWEST_JUDGES, paired_z


def test_it_is_the_mean_difference_in_standard_errors() -> None:
    """Of independent users the usual t-like ratio."""
    rng = np.random.default_rng(0)
    before, after = rng.random(400), rng.random(400) + 0.02
    worse = after - before
    z = paired_z(before, after, np.arange(400, dtype=np.uint64))
    assert abs(z - worse.mean() / (worse.std() / math.sqrt(400))) < 1e-9


def test_a_users_clicks_count_together() -> None:
    """The same clicks of few users say less than of many."""
    rng = np.random.default_rng(0)
    before = np.zeros(400)
    after = np.repeat(rng.normal(0.1, 1.0, 20), 20)
    apart = paired_z(before, after, np.arange(400, dtype=np.uint64))
    together = paired_z(before, after, np.repeat(np.arange(20), 20).astype(np.uint64))
    assert abs(together) < 0.5 * abs(apart)


def test_few_users_say_nothing() -> None:
    """What is not finite says all, though."""
    users = np.arange(FEWEST_JUDGES - 1, dtype=np.uint64)
    before = np.zeros(len(users))
    assert paired_z(before, before + 1.0, users) == 0.0
    assert paired_z(before, before + np.nan, users) == math.inf
    assert paired_z(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.uint64)) == 0.0


def test_a_constant_difference_is_sure() -> None:
    """Whichever way it points."""
    users = np.arange(20, dtype=np.uint64)
    zero = np.zeros(20)
    assert paired_z(zero, zero + 0.5, users) == math.inf
    assert paired_z(zero, zero - 0.5, users) == -math.inf
    assert paired_z(zero, zero, users) == 0.0
