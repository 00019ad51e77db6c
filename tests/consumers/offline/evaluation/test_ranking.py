"""Frozen counters know what was learned, live ones what came before each target, and no more."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from consumers.offline.evaluation import ranking
from consumers.offline.evaluation.ranking import RankingSettings, SeedRanking, StageRanks
from gsr.config import BatchConfig, ModelConfig
from gsr.counters.interactions import Interactions
from gsr.learning.batch_defaults import batch_ranker
from gsr.learning.batch_learner import BatchLearner
from gsr.network.model import JointModel
from gsr.quality.protocols import Split, leave_one_out, temporal
from gsr.quality.ranking_metrics import metric_means
from gsr.votes.click_graph import UNDYING
from tests.gsr.world import one_click_a_minute

ITEMS = 30
NO_ENCODERS = ModelConfig(
    half_lives=UNDYING, dimension=8, sequence_encoder=False, graph_encoder=False
)


@pytest.fixture
def clicks() -> Interactions:
    """Users who walk round a ring of items, by one or two, one user after the other."""
    rng = np.random.default_rng(4)
    steps = rng.integers(1, 3, (150, 8))
    items = (rng.integers(ITEMS, size=(150, 1)) + steps.cumsum(axis=1)) % ITEMS
    walks = one_click_a_minute(items, ITEMS)
    starts = rng.permutation(150).repeat(8) * 300.0
    return replace(walks, times=walks.times + starts)


def _ranks(split: Split) -> StageRanks:
    """Return the ranks of a split's test by a ranker without vectors."""
    settings = RankingSettings(
        ranker=replace(
            batch_ranker(split.interactions, split.valid.learned_ends, (1.0,)), vectors=False
        ),
        batch=BatchConfig(ranking_passes=4),
        seed=0,
        mask_seen=True,
    )
    learned = split.valid.learned_ends
    encoders = BatchLearner(JointModel(NO_ENCODERS), settings.batch, split.interactions, learned)
    found = SeedRanking(split, settings)
    found.learn(encoders)
    return found.ranks(encoders, split.test)


def _with_items(
    clicks: Interactions, places: npt.NDArray[np.int64], items: npt.NDArray[np.int64]
) -> Interactions:
    changed = clicks.items.copy()
    changed[places] = items
    return replace(clicks, items=changed)


def test_live_counters_stop_before_each_target(
    clicks: Interactions, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others' clicks at and after a target's time move none of its ranks; earlier ones do."""
    monkeypatch.setattr(ranking, "MOMENTS", 1000)
    split = temporal(clicks, 0.6, refit=False)
    cases = split.test.cases
    asked = clicks.times[cases.positions]
    middle = float(np.median(asked))
    before = _ranks(split)
    later = np.flatnonzero(clicks.times >= middle)
    others = np.setdiff1d(later, cases.positions)
    rng = np.random.default_rng(1)
    after = _ranks(
        temporal(
            _with_items(clicks, others, rng.integers(ITEMS, size=len(others))), 0.6, refit=False
        )
    )
    early = asked <= middle
    assert early.any()
    np.testing.assert_array_equal(after.live[early], before.live[early])
    assert (after.live[~early] != before.live[~early]).any()
    assert (before.live != before.frozen).any()


def test_where_nothing_happens_after_learning_live_is_frozen(clicks: Interactions) -> None:
    split = leave_one_out(clicks)
    valid = replace(split, test=split.valid)
    found = _ranks(valid)
    np.testing.assert_array_equal(found.live, found.frozen)
    assert metric_means(found.frozen)["hr@5"] > 0.8


def test_live_counters_know_the_validation_clicks_of_leave_one_out(clicks: Interactions) -> None:
    found = _ranks(leave_one_out(clicks))
    assert (found.live != found.frozen).any()
    assert metric_means(found.live)["hr@5"] > 0.8
