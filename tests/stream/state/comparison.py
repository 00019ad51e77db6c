"""What a checkpoint and the reference say, in the same words."""

from pathlib import Path
from typing import Any

from stream.state.checkpoint import Checkpoint
from tests.stream.state.reference import Reference

Words = dict[str, Any]


def words_of_checkpoint(path: Path) -> Words:
    """Return all of a checkpoint as plain values."""
    with Checkpoint.open(path) as checkpoint:
        meta = checkpoint.meta
        table = checkpoint.items()
        graph = table.graph
        feed = checkpoint.feed(meta.feed_start, meta.feed_stop)
        users = {
            user_id: (
                [
                    tuple(row)
                    for row in zip(
                        buffer.items.tolist(),
                        buffer.fingerprints.tolist(),
                        buffer.times.tolist(),
                        buffer.events.tolist(),
                        buffer.hashes.tolist(),
                        strict=True,
                    )
                ],
                buffer.seen.tolist(),
                buffer.source_offset,
                buffer.accepted_at,
            )
            for user_id, buffer in checkpoint.users()
        }
    items = {}
    for row, index in enumerate(table.indexes.tolist()):
        start = int(graph.row_starts[row])
        slots = range(start, start + int(graph.row_lengths[row]))
        items[index] = (
            table.ids[row],
            float(table.created_at[row]),
            float(graph.last_clicks[row]),
            graph.popularity_references[row].tolist(),
            graph.popularity[row].tolist(),
            graph.row_references[row].tolist() if slots else [],
            [
                (int(table.indexes[graph.neighbours[slot]]), graph.weights[slot].tolist())
                for slot in slots
            ],
        )
    return {
        "users": users,
        "items": items,
        "feed": list(
            zip(
                feed.user_ids,
                feed.items.tolist(),
                feed.times.tolist(),
                feed.events.tolist(),
                feed.append_times.tolist(),
                feed.offsets.tolist(),
                strict=True,
            )
        ),
        "watermark": meta.watermark,
        "next_index": meta.next_index,
        "items_removed": meta.counters["items_removed"],
    }


def words_of_reference(reference: Reference) -> Words:
    """Return all of the reference as plain values."""
    horizon = reference.user_horizon()
    return {
        "users": {
            user_id: (
                [(c.index, c.fingerprint, c.time, c.event, c.hash) for c in user.clicks],
                user.seen,
                user.source_offset,
                user.accepted_at,
            )
            for user_id, user in reference.users.items()
            if user.clicks[-1].time >= horizon
        },
        "items": {
            index: (
                item.item_id,
                item.created_at,
                item.last_click,
                item.popularity.references,
                [float(value) for value in item.popularity.sums],
                item.references if item.neighbours else [],
                [(n, [float(w) for w in weights]) for n, weights in item.neighbours.items()],
            )
            for index, item in reference.items.items()
        },
        "feed": reference.feed,
        "watermark": reference.watermark,
        "next_index": reference.next_index,
        "items_removed": reference.items_removed,
    }
