"""Made-up tables of clicks in windows, and their clicks as plain tuples."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

START = 1e9
HOUR = 3600.0


class Row(NamedTuple):
    """A click as the table has it."""

    window: int
    session: str
    user: str
    item: str
    time: float


def random_rows(seed: int, *, windows: int = 5, sessions: int = 12, items: int = 9) -> list[Row]:
    """Return sessions of one to six clicks; some reach far into the next windows."""
    rng = np.random.default_rng(seed)
    rows = []
    for window in range(windows):
        for number in range(sessions):
            user = f"u{rng.integers(sessions)}"
            time = START + (window + rng.uniform(0.0, 0.9)) * HOUR
            newest = items + 2 * window
            for _ in range(rng.integers(1, 7)):
                item = f"i{rng.integers(newest)}"
                rows.append(Row(window, f"s{number}", user, item, round(time, 3)))
                time += rng.exponential(900.0)
    return sorted(rows, key=lambda row: (row.window, row.time))


def write_table(path: Path, rows: list[Row]) -> Path:
    """Write rows as CSV."""
    lines = ["window,session_id,user_id,item_id,timestamp"]
    lines += [f"{r.window},{r.session},{r.user},{r.item},{r.time:.3f}" for r in rows]
    path.write_text("\n".join(lines) + "\n")
    return path
