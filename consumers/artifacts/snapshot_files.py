"""The two files of a snapshot: tensors with the item rows' generations, and the manifest.

The trainer numbers item rows and gives the row of an expired item to a new one. The generations
tell which rows of a model still stand for the items of a newer serving view.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from gsr.config import ModelConfig
from gsr.errors import SnapshotError
from gsr.network.model import JointModel
from gsr.network.snapshot import (
    decode_tensors,
    encode_tensors,
    from_snapshot,
    to_manifest,
    to_tensors,
)

GENERATIONS: Final = "index.generations"


def encode_snapshot(
    model: JointModel, generations: npt.NDArray[np.int64], facts: Mapping[str, Any]
) -> tuple[bytes, dict[str, Any]]:
    """Return the content of `model.safetensors` and of `manifest.json`.

    Parameters
    ----------
    model
        The model to serve.
    generations
        int64 [N], the generation of each of its item rows.
    facts
        What else the manifest says: parent, positions, quality, ...
    """
    tensors = to_tensors(model)
    tensors[GENERATIONS] = torch.from_numpy(generations.astype(np.int64, copy=True))
    return encode_tensors(tensors), {**facts, **to_manifest(model)}


def decode_snapshot(
    data: bytes, manifest: Mapping[str, Any], config: ModelConfig | None = None
) -> tuple[JointModel, npt.NDArray[np.int64]]:
    """Return the model and its rows' generations, int64 [N].

    Raises
    ------
    SnapshotError
        The files are torn, of another format, or of another configuration than `config`.
    """
    tensors = decode_tensors(data)
    if GENERATIONS not in tensors:
        raise SnapshotError(f"the snapshot has no {GENERATIONS}: it was not made by the trainer")
    generations: npt.NDArray[np.int64] = tensors.pop(GENERATIONS).numpy()
    model = from_snapshot(tensors, dict(manifest), config)
    if len(generations) != model.items:
        raise SnapshotError(
            f"the snapshot has {model.items} item rows but {len(generations)} generations"
        )
    return model, generations
