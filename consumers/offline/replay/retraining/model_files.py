"""Models that were learned anew, on disk, and their items as rows of a running loop."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from consumers.errors import ArtifactError
from consumers.runtime.documents import write_document
from consumers.runtime.outputs import written_aside
from gsr.errors import SnapshotError
from gsr.loop.mirror import Mirror
from gsr.network.item_table import as_rows
from gsr.network.model import JointModel
from gsr.network.snapshot import (
    decode_tensors,
    encode_tensors,
    from_snapshot,
    to_manifest,
    to_tensors,
)

_DOCUMENT: Final = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """What is known of a model once its learning has ended.

    Parameters
    ----------
    clicks
        Of the stream, that it may have learned from.
    passes
        Passes over them, validation's and those of learning again.
    seconds, cpu_seconds, peak_memory_bytes
        Of its process, from beginning to end.
    reason
        Why there is no model; None where there is one.
    """

    clicks: int
    passes: int
    seconds: float
    cpu_seconds: float
    peak_memory_bytes: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The files of one model: its weights, and what is known of it, which is written last.

    Parameters
    ----------
    directory
        Where.
    number
        Of the moment at which the model takes over.
    """

    directory: Path
    number: int

    @property
    def weights(self) -> Path:
        """The model's weights, with the ids of its items."""
        return self.directory / f"model-{self.number:04}.safetensors"

    @property
    def _facts(self) -> Path:
        return self.directory / f"model-{self.number:04}.json"

    def learned(self) -> Learned | None:
        """Return what is known of the model; None while it is not there."""
        try:
            return Learned(**json.loads(self._facts.read_text()))
        except FileNotFoundError:
            return None

    def write_weights(self, model: JointModel, item_ids: list[str]) -> None:
        """Write a model whose row n is the item ``item_ids[n]``; there whole or not at all."""
        told = json.dumps({"manifest": to_manifest(model), "item_ids": item_ids})
        text = torch.from_numpy(np.frombuffer(told.encode(), np.uint8).copy())
        with written_aside(self.weights) as aside:
            aside.write_bytes(encode_tensors({_DOCUMENT: text, **to_tensors(model)}))

    def write_learned(self, learned: Learned) -> None:
        """Say that learning has ended."""
        write_document(asdict(learned), self._facts)

    def read(self) -> tuple[JointModel, list[str]]:
        """Return the model and the ids of its items, by row.

        Raises
        ------
        ArtifactError
            The file is not there or is torn.
        """
        try:
            tensors: dict[str, Tensor] = decode_tensors(self.weights.read_bytes())
            told: dict[str, Any] = json.loads(bytes(tensors.pop(_DOCUMENT).numpy()))
            return from_snapshot(tensors, told["manifest"]), told["item_ids"]
        except (OSError, KeyError, ValueError, SnapshotError) as error:
            raise ArtifactError(f"{self.weights}: {error}. Run without --resume.") from error


def onto_rows(model: JointModel, item_ids: list[str], mirror: Mirror) -> JointModel:
    """Give a model's items the rows that they have in a mirror; return it.

    Items of the mirror that the model does not know begin as new rows do on the stream.

    Parameters
    ----------
    model
        Its table is replaced.
    item_ids
        N of them, of its rows.
    mirror
        The counters that it is to be used with.
    """
    row_of = {item_id: row for row, item_id in enumerate(item_ids)}
    rows = np.array([row_of.get(item_id, -1) for item_id in mirror.item_ids], np.int64)
    known = np.flatnonzero(rows >= 0)
    weight = torch.zeros(len(rows), model.config.dimension)
    weight[as_rows(known)] = model.table.weight[as_rows(rows[known])]
    model.table.load(weight, torch.zeros(len(rows), dtype=torch.int64))
    model.renew(np.flatnonzero(rows < 0), mirror.graph())
    return model
