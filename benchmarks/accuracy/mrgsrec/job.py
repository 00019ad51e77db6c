"""MRGSRec on a trial: `python -m benchmarks.accuracy.mrgsrec.job FOLDER`."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from benchmarks.accuracy.baseline_process import Trial
from benchmarks.accuracy.exchange import Questions, Sequences, VectorScores
from benchmarks.accuracy.learning import learn
from benchmarks.accuracy.mrgsrec.network import Graph, MRGSRec, Settings, total_loss

SCORED = 1024
"""Users that are encoded at once."""


def newest(sequences: Sequences, length: int) -> tuple[Tensor, Tensor]:
    """Return each sequence's last items from the left, int64 [m, length], and how many, [m].

    Places behind a sequence's end hold item 0.
    """
    kept = np.minimum(sequences.lengths, length)
    rows = np.repeat(np.arange(len(sequences)), kept)
    columns = np.arange(int(kept.sum())) - np.repeat(np.cumsum(kept) - kept, kept)
    items = np.zeros((len(sequences), length), np.int64)
    items[rows, columns] = sequences.items[np.repeat(sequences.ends - kept, kept) + columns]
    return torch.from_numpy(items), torch.from_numpy(kept)


class Learner:
    """Learns from the newest clicks of every user.

    Parameters
    ----------
    settings
        Of the model.
    sequences
        To learn from, one per user.
    item_count
        N.
    seed
        Of weights, order and dropout.
    """

    def __init__(
        self, settings: Settings, sequences: Sequences, item_count: int, seed: int
    ) -> None:
        torch.manual_seed(seed)
        self.settings = settings
        self.seed = seed
        self.items, self.lengths = newest(sequences, settings.length)
        self.network = MRGSRec(settings, len(sequences), item_count)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate)
        self.graph = self._graph(item_count)
        self.known = torch.bincount(self.graph.items, minlength=item_count) > 0

    def epoch(self, number: int) -> int:
        """Learn from all sequences once; return how many positions had a loss."""
        torch.manual_seed(self.seed * 100_003 + number)
        self.network.train()
        users = torch.nonzero(self.lengths > 1).flatten()
        users = users[torch.randperm(len(users))]
        size = self.settings.batch_size
        # As released, an incomplete last batch is left out, unless it is the only one.
        whole = max(len(users) // size * size, min(size, len(users)))
        return sum(self.step(users[start : start + size]) for start in range(0, whole, size))

    def step(self, users: Tensor) -> int:
        """Learn from some users' sequences; return how many positions had a loss."""
        network = self.network
        longest = int(self.lengths[users].max())
        items = self.items[users, :longest]
        real = torch.arange(1, longest) < self.lengths[users, None]
        outputs = network(self.graph.without(users), network.users(users), items[:, :-1])
        negatives = torch.randint(len(self.known), (self.settings.negatives,))
        loss = total_loss(
            outputs, network.items.weight, items[:, 1:], real, negatives, self.settings
        )
        self.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch
        self.optimiser.step()
        return int(real.sum())

    @torch.no_grad()
    def scores(self, questions: Questions) -> VectorScores:
        """Return the fused users and the items; a user never learned from has the mean vector."""
        network = self.network.eval()
        learned = self.lengths > 0
        table = network.users.weight
        table = torch.where(learned[:, None], table, table[learned].mean(dim=0))
        # As released: the target takes the last of the `length` places.
        items, lengths = newest(questions.histories, self.settings.length - 1)
        users = torch.from_numpy(questions.users)
        found = []
        for start in range(0, len(users), SCORED):
            rows = slice(start, start + SCORED)
            states = network.encode(table[users[rows]], items[rows])
            views = network.view(self.graph, table[users[rows]], items[rows])
            last = (torch.arange(len(states)), (lengths[rows] - 1).clamp(min=0))
            found.append(network.fusion(torch.cat([states[last], views[last]], dim=1)))
        return VectorScores(
            torch.cat(found).numpy(), network.items.weight.numpy().copy(), self.known.numpy()
        )

    def save(self, path: Path) -> None:
        """Write weights and Adam's state."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for index, parameter in enumerate(self.network.parameters()):
            for name, value in self.optimiser.state[parameter].items():
                tensors[f"adam.{index}.{name}"] = value
        save_file(tensors, path)

    def load(self, path: Path) -> None:
        """Read weights and Adam's state."""
        tensors = load_file(path)
        self.network.load_state_dict(_under("network.", tensors))
        for index, parameter in enumerate(self.network.parameters()):
            self.optimiser.state[parameter] = _under(f"adam.{index}.", tensors)

    def _graph(self, item_count: int) -> Graph:
        """Return the graph of what is learned from."""
        real = torch.arange(self.items.shape[1]) < self.lengths[:, None]
        pairs = torch.stack([torch.nonzero(real)[:, 0], self.items[real]], dim=1)
        return Graph.of(pairs, len(self.lengths), item_count)


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def main() -> None:
    """Do the trial in the folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    trial = Trial.load(parser.parse_args().folder)
    settings = Settings(**trial.settings)

    def make(sequences: Sequences) -> Learner:
        return Learner(settings, sequences, trial.task.item_count, trial.seed)

    def facts() -> dict[str, Any]:
        return {"threads": torch.get_num_threads()}

    learn(trial, make, facts)


if __name__ == "__main__":
    main()
