"""A model answers on newer views, with the vectors of those items alone that it has seen."""

from dataclasses import replace

import numpy as np
import pytest

from consumers.artifacts.numbered import Artifact
from consumers.artifacts.snapshot_files import encode_snapshot
from consumers.serving.model_scorer import ModelScorer, read_scorer
from consumers.serving.view import ServingView
from gsr.errors import SnapshotError
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from tests.consumers.serving.test_scorers import users
from tests.consumers.views import HALF_LIVES, view_of
from tests.gsr.ranker_models import model_with_weights

CONFIG = RankerConfig(dimension=8, hidden=8, half_lives=HALF_LIVES)
POPULARITY = {"tea": 3.0, "jam": 2.0, "egg": 1.0}
EDGES = {("tea", "jam"): 5.0}


def _view(*more: str) -> ServingView:
    return view_of(POPULARITY | dict.fromkeys(more, 1.0), EDGES)


def _model() -> RankerModel:
    return model_with_weights(CONFIG, items=3)


def _follow(scorer: ModelScorer, view: ServingView) -> ServingView:
    scorer.follow(view, np.zeros(len(view), dtype=np.bool_))
    return view


def _scores(scorer: ModelScorer) -> dict[int, float]:
    """Return the score of each item for a user who clicked on the first one."""
    lists = scorer.lists(users(0, masked=[[]]), 9)
    pairs = zip(lists.rows[0].tolist(), lists.scores[0].tolist(), strict=True)
    return {row: score for row, score in pairs if row >= 0}


def test_new_items_are_scored_by_counts() -> None:
    """Two new ones of the same counts have the same score; those of the others stay."""
    scorer = ModelScorer(_model(), 1, np.zeros(3, dtype=np.int64), repeats=True)
    _follow(scorer, _view())
    before = _scores(scorer)
    _follow(scorer, _view("pie", "nut"))
    after = _scores(scorer)
    assert sorted(after) == [0, 1, 2, 3, 4]
    assert after[3] == pytest.approx(after[4])
    assert {row: after[row] for row in before} == pytest.approx(before)
    assert after[2] != pytest.approx(after[3]), "of the same counts, but with a vector"


@pytest.mark.parametrize("generation", [-1, 1])
def test_a_row_that_stands_for_another_item_has_no_vector(generation: int) -> None:
    """Told by its generation, whichever is newer; with the next view it may be back."""
    model = _model()
    vectors = model.vectors
    assert vectors is not None
    before = vectors.items.values.copy()
    scorer = ModelScorer(model, 1, np.zeros(3, dtype=np.int64), repeats=False)
    other = replace(_view(), generations=np.array([0, 0, generation]))
    for _ in range(2):
        _follow(scorer, other)
        assert not vectors.items.values[2].any()
        np.testing.assert_array_equal(vectors.items.values[:2], before[:2])
    _follow(scorer, _view())
    np.testing.assert_array_equal(vectors.items.values, before)


def test_a_model_that_is_newer_than_the_view() -> None:
    """Items that the view does not know are not listed."""
    model = model_with_weights(CONFIG, items=9)
    scorer = ModelScorer(model, 1, np.zeros(9, dtype=np.int64), repeats=False)
    _follow(scorer, _view())
    assert sorted(_scores(scorer)) == [0, 1, 2]


def test_a_longer_list_than_ever_before() -> None:
    """There is room made for it."""
    view = view_of({f"i{n}": 500.0 - n for n in range(400)})
    scorer = ModelScorer(_model(), 1, np.zeros(3, dtype=np.int64), repeats=False)
    _follow(scorer, view)
    asked = users(0, masked=[[0]])
    for length in (5, 300, 399, 5):
        rows = scorer.lists(asked, length).rows[0]
        assert len(set(rows.tolist()) - {0, -1}) == length


def test_a_snapshot_is_served() -> None:
    """As the trainer wrote it."""
    tensors, manifest = encode_snapshot(_model(), np.zeros(3, dtype=np.int64), {})
    scorer = read_scorer(Artifact(7, tensors, manifest), 7, CONFIG, repeats=True)
    _follow(scorer, _view())
    own = ModelScorer(_model(), 7, np.zeros(3, dtype=np.int64), repeats=True)
    _follow(own, _view())
    assert (scorer.version, _scores(scorer)) == (7, _scores(own))


def test_a_snapshot_of_other_settings_is_refused() -> None:
    """Its vectors would be read as what they are not."""
    tensors, manifest = encode_snapshot(_model(), np.zeros(3, dtype=np.int64), {})
    with pytest.raises(SnapshotError, match="dimension"):
        read_scorer(Artifact(1, tensors, manifest), 1, replace(CONFIG, dimension=16), repeats=True)


def test_a_snapshot_without_its_generations_is_refused() -> None:
    """Their number must be that of the model's rows, at least."""
    tensors, manifest = encode_snapshot(_model(), np.zeros(2, dtype=np.int64), {})
    with pytest.raises(SnapshotError, match="3 item vectors but 2 generations"):
        read_scorer(Artifact(1, tensors, manifest), 1, CONFIG, repeats=True)
