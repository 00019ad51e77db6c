"""Before there is a model, fixed weights mix popularity and the item graph."""

import numpy as np
import pytest

from consumers.serving.scorers import CounterScorer, channel_weights
from gsr.counters.users.histories import Histories
from gsr.ranker.asked_users import Asked, asked
from gsr.votes.channels import channel_names
from tests.consumers.views import HALF_LIVES, NOW, view_of

VIEW = view_of({"tea": 3.0, "jam": 2.0, "egg": 1.0}, {("tea", "egg"): 9.0})
NOTHING = np.zeros(0, dtype=np.int64)


def users(*items: int, masked: list[list[int]]) -> Asked:
    """One user for each of `items`, who clicked it a minute ago."""
    count = len(items)
    histories = Histories(
        np.array(items, dtype=np.int64)[:, None],
        np.full((count, 1), NOW - 60.0),
        np.zeros((count, 1), dtype=np.uint8),
        np.ones(count, dtype=np.int64),
        np.full(count, NOW),
    )
    return asked(
        histories,
        np.ones(count, dtype=np.int64),
        [np.array(rows, dtype=np.int64) for rows in masked],
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_the_graph_is_spread_over_time_scales(share: float) -> None:
    """Every scale has the same part of it; popularity has the rest."""
    scales = len(HALF_LIVES)
    weights = channel_weights(scales, share)
    by_name = dict(zip(channel_names(scales), weights.tolist(), strict=True))
    popularity = [weight for name, weight in by_name.items() if name.startswith("popularity")]
    graph = [weight for name, weight in by_name.items() if not name.startswith("popularity")]
    assert popularity == pytest.approx([(1.0 - share) / scales] * scales)
    assert sorted(set(graph)) == pytest.approx(sorted({0.0, share / scales}))


def test_each_user_has_a_mask_of_their_own() -> None:
    """What is blocked is so for everybody; behind the last item there is none."""
    scorer = CounterScorer(0.5)
    scorer.follow(VIEW, np.zeros(3, dtype=np.bool_))
    three = users(0, 0, 1, masked=[[0], [-1, 2], []])
    assert scorer.lists(three, 3).rows.tolist() == [[2, 1, -1], [0, 1, -1], [0, 1, 2]]
    scorer.block(np.array([True, False, False]))
    assert scorer.lists(three, 3).rows.tolist() == [[2, 1, -1], [1, -1, -1], [1, 2, -1]]


def test_parts_are_what_channels_add() -> None:
    """They add up, and channels without a weight are not named."""
    scorer = CounterScorer(0.5)
    scorer.follow(VIEW, np.zeros(3, dtype=np.bool_))
    lists, parts, sides = scorer.explain(users(0, 1, masked=[[], [1]]), 3)
    np.testing.assert_allclose(sum(parts.values()), lists.scores, atol=1e-4)
    assert list(parts) == [
        f"{kind}_{s}" for kind in ("popularity", "recent", "history") for s in range(4)
    ]
    assert scorer.version == 0
    votes = [part for name, part in parts.items() if not name.startswith("popularity")]
    np.testing.assert_allclose(sides["graph"], sum(votes), atol=1e-6)
    assert not sides["sequence"].any()


def test_given_items_are_scored_as_in_lists() -> None:
    """In whatever order they are asked for; what a user may not get scores below everything."""
    scorer = CounterScorer(0.5)
    scorer.follow(VIEW, np.array([False, False, True]))
    two = users(0, 1, masked=[[], [1]])
    lists = scorer.lists(two, 3)
    asked_for = np.array([2, 1, 0])
    scores = scorer.scores(two, asked_for)
    for listed, best, found in zip(lists.rows, lists.scores, scores, strict=True):
        expected = dict(zip(listed.tolist(), best.tolist(), strict=True))
        for item, score in zip(asked_for.tolist(), found.tolist(), strict=True):
            assert score == pytest.approx(expected.get(item, -np.inf), abs=1e-5)
