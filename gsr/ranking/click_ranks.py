"""Exact ranks of clicked items among all items, by the scores from just before each click."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from gsr.compiled import kernel
from gsr.quality.ranking_metrics import MISS
from gsr.votes.constants import FLOOR_LOG2, LN2
from gsr.votes.recording import Notes

BLOCK_CLICKS: Final = 128
"""Clicks whose dense scores are held at once: a block of 128 by N float32."""


@dataclass(frozen=True, slots=True)
class Queries:
    """How the joint model scores r recorded users.

    Parameters
    ----------
    vectors
        float32 [r, d], to be multiplied with item vectors.
    channel_weights
        float32 [r, C], popularity first (see `gsr.votes.channels`).
    item_vectors
        float32 [N', d]; items without a vector score by their channels alone.
    """

    vectors: npt.NDArray[np.float32]
    channel_weights: npt.NDArray[np.float32]
    item_vectors: npt.NDArray[np.float32]


def rank_clicks(
    notes: Notes,
    queries: Queries,
    half_lives: npt.NDArray[np.float64],
    scored: npt.NDArray[np.bool_],
    masked: npt.NDArray[np.int64],
) -> npt.NDArray[np.int32]:
    """Rank the clicked item of every scored record by the joint score.

    Popularity moves with every click of the chunk, so the popularity levels are played again from
    their first state, click by click. Ties count against the clicked item.

    Parameters
    ----------
    notes
        Of the chunk's clicks (r records).
    queries
        From the model that was serving.
    half_lives
        float64 [S], seconds.
    scored
        bool [r], which records to rank.
    masked
        int64 [r, L], item rows left out of each ranking; -1 ignored.

    Returns
    -------
    int32 [r], ranks from 1; `MISS` for an item never clicked before, and where not scored.
    """
    records = len(scored)
    ranks = np.full(records, MISS, dtype=np.int32)
    clicks_of = np.flatnonzero(notes.record_of >= 0)
    if not scored.any():
        return ranks
    items = len(notes.first_alive)
    # Relative to the chunk's own time the levels are small enough for float32.
    origin = float(notes.now[0])
    levels = np.ascontiguousarray((notes.first_levels - origin / half_lives).T, dtype=np.float32)
    after = (notes.levels_after - origin / half_lives).astype(np.float32)
    alive = notes.first_alive.copy()
    vectors = queries.item_vectors.T
    scores = np.zeros((min(BLOCK_CLICKS, records), items), dtype=np.float32)
    click = 0
    for start in range(0, records, BLOCK_CLICKS):
        stop = min(start + BLOCK_CLICKS, records)
        np.matmul(
            queries.vectors[start:stop], vectors, out=scores[: stop - start, : vectors.shape[1]]
        )
        scores[:, vectors.shape[1] :] = 0.0
        last = len(notes.targets) if stop == records else int(clicks_of[stop - 1]) + 1
        _rank_block(
            click,
            last,
            start,
            notes,
            scores,
            queries.channel_weights,
            half_lives,
            origin,
            levels,
            after,
            alive,
            scored,
            masked,
            ranks,
        )
        click = last
    return ranks


@kernel
def _add_popularity(
    row: npt.NDArray[np.float32], levels: npt.NDArray[np.float32], shift: float, weight: float
) -> None:
    """Add one scale's popularity channel to every item's score."""
    moved = np.float32(shift)
    factor = np.float32(weight * LN2)
    floor = np.float32(FLOOR_LOG2)
    for item in range(len(row)):
        level = levels[item] - moved
        row[item] += factor * (level if level > floor else floor)  # noqa: FURB136 -- vectorises


@kernel
def _rank_of(row: npt.NDArray[np.float32], alive: npt.NDArray[np.bool_], target: int) -> int:
    own = row[target]
    if np.isnan(own):
        return MISS
    count = 0
    for item in range(len(row)):
        count += (row[item] >= own) & alive[item]
    return count


@kernel
def _rank_block(
    first_click: int,
    last_click: int,
    first_record: int,
    notes: Notes,
    scores: npt.NDArray[np.float32],
    channel_weights: npt.NDArray[np.float32],
    half_lives: npt.NDArray[np.float64],
    origin: float,
    levels: npt.NDArray[np.float32],
    after: npt.NDArray[np.float32],
    alive: npt.NDArray[np.bool_],
    scored: npt.NDArray[np.bool_],
    masked: npt.NDArray[np.int64],
    ranks: npt.NDArray[np.int32],
) -> None:
    scales = len(half_lives)
    for click in range(first_click, last_click):
        record = notes.record_of[click]
        target = notes.targets[click]
        if record >= 0 and scored[record] and alive[target]:
            row = scores[record - first_record]
            for scale in range(scales):
                shift = (notes.now[record] - origin) / half_lives[scale]
                _add_popularity(row, levels[scale], shift, channel_weights[record, scale])
            for k in range(notes.channel_starts[record], notes.channel_starts[record + 1]):
                total = np.float32(0.0)
                for channel in range(notes.channel_values.shape[1]):
                    total += (
                        channel_weights[record, scales + channel] * notes.channel_values[k, channel]
                    )
                row[notes.channel_items[k]] += total
            for item in masked[record]:
                if item >= 0:
                    row[item] = -np.inf
            ranks[record] = _rank_of(row, alive, target)
        if target >= 0:
            alive[target] = True
            for scale in range(scales):
                levels[scale, target] = after[click, scale]
