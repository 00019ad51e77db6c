"""The ranker of a fixed set learns its cases, knows no answers, and ranks what may be ranked."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from gsr.counters.config import CounterConfig
from gsr.counters.interactions import Interactions
from gsr.learning.case_counters import CaseCounters
from gsr.learning.case_ranker import CaseRanker, CaseVectors
from gsr.quality.protocols import Cases, Split, leave_one_out
from gsr.quality.ranking_metrics import MISS, metric_means
from gsr.ranker.config import RankerConfig, RankerLearning
from tests.gsr.world import one_click_a_minute

ITEMS = 40
SCALES = CounterConfig(half_lives=(86_400.0, 1e9), close_half_lives=(1e9,), neighbours=32)
SHAPE = RankerConfig(
    half_lives=SCALES.half_lives,
    close_half_lives=SCALES.close_half_lives,
    event_weights=(1.0,),
    listed=20,
    kept=20,
    hidden=8,
)
LEARNING = RankerLearning(holdout=0.0, replay=0.0, replay_blocks=0)
PASSES = 6


@pytest.fixture(scope="module")
def split() -> Split:
    """Users who walk round a ring of items, by one or two."""
    rng = np.random.default_rng(8)
    steps = rng.integers(1, 3, (400, 7))
    items = (rng.integers(ITEMS, size=(400, 1)) + steps.cumsum(axis=1)) % ITEMS
    return leave_one_out(one_click_a_minute(items, ITEMS))


def _counted(split: Split, clicks: Interactions | None = None) -> CaseCounters:
    counted = CaseCounters(clicks or split.interactions, SCALES, (1.0,))
    counted.count(split.valid.learned_ends)
    return counted


def _ranker(split: Split, *, vectors: bool = True, without: tuple[str, ...] = ()) -> CaseRanker:
    shape = replace(SHAPE, vectors=vectors, without=without)
    return CaseRanker(shape, LEARNING, split.interactions, mask_seen=True, nearest=5)


def _telling(
    split: Split, cases: Cases, places: npt.NDArray[np.int64] | None = None
) -> CaseVectors:
    """Return vectors of which the targets are the nearest, or the items at other places."""
    items = np.random.default_rng(0).standard_normal((ITEMS, 16)).astype(np.float32)
    items /= np.linalg.norm(items, axis=1, keepdims=True)
    targets = cases.targets(split.interactions) if places is None else places
    return CaseVectors(users=items[targets], items=items)


def _hits(ranks: npt.NDArray[np.int32]) -> float:
    return metric_means(ranks)["hr@5"]


def test_it_learns_what_the_counters_tell(split: Split) -> None:
    """Of 40 items it puts the two that follow among the first five; at first it did not."""
    counted, cases = _counted(split), split.test.cases
    ranker = _ranker(split, vectors=False)
    before = _hits(ranker.ranks(cases, counted, None))
    ranker.learn(split.valid.cases, counted, None, PASSES)
    assert before < 0.5
    assert _hits(ranker.ranks(cases, counted, None)) > 0.9


def test_it_learns_what_the_vectors_tell(split: Split) -> None:
    """Without any counts that it may use; what misleads it is not trusted."""
    counted, valid, test = _counted(split), split.valid.cases, split.test.cases
    groups = ("popularity", "last click", "history", "together")
    ranker = _ranker(split, without=groups)
    ranker.learn(valid, counted, _telling(split, valid), PASSES)
    assert _hits(ranker.ranks(test, counted, _telling(split, test))) > 0.95
    misled = _ranker(split)
    anything = np.random.default_rng(1).integers(ITEMS, size=len(valid))
    misled.learn(valid, counted, _telling(split, valid, anything), PASSES)
    assert _hits(misled.ranks(test, counted, _telling(split, test, anything))) > 0.9


def test_the_nearest_items_are_candidates_though_no_counter_names_them(split: Split) -> None:
    """Only then can a target be ranked that is far from all that followed."""
    far = split.interactions.items.copy()
    cases = split.test.cases
    far[cases.positions] = (far[cases.positions] + ITEMS // 2) % ITEMS
    clicks = replace(split.interactions, items=far)
    counted = _counted(split, clicks)
    for nearest, found in ((5, True), (0, False)):
        ranker = CaseRanker(
            replace(SHAPE, listed=1, kept=5), LEARNING, clicks, mask_seen=True, nearest=nearest
        )
        vectors = _telling(replace(split, interactions=clicks), cases)
        ranks = ranker.ranks(cases, counted, vectors)
        assert (ranks != MISS).all() == found


def test_an_item_that_nobody_clicked_is_missed(split: Split) -> None:
    items = split.interactions.items.copy()
    items[items == 7] = 8
    items[split.test.cases.positions[:3]] = 7
    clicks = replace(split.interactions, items=items)
    ranker = CaseRanker(SHAPE, LEARNING, clicks, mask_seen=True, nearest=5)
    vectors = _telling(replace(split, interactions=clicks), split.test.cases)
    ranks = ranker.ranks(split.test.cases, _counted(split, clicks), vectors)
    assert (ranks[:3] == MISS).all()
    assert (ranks[3:] != MISS).any()


@pytest.mark.parametrize("mask", [True, False])
def test_what_a_user_has_seen_is_left_out_but_for_the_target(split: Split, mask: bool) -> None:
    """A ranker that learned nothing scores all alike: a rank is the number of what is ranked."""
    items = split.interactions.items.copy()
    cases = split.test.cases
    items[cases.positions[::2]] = items[cases.positions[::2] - 1]
    clicks = replace(split.interactions, items=items)
    shape = replace(SHAPE, listed=ITEMS, kept=ITEMS)
    ranker = CaseRanker(shape, LEARNING, clicks, mask_seen=mask, nearest=5)
    vectors = _telling(replace(split, interactions=clicks), cases)
    ranks = ranker.ranks(cases, _counted(split, clicks), vectors)
    starts = clicks.starts[cases.users]
    for rank, start, stop in zip(ranks, starts, cases.positions, strict=True):
        others = set(items[start:stop].tolist()) - {items[stop]}
        assert rank == ITEMS - (len(others) if mask else 0)


def test_ranks_do_not_depend_on_targets_or_on_what_comes_after(split: Split) -> None:
    """Of the validation cases: the test clicks may be any."""
    cases = split.valid.cases
    changed = split.interactions.items.copy()
    changed[split.test.cases.positions] = (changed[split.test.cases.positions] + 7) % ITEMS
    other = replace(split.interactions, items=changed)
    found = []
    for clicks in (split.interactions, other):
        ranker = CaseRanker(SHAPE, LEARNING, clicks, mask_seen=True, nearest=5)
        counted, vectors = _counted(split, clicks), _telling(split, cases)
        ranker.learn(cases, counted, vectors, 2)
        found.append(ranker.ranks(cases, counted, vectors))
    np.testing.assert_array_equal(found[0], found[1])


def test_many_cases_are_learned_from_some(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded; what they teach is the same."""
    monkeypatch.setattr("gsr.learning.case_ranker.MOST_LEARNED", 150)
    counted = _counted(split)
    ranker = _ranker(split, vectors=False)
    ranker.learn(split.valid.cases, counted, None, 3 * PASSES)
    assert _hits(ranker.ranks(split.test.cases, counted, None)) > 0.8


def test_no_cases_teach_nothing(split: Split) -> None:
    counted, nobody = _counted(split), split.valid.cases[:0]
    ranker = _ranker(split, vectors=False)
    ranker.learn(nobody, counted, None, PASSES)
    assert len(ranker.ranks(nobody, counted, None)) == 0
