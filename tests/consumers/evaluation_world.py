"""Evaluations of a model that is not one: ranks are given or drawn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from consumers.offline.evaluation.case_files import Graph, Part
from consumers.offline.evaluation.event_data import EventData, read_event_data
from consumers.offline.evaluation.result import Evaluation, SeedCost, SeedRun
from gsr.quality.protocols import Cases, Split, leave_one_out
from stream.events.clicks.rules import EventRules
from stream.events.files.reading import EventFile

ITEMS = 30

MakeRanks = Callable[[np.random.Generator, Cases], npt.NDArray[np.int32]]


def write_walks(path: Path, users: int = 40, clicks: int = 6) -> Path:
    """Write an event file of users who click through the items, two clicks a day.

    Every third user comes back to an item at last.
    """
    rows = [
        f"u{user},i{(7 * user + n * n % (30 if user % 3 else 8)) % ITEMS},{86_400 * (n // 2)}\n"
        for n in range(clicks)
        for user in range(users)
    ]
    path.write_text("user_id,item_id,timestamp\n" + "".join(rows))
    return path


def read(path: Path, **changes: Any) -> EventData:
    return read_event_data(EventFile(path), EventRules(), **changes)


def drawn(luck: float) -> MakeRanks:
    """Return what draws ranks, the better the larger `luck`."""

    def ranks(rng: np.random.Generator, cases: Cases) -> npt.NDArray[np.int32]:
        return (1 + rng.geometric(luck, len(cases))).astype(np.int32)

    return ranks


def evaluated(
    data: EventData,
    ranks: MakeRanks,
    *,
    seeds: tuple[int, ...] = (0, 1, 2),
    shuffle: bool = False,
    split: Callable[..., Split] = leave_one_out,
    graphs: tuple[Graph, ...] = ("frozen", "live"),
    **changes: Any,
) -> Evaluation:
    """Return an evaluation with these seeds."""
    runs = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        cut = split((data.shuffled_ties(seed) if shuffle else data).interactions)
        found: dict[tuple[Part, Graph], npt.NDArray[np.int32]] = {}
        for graph in graphs:
            found["valid", graph] = ranks(rng, cut.valid.cases)
            found["test", graph] = ranks(rng, cut.test.cases)
        cost = SeedCost(seconds=2.0 + seed, cpu_seconds=3.0, epochs=10.0)
        runs.append(SeedRun(seed=seed, split=cut, ranks=found, cost=cost))
    given: dict[str, Any] = {
        "mask_seen": True,
        "ties": "shuffled" if shuffle else "file",
        "seconds": 9.0,
        "peak_memory_bytes": 2**20,
        **changes,
    }
    return Evaluation(data=data, runs=runs, **given)
