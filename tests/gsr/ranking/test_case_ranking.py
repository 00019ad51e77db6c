"""Ranks of targets among all items, against a slow and obvious ranking."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gsr.counters.interactions import Interactions
from gsr.errors import RankingError
from gsr.quality.protocols import Cases
from gsr.ranking.case_ranking import rank_cases

ITEMS = 7


def one_user(history: list[int], target: int) -> tuple[Interactions, Cases]:
    """Make a user of these clicks, and the case of predicting the last one."""
    count = len(history) + 1
    interactions = Interactions(
        np.array([0, count]),
        np.array([*history, target]),
        np.arange(count, dtype=np.float64),
        np.zeros(count, dtype=np.uint8),
        ITEMS,
    )
    return interactions, Cases(np.array([0]), np.array([count - 1]))


def obvious(scores: list[float], history: list[int], target: int, *, mask_seen: bool) -> int:
    rivals = set(range(ITEMS)) - {target} - (set(history) if mask_seen else set())
    return 1 + sum(scores[item] >= scores[target] for item in rivals)


SCORES = st.lists(
    st.sampled_from([-np.inf, -1.0, 0.0, 0.5, 2.0, np.inf]), min_size=ITEMS, max_size=ITEMS
)


@settings(deadline=None)  # the first call compiles
@given(SCORES, st.lists(st.integers(0, ITEMS - 1), max_size=9), st.integers(0, ITEMS - 1))
def test_ranks_are_those_of_the_definition(
    scores: list[float], history: list[int], target: int
) -> None:
    """Ties count against the target; repeats in a history are masked once, the target never."""
    interactions, cases = one_user(history, target)
    block = np.array([scores], dtype=np.float32)
    for mask_seen in (True, False):
        ranks = rank_cases(block, interactions, cases, mask_seen=mask_seen)
        assert ranks.tolist() == [obvious(scores, history, target, mask_seen=mask_seen)]
    assert block.tolist() == [scores]


def many_users(rng: np.random.Generator, users: int, items: int) -> tuple[Interactions, Cases]:
    lengths = rng.integers(2, 9, users)
    starts = np.concatenate(([0], np.cumsum(lengths)))
    interactions = Interactions(
        starts,
        rng.integers(0, items, starts[-1]),
        np.arange(starts[-1], dtype=np.float64),
        np.zeros(starts[-1], dtype=np.uint8),
        items,
    )
    return interactions, Cases(np.arange(users), starts[1:] - 1)


def test_a_block_ranks_each_row_by_its_own_history() -> None:
    """Masks of one row do not reach into the next; blocks of cases give the same ranks."""
    rng = np.random.default_rng(3)
    interactions, cases = many_users(rng, 60, 40)
    scores: npt.NDArray[np.float32] = rng.integers(0, 12, (60, 40)).astype(np.float32)
    whole = rank_cases(scores, interactions, cases)
    parts = [
        rank_cases(scores[first : first + 7], interactions, cases[first : first + 7])
        for first in range(0, 60, 7)
    ]
    assert whole.tolist() == np.concatenate(parts).tolist()
    for row in range(60):
        history = interactions.items[interactions.starts[row] : cases.positions[row]]
        target = int(interactions.items[cases.positions[row]])
        rivals = np.setdiff1d(np.arange(40), [*history, target])
        assert whole[row] == 1 + (scores[row, rivals] >= scores[row, target]).sum()


@pytest.mark.parametrize("place", [0, 3, 6])
def test_a_score_that_is_not_a_number_is_an_error(place: int) -> None:
    """Also where the item would be masked: the model is broken either way."""
    interactions, cases = one_user([0, 1], 3)
    scores = np.zeros((1, ITEMS), dtype=np.float32)
    scores[0, place] = np.nan
    with pytest.raises(RankingError, match="user 0 is not a number"):
        rank_cases(scores, interactions, cases)


def test_scores_of_another_shape_are_refused() -> None:
    interactions, cases = one_user([0, 1], 3)
    with pytest.raises(ValueError, match=r"\(1, 7\) is needed"):
        rank_cases(np.zeros((1, 5), dtype=np.float32), interactions, cases)


def test_no_cases_have_no_ranks() -> None:
    interactions, cases = one_user([0], 1)
    empty = np.zeros((0, ITEMS), dtype=np.float32)
    assert rank_cases(empty, interactions, cases[:0]).shape == (0,)
