"""The ranker's weights as arrays and a JSON document. Touches no file."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gsr.errors import SnapshotError
from gsr.ranker.config import UNLEARNED, RankerConfig
from gsr.ranker.model import RankerModel
from gsr.ranker.scaling import Scaling
from gsr.stored_config import config_as_json, config_from_json, refuse_other_config

FORMAT: Final = 7
"""1 to 3 were models of another kind, scores without a ranking network; 4 had no linear weights for
new items nor for users without clicks, 5 none for users with few; 6 had more kinds of votes."""

ITEMS: Final = "items"
Arrays = dict[str, npt.NDArray[Any]]


def to_arrays(model: RankerModel) -> Arrays:
    """Return copies of every weight of the model; what the optimiser needs is the learner's."""
    found: Arrays = {"linear": model.linear.copy()}
    for name, scaling in _scalings(model).items():
        found |= {f"{name}.{i}": array for i, array in enumerate(scaling.arrays())}
    found |= {f"network.{i}": array.copy() for i, array in enumerate(model.network.weights)}
    if model.vectors is not None:
        weights = model.vectors.encoder.weights
        found |= {f"encoder.{i}": array.copy() for i, array in enumerate(weights)}
        found[ITEMS] = model.vectors.items.values.copy()
    return found


def to_manifest(model: RankerModel) -> dict[str, Any]:
    """Return what a snapshot's manifest must say about the model, as JSON values."""
    return {
        "model_format": FORMAT,
        "config": config_as_json(model.config),
        "libraries": {"numpy": np.__version__},
    }


def from_snapshot(
    arrays: Arrays, manifest: dict[str, Any], config: RankerConfig | None = None
) -> RankerModel:
    """Rebuild the model.

    Parameters
    ----------
    arrays, manifest
        From `to_arrays` and `to_manifest`.
    config
        The configuration that is wanted; None takes the snapshot's. Settings that weights do not
        know of (`UNLEARNED`) may differ from the snapshot's.

    Raises
    ------
    SnapshotError
        The manifest names another format, or another configuration (each differing setting is
        named with both values), or arrays are missing or of another shape.
    """
    if manifest.get("model_format") != FORMAT:
        found = manifest.get("model_format")
        raise SnapshotError(
            f"the snapshot has model format {found}, this build reads {FORMAT}: use the build that "
            "wrote it, or start a new model"
        )
    written = config_from_json(RankerConfig, manifest["config"])
    if config is not None:
        refuse_other_config(written, config, UNLEARNED)
    model = RankerModel(config or written)
    try:
        _fill(model.linear, arrays["linear"])
        for name, scaling in _scalings(model).items():
            known = scaling.arrays()
            for i, array in enumerate(known):
                _fill(array, arrays[f"{name}.{i}"])
            scaling.load(known)
        for i, weights in enumerate(model.network.weights):
            _fill(weights, arrays[f"network.{i}"])
        if model.vectors is not None:
            for i, weights in enumerate(model.vectors.encoder.weights):
                _fill(weights, arrays[f"encoder.{i}"])
            items = arrays[ITEMS]
            vectors = np.empty((len(items), model.config.dimension), dtype=np.float32)
            _fill(vectors, items)
            model.vectors.items.load(vectors)
    except (KeyError, ValueError) as error:
        raise SnapshotError(f"the snapshot's arrays do not fit its manifest: {error}") from error
    return model


def _scalings(model: RankerModel) -> dict[str, Scaling]:
    names = ("scaling", "learned_scaling", "context_scaling")
    return dict(zip(names, model.scalings, strict=True))


def _fill(weights: npt.NDArray[np.floating[Any]], stored: npt.NDArray[Any]) -> None:
    if stored.shape != weights.shape:
        raise ValueError(f"weights have the shape {stored.shape}, not {weights.shape}")
    weights[:] = stored
