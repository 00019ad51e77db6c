"""The two files of a snapshot: arrays with the item rows' generations, and the manifest.

The trainer numbers item rows and gives the row of an expired item to a new one. The generations
tell which rows of a model still stand for the items of a newer serving view.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from consumers.artifacts.array_bytes import read_arrays
from gsr.errors import SnapshotError
from gsr.ranker.config import RankerConfig
from gsr.ranker.model import RankerModel
from gsr.ranker.snapshot import from_snapshot, to_arrays, to_manifest

GENERATIONS: Final = "index.generations"

Arrays = dict[str, npt.NDArray[Any]]


def encode_arrays(arrays: Arrays) -> bytes:
    """Return arrays in safetensors format; unsigned 64-bit ones as their signed bits."""
    data: bytes = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    return data


def decode_arrays(data: bytes | memoryview) -> Arrays:
    """Read safetensors bytes.

    Raises
    ------
    SnapshotError
        They are torn.
    """
    try:
        return read_arrays(data)
    except ValueError as error:
        msg = f"these are not whole safetensors ({error}): use an older snapshot"
        raise SnapshotError(msg) from error


def encode_snapshot(
    model: RankerModel, generations: npt.NDArray[np.int64], facts: Mapping[str, Any]
) -> tuple[bytes, dict[str, Any]]:
    """Return the content of `model.safetensors` and of `manifest.json`.

    Parameters
    ----------
    model
        The model to serve.
    generations
        int64 [N], the generation of each item row of the counters.
    facts
        What else the manifest says: parent, positions, quality, ...
    """
    arrays = to_arrays(model) | {GENERATIONS: generations.astype(np.int64)}
    return encode_arrays(arrays), {**facts, "items": len(generations), **to_manifest(model)}


def decode_snapshot(
    data: bytes | memoryview, manifest: Mapping[str, Any], config: RankerConfig | None = None
) -> tuple[RankerModel, npt.NDArray[np.int64]]:
    """Return the model and the generations of the item rows, int64 [N].

    Raises
    ------
    SnapshotError
        The files are torn, of another format, or of another configuration than `config`.
    """
    arrays = decode_arrays(data)
    if GENERATIONS not in arrays:
        raise SnapshotError(f"the snapshot has no {GENERATIONS}: it was not made by the trainer")
    # A copy: it may outlive the model's own arrays, which are filled from the others.
    generations: npt.NDArray[np.int64] = arrays.pop(GENERATIONS).copy()
    model = from_snapshot(arrays, dict(manifest), config)
    known = 0 if model.vectors is None else len(model.vectors.items)
    if known > len(generations):
        raise SnapshotError(
            f"the snapshot has {known} item vectors but {len(generations)} generations"
        )
    return model, generations
