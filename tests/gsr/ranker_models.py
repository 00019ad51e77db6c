"""Rankers with weights that nobody learned, under which all features count."""

import numpy as np

from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel


def model_with_weights(config: RankerConfig, items: int, seed: int = 3) -> RankerModel:
    """Return a model with vectors for `items` items and random weights everywhere."""
    model = RankerModel(config, seed)
    rng = np.random.default_rng(seed)
    for weights in (model.linear, *model.network.weights):
        weights[:] = 0.3 * rng.standard_normal(weights.shape)
    for scaling in model.scalings:
        width = len(scaling.means)
        scaling.add((1.0 + 2.0 * rng.standard_normal((50, width))).astype(np.float32))
    if model.vectors is not None:
        model.vectors.items.grow(items, rng)
        model.vectors.items.values[:] *= 50.0
    return model
