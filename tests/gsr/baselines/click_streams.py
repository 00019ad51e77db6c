"""Streams of a few clicks as the baselines take them."""

from collections import defaultdict

import numpy as np

from gsr.baselines.counted_clicks import CountedClicks

WINDOW = (1.0, 0.5)


def click_stream(
    events: list[tuple[int, int, float]], weights: list[float] | None = None
) -> tuple[CountedClicks, list[list[int]]]:
    """Turn (user, item, pause) into clicks with histories and edges."""
    buffers: dict[int, list[int]] = defaultdict(list)
    histories, pasts, starts, edges = [], [], [0], []
    past: dict[int, list[float]] = defaultdict(list)
    now, times = 0.0, []
    for user, item, pause in events:
        now += pause
        times.append(now)
        histories.append(list(buffers[user]))
        pasts.append(list(past[user]))
        for back, share in enumerate(WINDOW):
            if back < len(buffers[user]) and buffers[user][-1 - back] != item:
                edges.append((buffers[user][-1 - back], item, share, now))
        starts.append(len(edges))
        buffers[user].append(item)
        past[user].append(now)
    width = max(map(len, histories), default=0) + 1
    padded = np.full((len(events), width), -1, dtype=np.int64)
    for row, history in enumerate(histories):
        padded[row, : len(history)] = history
    padded_times = np.zeros((len(events), width))
    for row, moments in enumerate(pasts):
        padded_times[row, : len(moments)] = moments
    columns = list(zip(*edges, strict=True)) or [(), (), (), ()]
    return (
        CountedClicks(
            targets=np.array([item for _, item, _ in events], dtype=np.int64),
            times=np.array(times),
            weights=np.ones(len(events)) if weights is None else np.array(weights),
            users=np.array([user for user, _, _ in events], dtype=np.uint64),
            histories=padded,
            lengths=np.array([len(history) for history in histories], dtype=np.int64),
            history_times=padded_times,
            edge_starts=np.array(starts, dtype=np.int64),
            edge_sources=np.array(columns[0], dtype=np.int64),
            edge_targets=np.array(columns[1], dtype=np.int64),
            edge_weights=np.array(columns[2], dtype=np.float64),
            edge_times=np.array(columns[3], dtype=np.float64),
        ),
        histories,
    )
