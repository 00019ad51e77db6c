"""Models as bytes: tensors as safetensors, the rest as a JSON document. Touches no file."""

from typing import Any, Final

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from gsr.config import ModelConfig
from gsr.errors import SnapshotError
from gsr.network.model import JointModel
from gsr.stored_config import config_as_json, config_from_json

FORMAT: Final = 4
NETWORK: Final = "network."
ITEMS: Final = "items.weight"
GENERATIONS: Final = "items.generations"


def to_tensors(model: JointModel) -> dict[str, Tensor]:
    """Return copies of every tensor of the model; optimiser state is the learner's."""
    network = model.network.state_dict()
    return {
        ITEMS: model.table.weight.clone(),
        GENERATIONS: model.table.generations.clone(),
        **{NETWORK + name: tensor.clone() for name, tensor in network.items()},
    }


def to_manifest(model: JointModel) -> dict[str, Any]:
    """Return what a snapshot's manifest must say about the model, as JSON types."""
    return {
        "model_format": FORMAT,
        "items": model.items,
        "config": config_as_json(model.config),
        "libraries": {"torch": torch.__version__},
    }


def encode_tensors(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Return `tensors` in safetensors format."""
    contiguous = {name: tensor.contiguous() for name, tensor in tensors.items()}
    data: bytes = safetensors.torch.save(contiguous, metadata)
    return data


def decode_tensors(data: bytes) -> dict[str, Tensor]:
    """Read safetensors bytes.

    Raises
    ------
    SnapshotError
        They are torn.
    """
    try:
        tensors: dict[str, Tensor] = safetensors.torch.load(data)
    except safetensors.SafetensorError as error:
        msg = f"these are not whole safetensors ({error}): use an older snapshot"
        raise SnapshotError(msg) from error
    return tensors


def from_snapshot(
    tensors: dict[str, Tensor],
    manifest: dict[str, Any],
    seed: int = 0,
) -> JointModel:
    """Rebuild the model.

    Parameters
    ----------
    tensors, manifest
        From `to_tensors` and `to_manifest`.
    seed
        Of the rebuilt model's generator.

    Raises
    ------
    SnapshotError
        The manifest names another format, or tensors are missing or of another shape.
    """
    if manifest.get("model_format") != FORMAT:
        found = manifest.get("model_format")
        raise SnapshotError(
            f"the snapshot has model format {found}, this build reads {FORMAT}: use the build that "
            "wrote it, or start a new model"
        )
    model = JointModel(config_from_json(ModelConfig, manifest["config"]), seed)
    network = {n[len(NETWORK) :]: t for n, t in tensors.items() if n.startswith(NETWORK)}
    try:
        model.network.load_state_dict(network)
        model.table.load(tensors[ITEMS], tensors[GENERATIONS])
    except (KeyError, RuntimeError) as error:
        raise SnapshotError(f"the snapshot's tensors do not fit its manifest: {error}") from error
    return model
