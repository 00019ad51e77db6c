"""Serving views made by hand."""

from collections.abc import Mapping, Sequence

import numpy as np

from consumers.config.sections.state import StateSection
from consumers.serving.view import ServingView
from gsr.config import ModelConfig
from gsr.counters.items.item_graph import ItemGraph

NOW = 1_700_000_000.0
HALF_LIVES = ModelConfig().half_lives


def view_of(
    popularity: Mapping[str, float],
    edges: Mapping[tuple[str, str], float] | None = None,
    *,
    ids: Sequence[str] | None = None,
    now: float = NOW,
    number: int = 1,
) -> ServingView:
    """Build a view whose counters have the given values at `now`.

    Parameters
    ----------
    popularity
        Item to popularity, the same on every time scale; items have rows in this order.
    edges
        (From, to) to weight.
    ids
        Item ids by row ("" for free rows) where they are not the keys of `popularity`.
    """
    ids = list(popularity) if ids is None else list(ids)
    row = {item: at for at, item in enumerate(ids)}
    half_lives = np.array(HALF_LIVES)
    count, scales = len(ids), len(half_lives)
    out: list[list[tuple[int, float]]] = [[] for _ in ids]
    for (source, target), weight in (edges or {}).items():
        out[row[source]].append((row[target], weight))
    lengths = np.array([len(targets) for targets in out], dtype=np.int32)
    slots = [slot for targets in out for slot in targets]
    close_half_lives = np.array(StateSection().close_half_lives_seconds)
    references = np.floor(now / half_lives).astype(np.int64)
    row_references = np.append(references, np.floor(now / close_half_lives).astype(np.int64))
    # A stored weight w is worth w * 2 ** (reference - now / half_life) at `now`.
    scale = 2.0 ** (now / half_lives - references)
    stored = np.array([popularity.get(item, 0.0) for item in ids])[:, None] * scale
    graph = ItemGraph(
        half_lives=half_lives,
        row_starts=(np.cumsum(lengths) - lengths).astype(np.int64),
        row_lengths=lengths,
        row_references=np.tile(row_references, (count, 1)).reshape(count, len(row_references)),
        neighbours=np.array([target for target, _ in slots], dtype=np.uint32),
        weights=np.pad(
            (np.array([weight for _, weight in slots]).reshape(-1, 1) * scale).astype(np.float32),
            ((0, 0), (0, len(close_half_lives))),
        ),
        popularity=stored.astype(np.float32).reshape(count, scales),
        popularity_references=np.tile(references, (count, 1)).reshape(count, scales),
        last_clicks=np.full(count, now),
        alive=np.array([bool(item) for item in ids], dtype=np.bool_),
        close_half_lives=close_half_lives,
    )
    return ServingView(
        graph=graph,
        item_ids=ids,
        generations=np.zeros(count, dtype=np.int64),
        reference_time=now,
        created_at=now,
        positions={0: 0},
        number=number,
    )
