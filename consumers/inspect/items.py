"""An item's popularity and neighbours, summed over all partitions."""

import math
from collections import defaultdict
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt

from consumers.artifacts.store import open_artifacts
from consumers.config.settings import GsrConfig
from consumers.errors import NotFoundError
from consumers.inspect.times import iso_time
from consumers.serving.graph_rows import followers_at, popularity_at
from consumers.serving.item_titles import ItemTitles
from stream.clock import SystemClock
from stream.state.checkpoint import Checkpoint


def item_facts(config: GsrConfig, item_id: str, top: int) -> dict[str, Any]:
    """Return an item's popularity and strongest neighbours, summed over the partitions.

    Weights are as of the newest watermark.

    Raises
    ------
    NotFoundError
        No partition's newest checkpoint knows the item.
    """
    store = open_artifacts(config, SystemClock())
    newest = store.newest_checkpoints()
    if not newest:
        raise NotFoundError(
            f"there are no checkpoints in {config.artifacts_url} yet: ingest publishes the first "
            "ones a few seconds after the first clicks. Does `gsr run` run, with the same --state?"
        )
    with ExitStack() as stack:
        checkpoints = [
            stack.enter_context(Checkpoint.open(store.checkpoint_path(partition, number)))
            for partition, number in newest.items()
        ]
        now = max(checkpoint.meta.watermark for checkpoint in checkpoints)
        tables = [checkpoint.items() for checkpoint in checkpoints]
    # Each state has its own half-lives, whatever the configuration says.
    scales = sorted({scale for table in tables for scale in table.graph.half_lives.tolist()})
    popularity = np.zeros(len(scales))
    weights: dict[str, npt.NDArray[np.float64]] = defaultdict(lambda: np.zeros(len(scales)))
    last_click = -math.inf
    for table in tables:
        if item_id in table.ids:
            row = table.ids.index(item_id)
            columns = np.searchsorted(scales, table.graph.half_lives)
            np.add.at(popularity, columns, popularity_at(table.graph, row, now))
            last_click = max(last_click, float(table.graph.last_clicks[row]))
            followers = followers_at(table.graph, row, now)
            for neighbour, found in zip(followers.rows.tolist(), followers.weights, strict=True):
                np.add.at(weights[table.ids[neighbour]], columns, found)
    if last_click == -math.inf:
        raise NotFoundError(f"item {item_id!r} is not known, or has expired")
    strongest = sorted(weights, key=lambda name: (-weights[name].max(), name))[:top]
    titles = ItemTitles(config.titles_file)
    known = titles.of([item_id, *strongest])
    titles.close()
    return {
        "item_id": item_id,
        "title": known.get(item_id),
        "last_click": iso_time(last_click),
        "half_lives_seconds": scales,
        "popularity": popularity.tolist(),
        "neighbours": [
            {"item_id": name, "title": known.get(name), "weights": weights[name].tolist()}
            for name in strongest
        ],
    }
