"""What a group of features does to a score is found by really leaving it out."""

import numpy as np
import pytest

from gsr.ranker.asking import final_scores
from gsr.ranker.config import RankerConfig
from gsr.ranker.explaining import GRAPH, SEQUENCE, SIDES, group_parts, side_parts
from gsr.ranker.features import CONTEXT, LENGTH
from gsr.ranker.model import Kept, RankerModel
from tests.gsr.ranker_models import model_with_weights

USERS, ITEMS = 2, 5


def _case(config: RankerConfig) -> tuple[RankerModel, np.ndarray, np.ndarray]:
    """Return a model, features [n, K, F + Q] and context [n, C]."""
    model = model_with_weights(config, items=3)
    rng = np.random.default_rng(1)
    width = model.counted + model.learned
    features = rng.standard_normal((USERS, ITEMS, width)).astype(np.float32)
    features[..., model.layout.places.new] = rng.integers(0, 2, (USERS, ITEMS))
    context = rng.standard_normal((USERS, len(CONTEXT))).astype(np.float32)
    context[0, LENGTH] = 0.0  # has no clicks
    return model, features, context


def _final(model: RankerModel, features: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Return the scores by which lists are made."""
    nobody = np.zeros((len(features), features.shape[1]), dtype=np.int32)
    kept = Kept(
        np.ascontiguousarray(features[..., : model.counted]),
        context,
        nobody,
        np.full(len(features), -1),
    )
    return final_scores(model, kept, features)


@pytest.mark.parametrize("boost", [1.0, 4.0])
@pytest.mark.parametrize("vectors", [True, False])
def test_parts_are_differences_of_scores(boost: float, vectors: bool) -> None:
    """Item by item and group by group: the group's features are set to their means."""
    config = RankerConfig(dimension=8, hidden=8, new_item_boost=boost, vectors=vectors)
    model, features, context = _case(config)
    parts = group_parts(model, features, context)
    assert tuple(parts) == model.groups
    means = np.concatenate((model.scaling.means, model.learned_scaling.means))
    scores = _final(model, features, context)
    for group, found in parts.items():
        columns = model.group_columns(group)
        for item in range(ITEMS):
            other = features.copy()
            other[:, item, columns] = means[columns]
            expected = scores - _final(model, other, context)
            np.testing.assert_allclose(found[:, item], expected[:, item], atol=2e-5)


def test_groups_that_are_switched_off_are_not_named() -> None:
    """They have no part in the score."""
    config = RankerConfig(dimension=8, hidden=8, without=("history",))
    model, features, context = _case(config)
    assert "history" not in group_parts(model, features, context)


@pytest.mark.parametrize("vectors", [True, False])
def test_sides_leave_all_their_groups_out_at_once(vectors: bool) -> None:
    """The vectors, and all counts of what followed or was close by."""
    config = RankerConfig(dimension=8, hidden=8, vectors=vectors, without=("together",))
    model, features, context = _case(config)
    sides = side_parts(model, features, context)
    assert list(sides) == [SEQUENCE, GRAPH]
    means = np.concatenate((model.scaling.means, model.learned_scaling.means))
    columns = np.concatenate([model.group_columns(group) for group in SIDES[GRAPH]])
    other = features.copy()
    other[..., columns] = means[columns]
    expected = _final(model, features, context) - _final(model, other, context)
    np.testing.assert_allclose(sides[GRAPH], expected, atol=2e-5)
    if vectors:
        assert sides[SEQUENCE][1].any()
    else:
        assert not sides[SEQUENCE].any()
