"""Files of retrained models, and items that keep their vectors under other row numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch

from consumers.errors import ArtifactError
from consumers.offline.replay.retraining.model_files import Learned, ModelFiles, onto_rows
from gsr.loop.learning_loop import LearningLoop
from gsr.network.model import JointModel
from tests.gsr.loop.world import ENCODERS, loop_of, ring


def model_of(items: int) -> JointModel:
    model = JointModel(ENCODERS, 4)
    model.table.load(torch.randn(items, ENCODERS.dimension), torch.zeros(items, dtype=torch.int64))
    return model


def counted() -> LearningLoop:
    """Return a loop that has counted 30 items, in whatever order they came."""
    loop = loop_of()
    loop.advance(ring(300), rank=False)
    return loop


def test_a_model_comes_back_with_its_items(tmp_path: Path) -> None:
    files, model = ModelFiles(tmp_path, 3), model_of(5)
    ids = [f"ï{n}" for n in range(5)]
    files.write_weights(model, ids)
    found, item_ids = files.read()
    assert item_ids == ids
    assert found.config == ENCODERS
    assert torch.equal(found.table.weight, model.table.weight)
    for name, value in model.network.state_dict().items():
        assert torch.equal(found.network.state_dict()[name], value)


def test_a_model_is_there_once_what_is_known_of_it_is(tmp_path: Path) -> None:
    files = ModelFiles(tmp_path, 3)
    files.write_weights(model_of(1), ["a"])
    assert files.learned() is None
    learned = Learned(
        clicks=7, passes=2, seconds=1.5, cpu_seconds=1.0, peak_memory_bytes=9, reason="too few"
    )
    files.write_learned(learned)
    assert files.learned() == learned
    assert ModelFiles(tmp_path, 4).learned() is None


@pytest.mark.parametrize("left", [None, b"x"])
def test_a_damaged_model_is_named(tmp_path: Path, left: bytes | None) -> None:
    files = ModelFiles(tmp_path, 0)
    if left is not None:
        files.weights.write_bytes(left)
    with pytest.raises(ArtifactError, match=r"model-0000\.safetensors"):
        files.read()


def test_every_item_keeps_its_vector_under_its_row_of_the_mirror() -> None:
    """Whatever the order of the model's own rows, and whatever else it knows."""
    loop = counted()
    ids = [*loop.mirror.item_ids, "never clicked here"]
    order = np.random.default_rng(1).permutation(len(ids))
    model, shuffled = model_of(len(ids)), [ids[n] for n in order]
    before = model.table.weight.clone()
    onto_rows(model, shuffled, loop.mirror)
    assert model.items == loop.mirror.items
    for row, item_id in enumerate(loop.mirror.item_ids):
        assert torch.equal(model.table.weight[row], before[shuffled.index(item_id)])


def test_items_that_the_model_does_not_know_begin_as_new_ones_on_the_stream() -> None:
    """From their neighbours in the graph, with the same draws."""
    loop = counted()
    ids, unknown = loop.mirror.item_ids, [3, 17, 29]
    known = [row for row in range(len(ids)) if row not in unknown]
    model, twin = model_of(len(known)), model_of(len(known))
    twin.table.load(model.table.weight.clone(), twin.table.generations.clone())
    onto_rows(model, [ids[row] for row in known], loop.mirror)
    weight = torch.zeros(len(ids), ENCODERS.dimension)
    weight[known] = twin.table.weight
    twin.table.load(weight, torch.zeros(len(ids), dtype=torch.int64))
    twin.renew(np.array(unknown), loop.mirror.graph())
    assert torch.equal(model.table.weight, twin.table.weight)
    assert (model.table.weight[unknown].abs().sum(dim=1) > 0.0).all()


def test_an_empty_mirror_takes_a_model_of_any_size() -> None:
    """So its shape is there before the state of a stopped run is."""
    loop = loop_of()
    assert onto_rows(model_of(9), [str(n) for n in range(9)], loop.mirror).items == 0
