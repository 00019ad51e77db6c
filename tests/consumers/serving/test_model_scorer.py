"""A snapshot keeps up with the rows of newer views."""

from dataclasses import replace

import numpy as np
import pytest

from consumers.artifacts.numbered import Artifact
from consumers.artifacts.snapshot_files import encode_snapshot
from consumers.serving.model_scorer import ModelScorer, read_scorer
from consumers.serving.view import ServingView
from gsr.config import ModelConfig
from gsr.errors import SnapshotError
from gsr.network.model import JointModel
from tests.consumers.views import HALF_LIVES, view_of

CONFIG = ModelConfig(dimension=8, half_lives=HALF_LIVES)
POPULARITY = {"tea": 3.0, "jam": 2.0, "egg": 1.0}
EDGES = {("tea", "jam"): 5.0}


def _view(*more: str) -> ServingView:
    return view_of(POPULARITY | dict.fromkeys(more, 1.0), EDGES)


def _snapshot() -> Artifact:
    model = JointModel(CONFIG, seed=3)
    model.grow(_view().graph)
    tensors, manifest = encode_snapshot(model, np.zeros(3, dtype=np.int64), {})
    return Artifact(1, tensors, manifest)


@pytest.fixture
def scorer() -> ModelScorer:
    scorer = read_scorer(_snapshot(), 1, CONFIG)
    scorer.follow(_view())
    return scorer


def test_new_items_get_vectors(scorer: ModelScorer) -> None:
    """And the others keep theirs."""
    before = scorer.item_vectors.copy()
    scorer.follow(_view("pie"))
    assert (scorer.version, scorer.items) == (1, 4)
    assert scorer.item_vectors.shape == (4, 8)
    assert np.isfinite(scorer.item_vectors).all()
    np.testing.assert_allclose(scorer.item_vectors[:3], before, atol=1e-6)


def test_a_row_that_is_given_to_another_item_begins_anew(scorer: ModelScorer) -> None:
    """Told by its generation, once."""
    before = scorer.item_vectors.copy()
    reused = replace(_view(), generations=np.array([0, 0, 1]))
    scorer.follow(reused)
    after = scorer.item_vectors.copy()
    assert not np.allclose(after[2], before[2])
    np.testing.assert_allclose(after[:2], before[:2], atol=1e-6)
    scorer.follow(reused)
    np.testing.assert_array_equal(scorer.item_vectors, after)


def test_a_snapshot_of_other_settings_is_refused() -> None:
    """Its vectors would be read as what they are not."""
    with pytest.raises(SnapshotError, match="dimension"):
        read_scorer(_snapshot(), 1, replace(CONFIG, dimension=16))


def test_a_snapshot_without_its_generations_is_refused() -> None:
    """Their number must be that of the model's rows."""
    model = JointModel(CONFIG, seed=3)
    model.grow(_view().graph)
    tensors, manifest = encode_snapshot(model, np.zeros(2, dtype=np.int64), {})
    with pytest.raises(SnapshotError, match="3 item rows but 2 generations"):
        read_scorer(Artifact(1, tensors, manifest), 1, CONFIG)
