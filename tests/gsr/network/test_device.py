"""Learning a fixed set of clicks on another device than the processor."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from gsr.config import BatchConfig, ModelConfig
from gsr.counters.interactions import Interactions
from gsr.learning.batch_learner import BatchLearner
from gsr.network.model import JointModel
from gsr.quality.protocols import leave_one_out
from gsr.votes.click_graph import UNDYING
from tests.gsr.world import one_click_a_minute

ITEMS, USERS, LENGTH = 12, 40, 8
SHAPE = ModelConfig(
    half_lives=UNDYING,
    dimension=16,
    ensemble=2,
    history_length=6,
    graph_encoder=False,
    dropout=0.3,
)
PACE = BatchConfig(batch_positions=64)
NO_VALUES = "meta"
"""A device of torch whose tensors have shapes only."""

TRANSFERS = ("aten::_to_copy", "aten::copy_")


class OneDevice(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """Refuses operations on tensors of two devices, as an accelerator would."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        devices = {tensor.device.type for tensor in tensors if tensor.dim()}
        if func.name() not in TRANSFERS:
            assert len(devices) <= 1, f"{func} mixes devices"
        return func(*args, **(kwargs or {}))


def _clicks() -> Interactions:
    rng = np.random.default_rng(5)
    return one_click_a_minute(rng.integers(ITEMS, size=(USERS, LENGTH)), ITEMS)


@pytest.fixture
def without_values(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Stand in for what such a device has not: randomness, finite numbers, fused kernels."""
    import_module("torch._dynamo")  # an optimiser does, and the compiler would meet the stand-ins
    generator, adam = torch.Generator, torch.optim.AdamW

    def unfused(*args: Any, **settings: Any) -> torch.optim.AdamW:
        return adam(*args, **(settings | {"fused": False}))

    monkeypatch.setattr(torch.optim, "AdamW", unfused)
    monkeypatch.setattr(torch, "Generator", lambda device="cpu": generator())
    monkeypatch.setattr(torch, "isfinite", lambda _: torch.ones((), dtype=torch.bool))
    with OneDevice():  # type: ignore[no-untyped-call]  # torch leaves it untyped
        yield


@pytest.mark.usefixtures("without_values")
def test_nothing_that_meets_in_learning_or_ranking_lies_on_two_devices() -> None:
    """Each goes on until a number is read back, which such a device has not."""
    split = leave_one_out(_clicks())
    learner = BatchLearner(
        JointModel(SHAPE), PACE, split.interactions, split.valid.learned_ends, device=NO_VALUES
    )
    assert learner.model.table.weight.device.type == NO_VALUES
    with pytest.raises(RuntimeError, match=r"item\(\) cannot be called on meta tensors"):
        learner.learn_once()
    assert learner.steps == 1
    for ask in (learner.ranks, learner.vectors):
        with pytest.raises(NotImplementedError, match="Cannot copy out of meta tensor"):
            ask(split.test.cases)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_cuda_learns_what_the_processor_learns() -> None:
    """But for rounding, where nothing is dropped at random."""
    split = leave_one_out(_clicks())
    found = {}
    for device in ("cpu", "cuda"):
        learner = BatchLearner(
            JointModel(replace(SHAPE, dropout=0.0), seed=1),
            PACE,
            split.interactions,
            split.valid.learned_ends,
            seed=1,
            device=device,
        )
        losses = [learner.learn_once().loss for _ in range(3)]
        found[device] = losses, learner.weights()
    (losses, weights), (other_losses, other_weights) = found["cpu"], found["cuda"]
    np.testing.assert_allclose(losses, other_losses, rtol=1e-3)
    for name, value in weights.items():
        torch.testing.assert_close(value, other_weights[name], rtol=0.02, atol=2e-3)
