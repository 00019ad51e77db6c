"""A click is left out of everything that is made of it, and what its items lose is told."""

import numpy as np
import pytest

from gsr.counters.users.histories import Histories
from gsr.ranker.adam import Floats
from gsr.ranker.asked_users import Asked
from gsr.ranker.leaving_out import NO_CLICK, ClickEffects, click_effects, log_shares, without_each

WEIGHTS = (1.0, 0.0)
LIKES = np.zeros((10, 10))
"""By how much a click on an item (row) raises the score of another one (column)."""
LIKES[1, 5] = 2.0
LIKES[2, 6] = 1.0
LIKES[3, 5] = -1.0
CANDIDATES = np.array([5, 6, 7])


def _buffer(*items: int, events: tuple[int, ...] | None = None) -> Histories:
    count = len(items)
    return Histories(
        np.array([items], dtype=np.int64).reshape(1, count),
        np.arange(100.0, 100.0 + count)[None, :],
        np.array([events or (0,) * count], dtype=np.uint8).reshape(1, count),
        np.array([count]),
        np.array([200.0]),
    )


class Scorer:
    """Adds up likes; keeps what it was asked."""

    def __call__(self, users: Asked, items: np.ndarray) -> Floats:
        """Return the scores of items."""
        self.users = users
        found = np.zeros((len(users.lengths), len(items)))
        for at, length in enumerate(users.lengths.tolist()):
            found[at] = LIKES[users.items[at, :length]][:, items].sum(axis=0)
        return found.astype(np.float32)


def _effects(buffer: Histories, scorer: Scorer, history: int = 4, listed: int = 2) -> ClickEffects:
    masked = np.array([1, 2, 3, 9])
    return click_effects(
        scorer, buffer, masked, CANDIDATES, listed, history_length=history, event_weights=WEIGHTS
    )


def _share(scores: dict[int, float], item: int) -> float:
    return float(np.exp(scores[item]) / sum(np.exp(score) for score in scores.values()))


def test_losses_are_those_of_shares() -> None:
    """Click by click, the newest first, and without all of them."""
    effects = _effects(_buffer(1, 2, 3), Scorer())
    assert effects.items.tolist() == [3, 2, 1]
    assert effects.times.tolist() == [102.0, 101.0, 100.0]
    whole = _share({5: 1.0, 6: 1.0, 7: 0.0}, 5)
    without = [
        _share({5: 2.0, 6: 1.0, 7: 0.0}, 5),
        _share({5: 1.0, 6: 0.0, 7: 0.0}, 5),
        _share({5: -1.0, 6: 1.0, 7: 0.0}, 5),
    ]
    np.testing.assert_allclose(effects.lost[:, 0], 1.0 - np.array(without) / whole, rtol=1e-5)
    assert effects.lost_without_any[0] == pytest.approx(1.0 - 1.0 / 3.0 / whole, rel=1e-5)


def test_the_strongest_click_is_named_where_it_does_enough() -> None:
    """Else none is."""
    effects = _effects(_buffer(1, 2, 3), Scorer())
    assert effects.items[effects.strongest(0.1)].tolist() == [1, 2]
    assert effects.strongest(0.7).tolist() == [2, NO_CLICK]
    assert effects.strongest(0.99).tolist() == [NO_CLICK, NO_CLICK]


def test_a_click_is_gone_from_all_that_is_asked() -> None:
    """An older one takes its place, the time and what is masked stay."""
    scorer = Scorer()
    _effects(_buffer(4, 1, 2, 3), scorer, history=2)
    users = scorer.users
    read = [users.items[i, :length].tolist() for i, length in enumerate(users.lengths.tolist())]
    assert read == [[2, 3], [1, 2], [1, 3], [4, 1]]
    assert users.clicks.tolist() == [4, 3, 3, 2]
    assert users.now.tolist() == [200.0] * 4
    assert np.split(users.masked, users.mask_starts[1:-1])[3].tolist() == [1, 2, 3, 9]
    assert users.times[1, :2].tolist() == [101.0, 102.0]


def test_clicks_on_one_item_go_together_and_others_are_not_tried() -> None:
    """Events that are not read take no part, unknown items neither."""
    scorer = Scorer()
    effects = _effects(_buffer(1, -1, 2, 1, 3, events=(0, 0, 0, 0, 1)), scorer)
    assert effects.items.tolist() == [1, 2]
    assert effects.times.tolist() == [103.0, 102.0]
    assert scorer.users.items[1, :1].tolist() == [2]
    assert scorer.users.lengths.tolist() == [3, 1, 2, 0]
    assert scorer.users.clicks.tolist() == [5, 3, 4, 2]


def test_nobody_and_nothing() -> None:
    """A user without clicks has no reason among them; an empty list has no items."""
    effects = _effects(_buffer(), Scorer())
    assert effects.strongest(0.01).tolist() == [NO_CLICK, NO_CLICK]
    assert effects.lost_without_any.tolist() == [0.0, 0.0]
    assert _effects(_buffer(1), Scorer(), listed=0).lost.shape == (1, 0)


def test_shares_add_up_whatever_is_added_to_all_scores() -> None:
    """Scores of thousands are no trouble."""
    shares = log_shares(np.array([[1.0, 2.0], [5001.0, 5002.0]], dtype=np.float32))
    np.testing.assert_allclose(np.exp(shares).sum(axis=1), 1.0)
    np.testing.assert_allclose(shares[0], shares[1], atol=1e-3)


def test_buffers_without_each_item() -> None:
    """As it is, without each, and without all."""
    found = without_each(_buffer(1, 2, 1, 3), np.array([1, 3]))
    assert found.items.tolist() == [[1, 2, 1, 3], [2, 3, -1, -1], [1, 2, 1, -1], [2, -1, -1, -1]]
    assert found.lengths.tolist() == [4, 2, 3, 1]
    assert found.times[1].tolist() == [101.0, 103.0, 0.0, 0.0]
