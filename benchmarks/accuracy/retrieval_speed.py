"""Users per second of top-k: `python -m benchmarks.accuracy.retrieval_speed`.

`gsr.ranking.retrieval.top_k` against a plain torch matmul and topk, on the same vectors with the
same items masked, in turn, each in a process of its own: peak memory is told apart. `ours` gets
vectors alone, as torch does, and must find the same lists; `ours-joint` does the whole job with
channels of four time scales, and `ranker` that of the model that is served, which looks at
candidates instead of all items. For these two torch has no counterpart.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.baseline_process import Stopwatch
from benchmarks.accuracy.exchange import write_json
from benchmarks.accuracy.measuring import PeakMemory, read_answer, threads

SCALES: Final = 4
NEIGHBOURS: Final = 32
HISTORY: Final = 20
NOW: Final = 1e9
WARM_USERS: Final = 64
USERS_AT_ONCE: Final = 500
"""Users whom the publisher asks for together."""

TopK = Callable[[slice], tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]]


class Job:
    """The same users and items for everybody.

    Parameters
    ----------
    items, users, dimension, k
        Sizes.
    history
        Clicks of each user, whose items are not listed.
    """

    def __init__(
        self, items: int, users: int, dimension: int, k: int, history: int = HISTORY
    ) -> None:
        rng = np.random.default_rng(0)
        self.k = k
        self.items = rng.standard_normal((items, dimension), np.float32)
        self.users = rng.standard_normal((users, dimension), np.float32)
        self.histories = rng.integers(0, items, (users, history))

    def torch(self, block: int) -> TopK:
        """Return what anybody would write first; so many users at once."""
        import torch  # noqa: PLC0415 -- its memory is not to be counted as ours

        users, items = torch.from_numpy(self.users), torch.from_numpy(self.items)
        histories = torch.from_numpy(self.histories)

        def best(rows: slice) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
            places, values = [], []
            for start in range(rows.start, rows.stop, block):
                part = slice(start, min(start + block, rows.stop))
                scores = users[part] @ items.T
                scores.scatter_(1, histories[part], -torch.inf)
                found = scores.topk(self.k)
                places.append(found.indices.numpy())
                values.append(found.values.numpy())
            return np.concatenate(places), np.concatenate(values)

        return best

    def ours(self, scales: int) -> TopK:
        """Return our retrieval; without time scales it has no channels but that of new items."""
        from gsr.counters.users.histories import Histories  # noqa: PLC0415 -- each contender's memory is counted apart
        from gsr.ranking.retrieval import top_k  # noqa: PLC0415 -- each contender's memory is counted apart
        from gsr.votes.channels import channel_count  # noqa: PLC0415 -- each contender's memory is counted apart
        from gsr.votes.popularity import popularity_levels  # noqa: PLC0415 -- each contender's memory is counted apart

        graph = self._graph(scales)
        levels = np.zeros((len(self.items), scales))
        popularity_levels(graph, levels)
        weights = np.full((len(self.users), channel_count(scales)), 0.1, np.float32)
        shape = self.histories.shape

        def best(rows: slice) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
            count = rows.stop - rows.start
            found = top_k(
                self.users[rows],
                weights[rows],
                self.items,
                graph,
                levels,
                Histories(
                    self.histories[rows],
                    np.full((count, shape[1]), NOW),
                    np.zeros((count, shape[1]), np.uint8),
                    np.full(count, shape[1]),
                    np.full(count, NOW),
                ),
                list(self.histories[rows]),
                self.k,
                history=HISTORY,
                decay=0.95,
            )
            return found.rows, found.scores

        return best

    def ranker(self) -> TopK:
        """Return the lists of a ranker with random weights: what it costs does not depend on them.

        As a service has it: the view is looked through once, and that is not counted.
        """
        from gsr.counters.users.histories import Histories  # noqa: PLC0415 -- each contender's memory is counted apart
        from gsr.ranker.asked_users import asked  # noqa: PLC0415 -- each contender's memory is counted apart
        from gsr.ranker.asking import Asker  # noqa: PLC0415 -- each contender's memory is counted apart
        from gsr.ranker.config import RankerConfig  # noqa: PLC0415 -- each contender's memory is counted apart
        from gsr.ranker.model import RankerModel  # noqa: PLC0415 -- each contender's memory is counted apart

        graph = self._graph(SCALES)
        config = RankerConfig(
            half_lives=tuple(graph.half_lives.tolist()), dimension=self.items.shape[1]
        )
        model = RankerModel(config)
        rng = np.random.default_rng(2)
        for weights in (model.linear, *model.network.weights):
            weights[:] = 0.1 * rng.standard_normal(weights.shape)
        if model.vectors is not None:
            model.vectors.items.load(self.items)
        asker = Asker(model, graph, row_slots=NEIGHBOURS, repeats=False, length=self.k)
        shape = self.histories.shape

        def best(rows: slice) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
            count = rows.stop - rows.start
            histories = Histories(
                self.histories[rows],
                np.full((count, shape[1]), NOW),
                np.zeros((count, shape[1]), np.uint8),
                np.full(count, shape[1]),
                np.full(count, NOW),
            )
            found = [
                asker.lists(
                    asked(some, some.lengths, list(some.items)),
                    self.k,
                )
                for start in range(0, count, USERS_AT_ONCE)
                for some in [histories.rows(np.arange(start, min(start + USERS_AT_ONCE, count)))]
            ]
            return (
                np.concatenate([lists.rows for lists in found]),
                np.concatenate([lists.scores for lists in found]),
            )

        return best

    def top_k(self, name: str, block: int) -> TopK:
        """Return a contender; torch scores `block` users at once."""
        if name == "torch":
            return self.torch(block)
        return self.ranker() if name == "ranker" else self.ours(SCALES * (name == "ours-joint"))

    def _graph(self, scales: int) -> Any:
        """Return the live counters: random neighbours, or none without time scales."""
        from gsr.counters.items.item_graph import ItemGraph  # noqa: PLC0415 -- each contender's memory is counted apart

        rng = np.random.default_rng(1)
        count = len(self.items)
        row = NEIGHBOURS if scales else 0
        return ItemGraph(
            half_lives=np.geomspace(3600.0, 3e7, scales),
            row_starts=np.arange(count) * row,
            row_lengths=np.full(count, row, np.int32),
            row_references=np.zeros((count, scales), np.int64),
            neighbours=rng.integers(0, count, count * row).astype(np.uint32),
            weights=rng.random((count * row, scales), np.float32),
            popularity=np.ones((count, scales), np.float32),
            popularity_references=np.zeros((count, scales), np.int64),
            last_clicks=np.zeros(count),
            alive=np.ones(count, np.bool_),
            close_half_lives=np.zeros(0),
        )


CONTENDERS: Final = ("torch", "ours", "ours-joint", "ranker")


def measure(name: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Run a contender in this process; keep its lists where `--lists` says."""
    job = Job(arguments.items, arguments.users, arguments.dimension, arguments.k)
    best = job.top_k(name, arguments.block)
    best(slice(0, min(WARM_USERS, arguments.users)))
    with PeakMemory() as memory, Stopwatch() as watch:
        rows, scores = best(slice(0, arguments.users))
    np.savez(arguments.lists, rows=rows, scores=scores)
    return {
        "users_per_second": arguments.users / watch.seconds,
        "users_per_cpu_second": arguments.users / watch.cpu_seconds,
        "extra_bytes": memory.extra,
        "threads": threads(),
    }


def run(name: str, items: int, arguments: argparse.Namespace, lists: Path) -> dict[str, Any]:
    """Run a contender in a process of its own."""
    command = [sys.executable, "-m", __spec__.name, "--child", name, "--items", str(items)]
    for option in ("users", "dimension", "k", "block"):
        command += [f"--{option}", str(getattr(arguments, option))]
    done = subprocess.run([*command, "--lists", str(lists)], stdout=subprocess.PIPE, check=True)
    return read_answer(done.stdout)


def compare(items: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure all contenders in turn on a catalogue."""
    answers: dict[str, list[dict[str, Any]]] = {name: [] for name in CONTENDERS}
    with tempfile.TemporaryDirectory(dir=arguments.directory, prefix="gsr-bench-") as folder:
        for _ in range(arguments.runs):
            for name in CONTENDERS:
                answers[name].append(run(name, items, arguments, Path(folder) / f"{name}.npz"))
        with (
            np.load(Path(folder) / "torch.npz") as theirs,
            np.load(Path(folder) / "ours.npz") as ours,
        ):
            exact = exactness(theirs["rows"], theirs["scores"], ours["rows"], ours["scores"])
    speed, cpu = (
        {name: median(one[unit] for one in each) for name, each in answers.items()}
        for unit in ("users_per_second", "users_per_cpu_second")
    )
    return {
        "items": items,
        **{
            name: {
                "users_per_second": round(speed[name], 1),
                "users_per_cpu_second": round(cpu[name], 1),
                "extra_megabytes": round(max(one["extra_bytes"] for one in each) / 2**20, 1),
            }
            for name, each in answers.items()
        },
        "ratio": round(speed["ours"] / speed["torch"], 3),
        "exactness": exact,
        "threads": answers["ours"][0]["threads"],
    }


def exactness(
    rows: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float32],
    other_rows: npt.NDArray[np.int64],
    other_scores: npt.NDArray[np.float32],
) -> dict[str, float]:
    """Return how far lists [B, k] agree.

    >>> same = np.array([[1, 2], [3, 4]]), np.array([[2.0, 1.0], [2.0, 1.5]], np.float32)
    >>> exactness(*same, np.array([[1, 2], [4, 3]]), same[1])
    {'identical_lists': 0.5, 'identical_sets': 1.0, 'largest_score_difference': 0.0}
    """
    ordered = np.sort(rows, axis=1) == np.sort(other_rows, axis=1)
    return {
        "identical_lists": float((rows == other_rows).all(axis=1).mean()),
        "identical_sets": float(ordered.all(axis=1).mean()),
        "largest_score_difference": float(np.abs(scores - other_scores).max()),
    }


def main() -> None:
    """Read the arguments; measure, or be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--catalogues", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--users", type=int, default=1024)
    parser.add_argument("--dimension", type=int, default=64)
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--block", type=int, default=128, help="users that torch scores at once")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--directory", type=Path, help="where lists may lie meanwhile")
    parser.add_argument("--out", type=Path, help="write the results here, too")
    parser.add_argument("--child", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--items", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--lists", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(measure(arguments.child, arguments)))
        return
    found = [compare(items, arguments) for items in arguments.catalogues]
    for one in found:
        print(json.dumps(one))
    if arguments.out:
        settings = {name: getattr(arguments, name) for name in ("users", "dimension", "k", "block")}
        arguments.out.parent.mkdir(parents=True, exist_ok=True)
        write_json(arguments.out, {**settings, "catalogues": found})


if __name__ == "__main__":
    main()
