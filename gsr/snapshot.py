"""A model as bytes: tensors in safetensors, the rest as a JSON document. No file is touched."""

from typing import Any

from torch import Tensor

from gsr.config import ModelConfig
from gsr.model import JointModel

FORMAT = 1


def to_tensors(model: JointModel) -> dict[str, Tensor]:
    """Return copies of every tensor of the model, optimiser state of the item table excluded."""
    raise NotImplementedError


def to_manifest(model: JointModel) -> dict[str, Any]:
    """Return what a snapshot's manifest must say about the model, as JSON types."""
    raise NotImplementedError


def encode_tensors(tensors: dict[str, Tensor], metadata: dict[str, str] | None = None) -> bytes:
    """Return `tensors` in safetensors format."""
    raise NotImplementedError


def decode_tensors(data: bytes) -> dict[str, Tensor]:
    """Read safetensors bytes; raise `SnapshotError` when they are torn."""
    raise NotImplementedError


def from_snapshot(
    tensors: dict[str, Tensor], manifest: dict[str, Any], config: ModelConfig | None = None
) -> JointModel:
    """Rebuild the model.

    Raises
    ------
    SnapshotError
        The manifest names another format, or, where `config` is given, another configuration
        (each differing setting is named with both values), or tensors are missing.
    """
    raise NotImplementedError
