"""Small logs, and replays of them in which a small model learns."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from consumers.config.settings import GsrConfig
from consumers.offline.replay.options import ReplayOptions
from consumers.offline.replay.run import replay
from consumers.runtime.interruption import Interruption
from consumers.runtime.progress import Progress
from tests.consumers.trainer_world import SMALL_LEARNER, SMALL_MODEL

CONFIG = GsrConfig().with_values({"model": SMALL_MODEL, "learner": SMALL_LEARNER})


def write_events(path: Path, rows: list[tuple[str, str, float]]) -> Path:
    text = "user_id,item_id,timestamp\n" + "".join(f"{u},{i},{t}\n" for u, i, t in rows)
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


def shoppers(count: int, seed: int = 0) -> list[tuple[str, str, float]]:
    """Shoppers who walk along a ring of items, now and then jumping."""
    rng = np.random.default_rng(seed)
    at: dict[int, int] = {}
    rows = []
    for n in range(count):
        user = int(rng.integers(40))
        at[user] = int(rng.integers(90)) if rng.random() < 0.1 else at.get(user, user) + 1
        rows.append((f"u{user}", f"i{at[user] % 90}", 1e9 + 60.0 * n))
    return rows


def run(events: Path, out: Path, **changes: Any) -> dict[str, Any]:
    options: dict[str, Any] = {"config": CONFIG, "cycle_clicks": 200, **changes}
    return replay(ReplayOptions(events=events, out=out, **options))


def stopped_after(clicks: int) -> tuple[Interruption, Callable[[Progress], None]]:
    """Return an interruption, and a callback that asks for the end after so many clicks."""
    interruption = Interruption()

    def watch(progress: Progress) -> None:
        if progress.done >= clicks:
            interruption.stop.set()

    return interruption, watch
