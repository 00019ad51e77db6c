"""The serving view: live counters of the item graph, written by the trainer, read by publishers.

A view is two files: `view.safetensors` holds the arrays (and the item ids as one block of UTF-8
with its row boundaries), `view.json` the few facts about them. Rows are the trainer's item rows;
a row whose item expired may be reused, and its generation tells the two items apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save

from consumers.artifacts.array_bytes import read_arrays
from consumers.errors import ArtifactError
from consumers.serving.item_ids import ItemIds
from gsr.compiled import kernel
from gsr.counters.items.item_graph import ItemGraph

VIEW_FORMAT: Final = 2
_WITHOUT_CLOSE_CLICKS: Final = 1
"""The format of views that have no weights of close clicks; they are read as such."""

_GRAPH_ARRAYS: Final[Mapping[str, type[np.generic]]] = {
    "half_lives": np.float64,
    "row_starts": np.int64,
    "row_lengths": np.int32,
    "row_references": np.int64,
    "neighbours": np.uint32,
    "weights": np.float32,
    "popularity": np.float32,
    "popularity_references": np.int64,
    "last_clicks": np.float64,
    "alive": np.bool_,
    "close_half_lives": np.float64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingView:
    """Merged counters of every partition at one moment.

    Parameters
    ----------
    number
        Grows by one with every view; 0 before it is stored.
    graph
        Neighbours and popularity by item row.
    item_ids
        The item of each of the N rows; "" where the row is free.
    generations
        int64 [N]; a row that is given to another item gets a higher one.
    reference_time
        The newest watermark of the partitions, seconds since the epoch: the *now* of decay.
    created_at
        Wall-clock seconds since the epoch.
    positions
        Partition of `clicks` to the offset up to which its clicks are counted.
    """

    graph: ItemGraph
    item_ids: list[str]
    generations: npt.NDArray[np.int64]
    reference_time: float
    created_at: float
    positions: dict[int, int]
    number: int = 0

    def __len__(self) -> int:
        return len(self.item_ids)


def encode_view(view: ServingView) -> tuple[bytes, dict[str, Any]]:
    """Return the content of `view.safetensors` and of `view.json`.

    The graph's rows are packed without gaps, so that a view never holds more than it says; the
    arrays are copied at once, so the caller may keep adding to its own.
    """
    graph = _packed(view.graph)
    encoded = [item.encode() for item in view.item_ids]
    boundaries = np.zeros(len(encoded) + 1, dtype=np.int64)
    np.cumsum([len(item) for item in encoded], out=boundaries[1:])
    tensors = {name: getattr(graph, name) for name in _GRAPH_ARRAYS}
    tensors["generations"] = view.generations
    tensors["item_id_bytes"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
    tensors["item_id_boundaries"] = boundaries
    manifest: dict[str, Any] = {
        "format": VIEW_FORMAT,
        "number": view.number,
        "reference_time": view.reference_time,
        "created_at": view.created_at,
        "positions": {str(partition): offset for partition, offset in view.positions.items()},
        "items": len(view.item_ids),
        "edges": len(graph.neighbours),
    }
    return save({name: np.ascontiguousarray(a) for name, a in tensors.items()}), manifest


def decode_view(
    tensors: bytes | memoryview, manifest: Mapping[str, Any], ids: ItemIds | None = None
) -> ServingView:
    """Return the view that `encode_view` wrote.

    Its arrays lie in `tensors` where these may be written. `ids` keeps those of the view before,
    whose strings are used again.

    Raises
    ------
    ArtifactError
        The files are torn, of another format, or do not belong together.
    """
    if manifest.get("format") not in {VIEW_FORMAT, _WITHOUT_CLOSE_CLICKS}:
        raise ArtifactError(
            f"the serving view has format {manifest.get('format')!r}, this version reads "
            f"{VIEW_FORMAT}: run the trainer and the publisher at the same version"
        )
    try:
        arrays = read_arrays(tensors)
        if manifest["format"] == _WITHOUT_CLOSE_CLICKS:
            arrays["close_half_lives"] = np.zeros(0)
        graph = ItemGraph(**{name: arrays[name] for name in _GRAPH_ARRAYS})
        item_ids = (ids or ItemIds()).follow(arrays["item_id_bytes"], arrays["item_id_boundaries"])
        view = ServingView(
            number=int(manifest["number"]),
            graph=graph,
            item_ids=item_ids,
            generations=arrays["generations"],
            reference_time=float(manifest["reference_time"]),
            created_at=float(manifest["created_at"]),
            positions={int(p): int(offset) for p, offset in manifest["positions"].items()},
        )
    except (KeyError, ValueError, TypeError) as error:
        raise ArtifactError(
            f"the serving view is torn ({error}); the next one replaces it"
        ) from error
    _check(view)
    return view


def _check(view: ServingView) -> None:
    """Refuse arrays that would send a kernel outside of its memory."""
    graph, items = view.graph, len(view.item_ids)
    for name, dtype in _GRAPH_ARRAYS.items():
        if getattr(graph, name).dtype != dtype:
            raise ArtifactError(f"the serving view's {name} has another type than {dtype.__name__}")
    per_item = (
        graph.row_starts,
        graph.row_lengths,
        graph.row_references,
        graph.popularity,
        graph.popularity_references,
        graph.last_clicks,
        graph.alive,
        view.generations,
    )
    ends = graph.row_starts + graph.row_lengths
    slots = len(graph.neighbours)
    columns = graph.scales + len(graph.close_half_lives)
    fits = (
        all(len(array) == items for array in per_item)
        and graph.weights.shape == (slots, columns)
        and graph.popularity.shape == (items, graph.scales)
        and graph.row_references.shape == (items, columns)
        and graph.popularity_references.shape == (items, graph.scales)
        and (not items or (int(graph.row_starts.min()) >= 0 and int(ends.max()) <= slots))
        and (not items or int(graph.row_lengths.min()) >= 0)
        and (not slots or int(graph.neighbours.max()) < items)
    )
    if not fits:
        raise ArtifactError("the serving view's arrays contradict each other; the next one may not")


def _packed(graph: ItemGraph) -> ItemGraph:
    """Return a copy whose rows follow each other without gaps."""
    lengths = graph.row_lengths.astype(np.int32, copy=True)
    starts = np.zeros(len(lengths), dtype=np.int64)
    if len(lengths):
        np.cumsum(lengths[:-1], out=starts[1:], dtype=np.int64)
    slots = int(lengths.sum(dtype=np.int64))
    neighbours = np.empty(slots, dtype=np.uint32)
    weights = np.empty((slots, graph.weights.shape[1]), dtype=np.float32)
    _pack(graph.row_starts, lengths, graph.neighbours, graph.weights, starts, neighbours, weights)
    return graph._replace(
        row_starts=starts,
        row_lengths=lengths,
        neighbours=neighbours,
        weights=weights,
        row_references=graph.row_references.copy(),
        popularity=graph.popularity.copy(),
        popularity_references=graph.popularity_references.copy(),
        last_clicks=graph.last_clicks.copy(),
        alive=graph.alive.copy(),
    )


@kernel
def _pack(
    starts: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int32],
    neighbours: npt.NDArray[np.uint32],
    weights: npt.NDArray[np.float32],
    new_starts: npt.NDArray[np.int64],
    out_neighbours: npt.NDArray[np.uint32],
    out_weights: npt.NDArray[np.float32],
) -> None:
    for row in range(len(lengths)):
        for slot in range(lengths[row]):
            out_neighbours[new_starts[row] + slot] = neighbours[starts[row] + slot]
            for scale in range(weights.shape[1]):
                out_weights[new_starts[row] + slot, scale] = weights[starts[row] + slot, scale]
