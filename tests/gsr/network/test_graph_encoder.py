"""One round of propagation: the same sum with and without the library, and no files left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from gsr.network.graph_encoder import WeightedPropagation

LEARN_AND_DIE = """
import os, signal, torch
from gsr.network.graph_encoder import ScaleMix, WeightedPropagation
mix, propagation = ScaleMix(2), WeightedPropagation()
optimiser = torch.optim.AdamW(mix.parameters())
edges = torch.tensor([[0, 1], [0, 0]])
propagation(torch.ones(2, 3), edges, mix(torch.ones(2, 2)), 1).sum().backward()
optimiser.step()
os.kill(os.getpid(), signal.SIGKILL)
"""

LOOK_BEFORE_LEARNING = """
import sys, torch
from gsr.network.graph_encoder import WeightedPropagation
def learning(): return "torch_geometric" in sys.modules
propagation, edges = WeightedPropagation(), torch.tensor([[0, 1], [0, 0]])
with torch.no_grad():
    propagation(torch.ones(2, 3), edges, torch.ones(2), 1)
before = learning()
propagation(torch.ones(2, 3), edges, torch.ones(2), 1)
print(before, learning())
"""


@pytest.mark.parametrize("edges", [0, 7, 20_000])
def test_serving_adds_up_as_learning_does(edges: int) -> None:
    """Bit for bit, and what each place receives is the weighted sum of what was sent to it."""
    draw = torch.Generator().manual_seed(edges)
    vectors = torch.randn(50, 8, generator=draw)
    weights = torch.rand(edges, generator=draw)
    sources = torch.randint(50, (edges,), generator=draw)
    places = torch.randint(30, (edges,), generator=draw).sort().values
    ends = torch.stack((sources, places))
    learned = WeightedPropagation()(vectors, ends, weights, 30)
    with torch.no_grad():
        served = WeightedPropagation()(vectors, ends, weights, 30)
    assert torch.equal(learned, served)
    matrix = torch.zeros(30, 50, dtype=torch.float64)
    matrix.index_put_((places, sources), weights.double(), accumulate=True)
    torch.testing.assert_close(served.double(), matrix @ vectors.double(), rtol=1e-4, atol=1e-5)


def test_gradients_reach_vectors_and_weights() -> None:
    """A vector's gradient is the weight that it was sent with; a weight's is what it scaled."""
    vectors = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    weights = torch.tensor([0.5, 2.0], requires_grad=True)
    ends = torch.tensor([[0, 1], [0, 0]])
    WeightedPropagation()(vectors, ends, weights, 1).sum().backward()
    assert vectors.grad is not None
    assert weights.grad is not None
    assert vectors.grad.tolist() == [[0.5, 0.5], [2.0, 2.0]]
    assert weights.grad.tolist() == [3.0, 7.0]


def test_a_learner_that_is_killed_leaves_no_temporary_files(tmp_path: Path) -> None:
    """Neither code that the library generates nor a folder of torch's compiler."""
    killed = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LEARN_AND_DIE],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "TMPDIR": str(tmp_path)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_what_takes_seconds_to_import_comes_when_there_is_something_to_learn() -> None:
    """What only ranks goes without."""
    said = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", LOOK_BEFORE_LEARNING],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        check=True,
        capture_output=True,
        text=True,
    )
    assert said.stdout.strip() == "False True"
    assert "leak" not in said.stderr
